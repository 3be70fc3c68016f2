"""A graph of two events and one final state, in the place of the real one: what is tested here is the command line."""

import sys
from collections.abc import Callable, Iterator
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

Graph = Callable[..., None]

FILES = {"main.py": "print('made')\n", "tests/test_smoke.py": "pass\n"}
EVENTS: list[dict[str, Any]] = [
    {"type": "stage", "stage": "plan", "status": "started", "detail": "", "seconds": 0.0},
    {"type": "stage", "stage": "plan", "status": "done", "detail": "Image Segmentation", "seconds": 0.2},
]
ERROR = {
    "rung": "smoke",
    "exception": "NameError",
    "message": "name 'x' is not defined",
    "line": 3,
    "code": "x + 1",
    "tensors": [],
    "hint": "",
}


def candidate(status: str) -> dict[str, Any]:
    rows = [
        {"name": "epochs", "expected": "5", "verdict": "honoured", "evidence": "epochs: int = 5", "line": 12},
        {"name": "dropout", "expected": "0.3", "verdict": "not found", "evidence": "[red]no[/red]", "line": None},
    ]
    made = {"name": "merged", "origin": [], "status": status}
    if status == "unchecked":
        return made
    error = ERROR if status == "failed" else None
    return made | {"rungs": [], "error": error, "conformance": rows, "metrics": {"dice": 0.5, "iou": None}}


@pytest.fixture
def final_state() -> Callable[[str], dict[str, Any]]:
    """The state of a run that ended with this status."""

    def state(status: str) -> dict[str, Any]:
        report = {
            "status": status,
            "candidates": [candidate(status)],
            "chosen": "merged",
            "notes": ["The loss function is a guess."],
        }
        return {
            "status": status,
            "files": FILES,
            "report": report,
            "messages": [SimpleNamespace(content=f"It {status}.")],
        }

    return state


@pytest.fixture
def use_graph(monkeypatch: pytest.MonkeyPatch) -> Graph:
    """Make the command line run this generator function instead of the real graph's `stream`."""

    def use(stream: Callable[..., Iterator[tuple[str, Any]]]) -> None:
        module: Any = ModuleType("dlcodegen.graph.builder")
        module.graph = SimpleNamespace(stream=stream)
        monkeypatch.setitem(sys.modules, "dlcodegen.graph.builder", module)

    return use


@pytest.fixture
def ending(use_graph: Graph, final_state: Callable[[str], dict[str, Any]]) -> Callable[[str], list[Any]]:
    """Make the run end with this status; returns the list that collects what the graph was given."""

    def end(status: str) -> list[Any]:
        given: list[Any] = []

        def stream(request: dict[str, str], config: Any, *, context: Any, stream_mode: list[str]) -> Any:
            given.extend((request, context, stream_mode))
            yield from (("custom", event) for event in EVENTS)
            yield "values", final_state(status)

        use_graph(stream)
        return given

    return end
