"""The graph's state: plain data, small. What a stage reads and gives is written at each field."""

from typing import Annotated, Any, Literal

from langchain_core.messages import AnyMessage
from langgraph.graph.message import add_messages
from pydantic import Field
from typing_extensions import TypedDict  # pydantic reads no other before Python 3.12

from dlcodegen.report import Candidate, Usage
from dlcodegen.writers.protocol import Request, Template

Status = Literal["needs_input", "working", "passed", "failed", "unchecked", "not_executed", "sandbox_error"]
Update = dict[str, Any]
"""What a node gives back: the fields it changed, and `progress`, one line for who watches."""


def _add_usage(total: dict[str, Usage], new: dict[str, Usage]) -> dict[str, Usage]:
    """Sum per node, since a node may run several times (check, repair)."""
    added = {name: dict(counts) for name, counts in total.items()}
    for name, counts in new.items():
        own = added.setdefault(name, {})
        for key, value in counts.items():
            own[key] = round(own.get(key, 0) + value, 6)
    return added


class InputState(TypedDict, total=False):
    """One requirement: as a chat message, or as a form."""

    messages: Annotated[list[AnyMessage], add_messages]
    requirement: Annotated[str, Field(description="What to build, in a sentence. Empty: the last message counts.")]
    dataset: Annotated[
        str, Field(description="Attributes of the dataset in words, if you like: sizes, classes, format.")
    ]
    data: Annotated[str, Field(description="Path of your data, if there is any; it is never copied.")]
    framework: Annotated[str, Field(description="`pytorch` or `keras`; empty: what the requirement says.")]


class State(InputState, total=False):
    """Everything between two stages. Each run of a thread starts it anew, the messages excepted."""

    status: Status
    request: Request
    """What `read_requirement` understood."""
    category: str
    category_confidence: float
    notes: list[str]
    """What the user should hear about how the requirement was understood."""
    plan: dict[str, Any]
    """The solution plan as the paper's JSON."""
    planner: dict[str, Any]
    """Name of the planner, and its confidence."""
    category_samples: list[str]
    """Ids of the samples of the category (`filter_category`)."""
    samples: list[str]
    """Ids of the k best, best first (`retrieve`)."""
    template: Template
    draft_from_code: Candidate | None
    draft_from_template: Candidate | None
    """None where the method goes without it."""
    candidates: list[Candidate]
    """Everything that was written and, unless switched off, checked; nothing that runs is thrown away."""
    repairs: int
    usage: Annotated[dict[str, Usage], _add_usage]
    """Node -> seconds, and tokens where a model was asked."""
    files: dict[str, str]
    """The project folder: path -> text."""
    report: dict[str, Any]
    """report.json."""
