"""Is the right task read from a sentence, and is what asks for none refused? By words, by the predictor, by both."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

from dlcodegen.errors import RequirementError
from dlcodegen.evals.journal import Row
from dlcodegen.evals.retrieval import pairs
from dlcodegen.planner.category import find_category
from dlcodegen.planner.gpt2.planner import shipped_planner

Way = Literal["words", "predictor", "both"]
_NO_TASKS = Path(__file__).parent / "not_a_task.txt"


def steps() -> Iterator[tuple[str, Callable[[], Row]]]:
    """Each way over both parts of the requirements, and over sentences that ask for no task."""
    ways: tuple[Way, ...] = ("words", "predictor", "both")
    for way in ways:
        for kept in (False, True):
            part = "kept" if kept else "tuning"
            yield f"task read by {way}, {part} part", lambda way=way, kept=kept: _tasks(way, kept)  # type: ignore[misc]
        yield f"no task, by {way}", lambda way=way: _refused(way)  # type: ignore[misc]


def category(requirement: str, way: Way, dataset: str = "") -> str:
    """The category that is read; `other` where none is."""
    odds = None if way == "words" else shipped_planner().category_odds(requirement, dataset)
    if way == "predictor" and odds:
        return max(odds, key=lambda name: odds[name])
    try:
        return find_category(requirement, dataset, odds).name
    except RequirementError:
        return "other"


def _tasks(way: Way, kept: bool) -> Row:
    asked = [pair for pair in pairs() if pair.kept == kept]
    read = [category(pair.requirement, way) for pair in asked]
    return {
        "sentences": len(asked),
        "right": sum(name == pair.category for name, pair in zip(read, asked, strict=True)),
        "refused": read.count("other"),
    }


def _refused(way: Way) -> Row:
    lines = _NO_TASKS.read_text(encoding="utf-8").splitlines()
    return {"sentences": len(lines), "right": sum(category(line, way) == "other" for line in lines)}
