"""What we wrote for the training data: topics, phrasings and architecture names of every category."""

import json
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Topic:
    """One thing that people want to learn from data, in several wordings."""

    category: str
    goals: list[str]
    """Verb phrases: `segment polyps in colonoscopy frames`."""
    titles: list[str]
    """Noun phrases: `polyp segmentation`."""
    inputs: list[str]
    datasets: list[str]
    """Prose, lists of keys, careless half-sentences."""
    samples: list[str]
    """Names of the samples that a practitioner would start from, best first."""


@dataclass(frozen=True)
class Material:
    """All that was written for one category."""

    category: str
    topics: list[Topic]
    phrasings: list[str]
    """Whole requirements with the slots {goal} {title} {inputs} {model}."""
    architectures: dict[str, list[str]] = field(default_factory=dict)
    """Sample -> how people name what it builds, with an article."""


@cache
def material(category: str) -> Material:
    """Raises FileNotFoundError for a category that nothing was written for (`other`)."""
    topics = [Topic(category=category, **row) for row in _rows("topics", category)]
    phrasings = (_FOLDER / "phrasings" / f"{category}.txt").read_text(encoding="utf-8").splitlines()
    named = {row["sample"]: row["names"] for row in _rows("architectures", category)}
    return Material(category, topics, [line for line in phrasings if line.strip()], named)


@cache
def in_other_languages() -> list[dict[str, str]]:
    """`requirement` and `category` of requirements that are not in English."""
    return _rows("topics", "languages")


@cache
def whole_requests() -> list[dict[str, str]]:
    """`requirement`, `dataset` and `category` of requests that are written as a whole, each in a voice of its own."""
    return [row for path in sorted((_FOLDER / "requests").glob("*.jsonl")) for row in _rows("requests", path.stem)]


@cache
def what_is_no_task() -> list[str]:
    """What people ask that is no deep-learning task, or too vague to be one."""
    return (_FOLDER / "topics" / "other.txt").read_text(encoding="utf-8").splitlines()


def _rows(kind: str, category: str) -> list[dict[str, Any]]:
    lines = (_FOLDER / kind / f"{category}.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines if line.strip()]
