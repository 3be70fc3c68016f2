"""The questions that decide where the graph goes next."""

from typing import Literal

from langgraph.runtime import Runtime

from dlcodegen.context import Context
from dlcodegen.state import State


def is_there_something_to_plan(state: State) -> Literal["plan", "__end__"]:
    """The run ends with a question back when there is nothing to work on."""
    return "__end__" if state["status"] == "needs_input" else "plan"


def can_the_pool_serve(state: State) -> Literal["retrieve", "__end__"]:
    """The run ends with an answer when no sample covers the category and no model may be asked."""
    return "__end__" if state["status"] == "needs_input" else "retrieve"


def is_the_merge_checked(state: State, runtime: Runtime[Context]) -> Literal["check", "deliver"]:
    """Checking can be switched off."""
    return "check" if Context.resolve(runtime.context).check else "deliver"


def is_it_worth_a_repair(state: State, runtime: Runtime[Context]) -> Literal["repair", "deliver"]:
    """Not when it passed, when the attempts are used up, or when the same error came back twice in a row."""
    reports = [candidate["report"] for candidate in state["candidates"]]
    newest = reports[-1]
    if newest is None or newest["status"] != "failed" or state["repairs"] >= Context.resolve(runtime.context).repairs:
        return "deliver"
    if state["repairs"] and reports[-2] is not None and newest["error"] == reports[-2]["error"]:
        return "deliver"
    return "repair"
