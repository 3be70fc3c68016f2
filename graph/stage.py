"""What every stage has in common: the run's context, progress events, seconds and tokens."""

from collections.abc import Callable
from time import perf_counter
from typing import Protocol

from langgraph.runtime import Runtime
from langgraph.types import Overwrite

from dlcodegen.context import Context
from dlcodegen.events import stage_event
from dlcodegen.state import State, Update


class Node(Protocol):
    """What LangGraph calls: it hands the runtime over by name."""

    def __call__(self, state: State, *, runtime: Runtime[Context]) -> Update: ...


def stage(work: Callable[[State, Context], Update]) -> Node:
    """The node of a stage: `work` between two progress events, its usage counted under its name."""
    name = work.__name__

    def run(state: State, *, runtime: Runtime[Context]) -> Update:
        runtime.stream_writer(stage_event(name, "started"))
        began = perf_counter()
        update = work(state, Context.resolve(runtime.context))
        seconds = round(perf_counter() - began, 3)
        runtime.stream_writer(stage_event(name, "done", str(update.pop("progress", "")), seconds))
        usage = {name: {**update.pop("usage", {}), "seconds": seconds}}
        # The first stage starts the account of this run anew; a thread may hold that of an earlier one.
        return {**update, "usage": Overwrite(usage) if name == "read_requirement" else usage}

    run.__name__ = name
    return run
