"""Is the right task read from a sentence, and is what asks for none refused? By each reader, and as in a run."""

import json
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Literal, NamedTuple

from dlcodegen.errors import RequirementError
from dlcodegen.evals.journal import Row
from dlcodegen.evals.retrieval import pairs
from dlcodegen.planner.category import find_category
from dlcodegen.planner.classifier.classifier import task_classifier
from dlcodegen.planner.gpt2.planner import shipped_planner
from dlcodegen.planner.request import task_odds

Way = Literal["words", "network", "classifier", "all"]
_WAYS: tuple[Way, ...] = ("words", "network", "classifier", "all")
_FOLDER = Path(__file__).parent
_NO_TASKS = _FOLDER / "not_a_task.txt"
_OTHER_HANDS = _FOLDER / "other_hands.jsonl"


class Asked(NamedTuple):
    """A request, and which task it is."""

    requirement: str
    dataset: str
    category: str


def steps() -> Iterator[tuple[str, Callable[[], Row]]]:
    """Each way over each part of the requests, and over sentences that ask for no task."""
    for way in _WAYS:
        for part in ("tuning", "kept", "other hands"):
            yield f"task read by {way}, {part}", lambda way=way, part=part: _tasks(way, part)  # type: ignore[misc]
        yield f"no task, by {way}", lambda way=way: _refused(way)  # type: ignore[misc]


def category(requirement: str, way: Way, dataset: str = "") -> str:
    """The category that is read; `other` where none is. `all`: as in a run."""
    if way in ("network", "classifier"):
        odds = shipped_planner().network_odds if way == "network" else task_classifier().odds
        found = odds(requirement, dataset)
        return max(found, key=lambda name: found[name])
    try:
        together = task_odds(requirement, dataset, shipped_planner().category_odds) if way == "all" else None
        return find_category(requirement, dataset, together).name
    except RequirementError:
        return "other"


@cache
def other_hands() -> list[Asked]:
    """Requests by two writers who knew the list of categories and nothing else; nothing was made with them."""
    return [Asked(**json.loads(line)) for line in _OTHER_HANDS.read_text(encoding="utf-8").splitlines()]


def _requests(part: str) -> list[Asked]:
    if part == "other hands":
        return other_hands()
    return [Asked(pair.requirement, "", pair.category) for pair in pairs() if pair.kept == (part == "kept")]


def _tasks(way: Way, part: str) -> Row:
    asked = _requests(part)
    read = [category(one.requirement, way, one.dataset) for one in asked]
    return {
        "sentences": len(asked),
        "right": sum(name == one.category for name, one in zip(read, asked, strict=True)),
        "refused": read.count("other"),
    }


def _refused(way: Way) -> Row:
    lines = _NO_TASKS.read_text(encoding="utf-8").splitlines()
    return {"sentences": len(lines), "right": sum(category(line, way) == "other" for line in lines)}
