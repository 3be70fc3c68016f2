"""The requirement suite: sentences of our own as people type them, and what each of them states.

The facts were written by hand from the sentence, before any of our readers saw it. No sentence is ever changed because
a run fails on it. A third, by position in the file, is kept: it is measured for the final figure, and never looked at.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from dlcodegen import vocabulary
from dlcodegen.categories import CATEGORIES
from dlcodegen.errors import InputError
from dlcodegen.planner.quantity_patterns import PATTERNS
from dlcodegen.techniques import BY_NAME

Value = str | int | float | bool | list[str] | list[int]

_SUITE = Path(__file__).with_name("requirement_suite.jsonl")
_TECHNIQUES = _SUITE.with_name("technique_suite.jsonl")
OTHERS = {part: _SUITE.with_name(f"others_{part}.jsonl") for part in ("open", "kept")}
"""By other hands, who knew the names of facts and categories and nothing of our readers, each fact listed by the
writer: those that the readers were widened with, and those of one more writer that were only ever counted.
"""
_FRAMEWORKS = ("pytorch", "keras")
_CANONICAL = {
    "optimizer": {term.name for term in vocabulary.OPTIMIZERS},
    "loss": {term.name for term in vocabulary.LOSSES},
    "metric": {term.name for term in vocabulary.METRICS},
    "architecture": {term.name for term in vocabulary.ARCHITECTURES},
    "framework": set(_FRAMEWORKS),
}
_OTHERS = {
    "image_height", "image_width", "channels", "hidden_units", "filters", "split", "betas", "scheduler", "activation",
    "augmentation", "early_stopping", "class_weights", "batch_norm", "bidirectional", "attention", "pretrained",
    *BY_NAME,
}  # fmt: skip
"""Names of facts that neither a vocabulary nor a pattern of quantities has."""


class Sentence(NamedTuple):
    """A requirement with what is right for it."""

    id: str
    requirement: str
    dataset: str
    """Attributes of the dataset as the user gives them besides; may be empty."""
    framework: str
    """The option that the user gives besides; empty: what the sentence says, if anything."""
    category: str
    kept: bool
    facts: Mapping[str, Value]
    """All that requirement, dataset and option state: canonical name -> value."""
    author: str = "us"


@lru_cache(maxsize=1)
def suite() -> tuple[Sentence, ...]:
    """All sentences, in the order of the file."""
    return read_suite(_SUITE)


@lru_cache(maxsize=1)
def techniques() -> tuple[Sentence, ...]:
    """Sentences that ask for a technique by name, which a sample may lack and a chat model may add; none is kept."""
    return read_suite(_TECHNIQUES, with_kept=False)


@lru_cache(maxsize=1)
def others() -> tuple[Sentence, ...]:
    """Sentences of another writer, all of them kept."""
    sentences = read_suite(OTHERS["kept"], with_kept=False)
    return tuple(sentence._replace(kept=True, author="others") for sentence in sentences)


def read_suite(path: Path, with_kept: bool = True) -> tuple[Sentence, ...]:
    """The sentences of a file. Raises InputError, one line that names the first row that is none."""
    rows = [line for line in path.read_text(encoding="utf-8").split("\n") if line]
    found: list[Sentence] = []
    for number, line in enumerate(rows, 1):
        try:
            sentence = Sentence(**json.loads(line))
        except (ValueError, TypeError) as error:
            raise InputError(f"{path}, line {number} is no sentence of a suite: {error}") from error
        problem = _problem(sentence, number, with_kept)
        if any(sentence.id == other.id for other in found):
            problem = "its id occurs twice"
        if problem:
            raise InputError(f"{path}, line {number} ({sentence.id}): {problem}")
        found.append(sentence)
    return tuple(found)


def chosen(kept: bool, limit: int = 0) -> list[Sentence]:
    """The sentences of one part of ours, in rounds."""
    return in_rounds([sentence for sentence in suite() if sentence.kept == kept])[: limit or None]


def in_rounds(sentences: Sequence[Sentence]) -> list[Sentence]:
    """One of each category, then another of each, so that few cover many tasks."""
    seen: Counter[str] = Counter()
    numbered = []
    for sentence in sentences:
        numbered.append((seen[sentence.category], sentence))
        seen[sentence.category] += 1
    return [sentence for _, sentence in sorted(numbered, key=lambda item: item[0])]


def _problem(sentence: Sentence, number: int, with_kept: bool) -> str:
    """What is wrong with the row of this number; empty when nothing is."""
    if not isinstance(sentence.facts, dict):
        return "its facts are no object"
    option = sentence.framework
    checks = {
        "the requirement is empty": not sentence.requirement.strip(),
        f"there is no category {sentence.category!r}": sentence.category not in CATEGORIES,
        f"there is no framework {option!r}": option not in ("", *_FRAMEWORKS),
        "its facts lack the framework that is given as an option": option not in ("", sentence.facts.get("framework")),
        "every third row is kept, and no other": sentence.kept != (with_kept and number % 3 == 0),
    }
    wrong_facts = (_wrong_fact(name, value) for name, value in sentence.facts.items())
    return next((problem for problem, holds in checks.items() if holds), "") or next(filter(None, wrong_facts), "")


def _wrong_fact(name: str, value: Any) -> str:
    if name in _CANONICAL:
        values = value if isinstance(value, list) else [value]
        unknown = [item for item in values if item not in _CANONICAL[name]]
        return f"{name} has no canonical value {unknown[0]!r}" if unknown else ""
    return "" if name in PATTERNS or name in _OTHERS else f"no fact is called {name!r}"
