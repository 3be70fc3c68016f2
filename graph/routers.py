"""The questions that decide where the graph goes next."""

from typing import Literal

from langgraph.runtime import Runtime

from dlcodegen.context import DIRECT, Context
from dlcodegen.state import State
from dlcodegen.writers.history import nothing_left, something_ran

_WITHOUT_SAMPLES = [method for method in DIRECT if method != "cedar"]
_NEVER_REPAIRED = (*DIRECT, "no-repair")


def is_there_something_to_plan(state: State) -> Literal["plan", "__end__"]:
    """The run ends with a question back when there is nothing to work on."""
    return "__end__" if state["status"] == "needs_input" else "plan"


def is_code_looked_up(state: State, runtime: Runtime[Context]) -> Literal["filter_category", "write_directly"]:
    """The simplest methods that we are compared with ask without retrieved code."""
    method = Context.resolve(runtime.context).method
    return "write_directly" if method in _WITHOUT_SAMPLES else "filter_category"


def can_the_pool_serve(state: State) -> Literal["retrieve", "__end__"]:
    """The run ends with an answer when no sample covers the category and no model may be asked."""
    return "__end__" if state["status"] == "needs_input" else "retrieve"


def which_drafts(state: State, runtime: Runtime[Context]) -> list[str]:
    """Both, unless the method goes without one."""
    match Context.resolve(runtime.context).method:
        case "cedar":
            return ["write_directly"]
        case "no-code-rag":
            return ["abstract_template"]
        case "no-template-rag":
            return ["draft_from_code"]
        case _:
            return ["draft_from_code", "abstract_template"]


def is_there_something_to_merge(state: State, runtime: Runtime[Context]) -> Literal["merge", "repair", "deliver"]:
    """Not without a second draft, nor where merging is switched off."""
    context = Context.resolve(runtime.context)
    if context.method != "no-merge" and len(state["candidates"]) > 1:
        return "merge"
    return _repair_or_deliver(state, context)


def is_the_merge_checked(state: State, runtime: Runtime[Context]) -> Literal["check", "deliver"]:
    """Checking can be switched off."""
    return "check" if Context.resolve(runtime.context).check else "deliver"


def is_it_worth_a_repair(state: State, runtime: Runtime[Context]) -> Literal["repair", "deliver"]:
    """Not when something ran, when the attempts are used up, or when nothing new was left to try."""
    return _repair_or_deliver(state, Context.resolve(runtime.context))


def _repair_or_deliver(state: State, context: Context) -> Literal["repair", "deliver"]:
    """A failed script is repaired as often as the settings say; what we compare with is taken as it is."""
    history = state["candidates"]
    report = history[-1]["report"]
    used_up = context.method in _NEVER_REPAIRED or state["repairs"] >= context.repairs
    failed = report is not None and report["status"] == "failed" and not something_ran(history)
    return "repair" if failed and not used_up and not nothing_left(history) else "deliver"
