"""Deciding between weighted candidates so that the expected error is least (minimum Bayes risk)."""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import TypeVar

_T = TypeVar("_T")
_LONGEST = 4
"""Words in a row that are compared, as in BLEU."""


def decide_name(odds: Mapping[str, float]) -> str:
    """The most likely value; spellings that differ in case or punctuation count together ("adam", "Adam")."""
    together: Counter[str] = Counter()
    for value, share in odds.items():
        together[_plain(value)] += share  # type: ignore[assignment]
    best = together.most_common(1)[0][0]
    return max((value for value in odds if _plain(value) == best), key=lambda value: odds[value])


def decide_number(odds: Mapping[str, float]) -> str:
    """The median: no other value has a smaller expected distance."""
    half, reached = sum(odds.values()) / 2, 0.0
    for value in sorted(odds, key=float):
        reached += odds[value]
        if reached >= half:
            break
    return value


def medoid(candidates: Sequence[tuple[_T, float]], likeness: Callable[[_T, _T], float]) -> _T:
    """The candidate most like all others, each counted by its weight."""
    return max(
        (candidate for candidate, _ in candidates),
        key=lambda candidate: sum(weight * likeness(candidate, other) for other, weight in candidates),
    )


def layer_likeness(one: Sequence[str], other: Sequence[str]) -> float:
    """Minus the edits between two lists of layers by their names; what else their calls say counts a tenth."""
    names = _edits([_name(layer) for layer in one], [_name(layer) for layer in other])
    return -names - 0.1 * _edits(one, other)


def text_likeness(one: str, other: str) -> float:
    """Common sequences of one to four words, from 0 to 1."""
    total = 0.0
    for length in range(1, _LONGEST + 1):
        ours, theirs = _sequences(one, length), _sequences(other, length)
        common = sum((ours & theirs).values())
        total += 2 * common / max(1, ours.total() + theirs.total())
    return total / _LONGEST


@lru_cache(maxsize=4096)
def _sequences(text: str, length: int) -> Counter[tuple[str, ...]]:
    words = re.findall(r"\w+|[^\w\s]", text)
    return Counter(tuple(words[place : place + length]) for place in range(len(words) - length + 1))


def _edits(one: Sequence[str], other: Sequence[str]) -> int:
    """Levenshtein distance."""
    row = list(range(len(other) + 1))
    for place, item in enumerate(one, 1):
        before, row[0] = row[0], place
        for column, theirs in enumerate(other, 1):
            before, row[column] = row[column], min(row[column] + 1, row[column - 1] + 1, before + (item != theirs))
    return row[-1]


def _name(layer: str) -> str:
    found = re.search(r"[A-Za-z_]\w*", layer)
    return found.group() if found else layer


def _plain(value: str) -> str:
    return re.sub(r"[\W_]+", " ", value.casefold()).strip()
