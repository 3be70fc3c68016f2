"""DLCodeGen inside a larger graph that has a state and a context of its own.

The parent hands over a requirement and keeps what it wants of the result. Settings for DLCodeGen travel in the parent's
context under the name `dlcodegen`; nothing else of that context is read.

    python examples/subgraph.py
"""

from dataclasses import dataclass, field
from typing import TypedDict

from langgraph.graph import START, StateGraph

from dlcodegen import Context
from dlcodegen.graph.builder import graph as dlcodegen_graph


class Ticket(TypedDict, total=False):
    """The parent's state."""

    requirement: str
    files: dict[str, str]
    summary: str


@dataclass
class Desk:
    """The parent's context."""

    team: str = "vision"
    dlcodegen: Context = field(default_factory=lambda: Context(samples=1))


def summarise(state: Ticket) -> Ticket:
    files = state["files"]
    return {"summary": f"{len(files)} files, main.py has {files['main.py'].count(chr(10))} lines"}


builder = StateGraph(Ticket, context_schema=Desk)
builder.add_node("build_project", dlcodegen_graph)
builder.add_node("summarise", summarise)
builder.add_edge(START, "build_project")
builder.add_edge("build_project", "summarise")
parent = builder.compile()

if __name__ == "__main__":
    ticket = parent.invoke({"requirement": "Predict house prices from 13 numeric features"}, context=Desk())
    print(ticket["summary"])
