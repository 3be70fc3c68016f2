"""Running the graph from a command: progress while it works, and an end at once when it is interrupted."""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, TypeVar

from rich.console import Console

from dlcodegen.cli.progress import Progress
from dlcodegen.errors import InputError

if TYPE_CHECKING:
    from langchain_core.callbacks import BaseCallbackHandler
    from langchain_core.runnables import RunnableConfig

    from dlcodegen.context import Context
    from dlcodegen.state import InputState

_Item = TypeVar("_Item")
_FAREWELL = 2.0  # seconds for stages at work to clean up after Ctrl-C


def run_graph(
    request: "InputState", context: "Context", callbacks: "Sequence[BaseCallbackHandler]" = ()
) -> dict[str, Any]:
    """The graph's final state for `request` (requirement, dataset, data, framework); progress goes to stderr.

    `callbacks` are told of every question to a chat model.
    Raises InputError when the requirement is nothing to work on.
    """
    state: dict[str, Any] = {}
    with Progress(Console(stderr=True)) as progress:
        from dlcodegen.graph.builder import graph

        config: RunnableConfig = {"callbacks": list(callbacks)}
        stream: Iterator[Any] = graph.stream(request, config, context=context, stream_mode=["custom", "values"])
        for mode, chunk in aside(stream):
            if mode == "custom":
                progress.show(chunk)
            else:
                state = chunk
    if state["status"] == "needs_input":
        raise InputError(str(state["messages"][-1].content))
    return state


def aside(items: Iterable[_Item]) -> Iterator[_Item]:
    """The items, made by a thread of its own, so that this one hears Ctrl-C at once: it then kills what is executed.

    Without this, Ctrl-C would wait for every stage at work: minutes for a chat model's answer.
    """
    from dlcodegen.execution.sandbox.fork_server import stop_all

    ready: SimpleQueue[_Item | None] = SimpleQueue()

    def make() -> None:
        try:
            for item in items:
                ready.put(item)
        finally:
            ready.put(None)

    made = ThreadPoolExecutor(1, "graph").submit(make)
    try:
        while (item := ready.get()) is not None:
            yield item
        made.result()
    except KeyboardInterrupt:
        stop_all()
        wait([made], _FAREWELL)
        raise
