"""The graph as its users hold it: input forms, events, threads, subgraph, async, drawing."""

from dataclasses import dataclass, field
from typing import Any, TypedDict

import pytest
from langchain_core.messages import HumanMessage
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph

from dlcodegen.context import Context
from dlcodegen.execution.diagnosis import fault
from dlcodegen.graph.builder import builder, graph
from dlcodegen.report import CheckReport

UNCHECKED = Context(check=False)
TABLE = "Predict house prices from 13 numeric features"


def test_form_and_chat_input_give_the_same_project() -> None:
    form = graph.invoke({"requirement": TABLE}, context=UNCHECKED)
    chat = graph.invoke({"messages": [HumanMessage(TABLE)]}, context=UNCHECKED)
    assert form["files"]["main.py"] == chat["files"]["main.py"]
    assert [message.type for message in chat["messages"]] == ["human", "ai"]


async def test_ainvoke_gives_the_same_as_invoke() -> None:
    result = await graph.ainvoke({"requirement": TABLE}, context=UNCHECKED)
    assert result["files"]["main.py"] == graph.invoke({"requirement": TABLE}, context=UNCHECKED)["files"]["main.py"]


def test_every_stage_reports_its_start_and_its_end() -> None:
    events = list(graph.stream({"requirement": TABLE}, context=UNCHECKED, stream_mode="custom"))
    done = [event["stage"] for event in events if event["status"] == "done"]
    assert done[:4] == ["read_requirement", "plan", "filter_category", "retrieve"]
    assert set(done[4:7]) == {"abstract_template", "draft_from_code", "draft_from_template"}
    assert done[7:] == ["check_drafts", "merge", "deliver"]
    assert sum(event["status"] == "started" for event in events) == len(done)


def test_a_question_comes_back_when_there_is_nothing_to_work_on() -> None:
    result = graph.invoke({"messages": [HumanMessage("write a poem")]})
    assert result["status"] == "needs_input"
    assert "does not ask for a deep-learning task" in result["messages"][-1].text
    assert not result["files"]


def test_a_second_run_of_a_thread_starts_anew() -> None:
    threaded = builder.compile(checkpointer=InMemorySaver())
    config: RunnableConfig = {"configurable": {"thread_id": "1"}}
    threaded.invoke({"messages": [HumanMessage(TABLE)]}, config, context=UNCHECKED)
    second = threaded.invoke({"messages": [HumanMessage("Tell spam from ham")]}, config, context=UNCHECKED)
    assert len(second["candidates"]) == 3
    assert second["category"] == "text-classification"
    assert len(second["messages"]) == 4


class Parent(TypedDict, total=False):
    requirement: str
    files: dict[str, str]


@dataclass
class ParentContext:
    """Fields with our names and other meanings must not reach us."""

    model: str = "not for dlcodegen"
    samples: str = "neither"
    dlcodegen: Context = field(default_factory=lambda: UNCHECKED)


@pytest.mark.parametrize("context", [None, ParentContext()])
def test_it_is_a_subgraph_of_a_parent_with_another_state_and_context(context: Any, monkeypatch: Any) -> None:
    if context is None:  # no settings at all: the defaults hold, and they check; keep that quick
        monkeypatch.setattr("dlcodegen.nodes.check_drafts.climb", lambda *_: REPORT)
        monkeypatch.setattr("dlcodegen.nodes.check.climb", lambda *_: REPORT)
    parent = StateGraph(Parent, context_schema=ParentContext)
    parent.add_node("build", graph)
    parent.add_edge(START, "build")
    result = parent.compile().invoke({"requirement": TABLE}, context=context)
    assert "main.py" in result["files"]


REPORT: CheckReport = {
    "status": "passed", "rungs": [], "error": None, "metrics": {"mae": 1.0}, "untrained": {}, "conformance": [],
    "lint": 0, "sandbox": {}, "seconds": 0.0,
}  # fmt: skip


@pytest.mark.parametrize(("repairs", "status"), [(1, "passed"), (0, "failed")])
def test_a_draft_that_takes_too_long_gets_a_smaller_trial(repairs: int, status: str, monkeypatch: Any) -> None:
    timeout = fault("smoke run", "timeout", "did not end in time")

    def climb(code: str, *_: object) -> CheckReport:
        return REPORT if "too much at the sizes above" in code else {**REPORT, "status": "failed", "error": timeout}

    for node in ("check_drafts", "check"):
        monkeypatch.setattr(f"dlcodegen.nodes.{node}.climb", climb)
    result = graph.invoke({"requirement": "Classify 384x384 photos into 7 classes"}, context=Context(repairs=repairs))
    assert result["status"] == status
    assert "image_height: int = 384" in result["files"]["main.py"]
    assert len(result["candidates"]) == 3, "both drafts and their merge: nothing had to be repaired"


def test_a_chat_parent_hands_its_messages_down() -> None:
    parent = StateGraph(MessagesState)
    parent.add_node("build", graph)
    parent.add_edge(START, "build")
    result = parent.compile().invoke({"messages": [HumanMessage("hello")]})
    assert result["messages"][-1].type == "ai"


def test_the_context_is_a_form_with_descriptions_and_defaults() -> None:
    schema = graph.get_context_jsonschema()
    assert schema is not None
    assert set(schema["properties"]) >= {
        "writer", "model", "base_url", "planner", "samples", "repairs", "check", "time_limit", "seed",
    }  # fmt: skip
    for name, form in schema["properties"].items():
        assert form["description"], name
        assert "default" in form, name


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"writer": "magic"}, "writer is one of auto, syntax, llm, not 'magic'"),
        ({"samples": 0}, "samples lies between 1 and 10, not 0"),
        ({"time_limit": 0.0}, "time_limit lies between 1 and 3600, not 0.0"),
    ],
)
def test_wrong_settings_are_named(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(RuntimeError, match=message.replace("(", r"\(")):
        Context(**settings)


def test_a_writer_that_needs_a_model_asks_for_one() -> None:
    result = graph.invoke({"requirement": TABLE}, context=Context(writer="llm"))
    assert result["status"] == "needs_input"
    assert "set --model PROVIDER:NAME" in result["messages"][-1].text
