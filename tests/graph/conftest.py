"""A run of the real graph with the LLM writer on a scripted model."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dlcodegen.context import Context, Method, Pieces

Run = Callable[..., dict[str, Any]]
REQUIREMENT = "Classify 32x32 photos into 4 classes with a CNN"


@pytest.fixture
def run_scripted(tmp_path: Path) -> Run:
    """Run the graph; other keyword arguments than its settings are the answers by task. Gives the final state."""
    from dlcodegen.graph.builder import graph

    def run(
        repairs: int = 3,
        check: bool = True,
        method: Method = "dlcodegen",
        pieces: Pieces = "auto",
        max_tokens: int = 0,
        **answers: str,
    ) -> dict[str, Any]:
        script = tmp_path / "script.json"
        rules = [[f"# Task: {task}", answer] for task, answer in answers.items()]
        script.write_text(json.dumps({"rules": [*rules, ["", ""]]}))
        context = Context(
            model=f"scripted:{script}",
            repairs=repairs,
            check=check,
            time_limit=30,
            method=method,
            pieces=pieces,
            max_tokens=max_tokens,
        )
        state: dict[str, Any] = graph.invoke({"requirement": REQUIREMENT}, context=context)
        return state

    return run
