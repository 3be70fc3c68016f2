"""A request as a sparse vector: its words, pairs of words and groups of letters, hashed."""

import re
import zlib
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

BUCKETS = 1 << 16
_LONGEST = 200
"""Words that are read of a text."""
_LETTERS = (3, 4, 5)
"""Lengths of the groups of letters: they see through slips and endings."""
_PART = 0.5
"""What a group of letters counts beside a word, and a word of the description of the data beside one of the wish."""
_DAMPING = 0.7
"""Between a sum (0) and a unit vector (1): long texts weigh more, but not by their length."""


class Features(NamedTuple):
    """The buckets that are not empty, and how much is in each."""

    buckets: list[int]
    values: list[float]


def features(requirement: str, dataset: str = "") -> Features:
    """Of both texts; empty when neither has a word."""
    filled: Counter[int] = Counter()
    for text, say in ((requirement, 1.0), (dataset, _PART)):
        for feature, weight in _found(text):
            filled[zlib.crc32(feature.encode()) % BUCKETS] += say * weight  # type: ignore[assignment]
    length = sum(value * value for value in filled.values()) ** (_DAMPING / 2)
    return Features(list(filled), [value / length for value in filled.values()])


def _found(text: str) -> Iterator[tuple[str, float]]:
    words = re.findall(r"[a-z0-9à-ÿ]+|[^\x00-\x7f]", text.lower())[:_LONGEST]
    for word in words:
        yield f"w{word}", 1.0
        padded = f"<{word[:60]}>"
        for size in _LETTERS:
            for start in range(len(padded) - size + 1):
                yield f"c{padded[start : start + size]}", _PART
    for one, other in pairwise(words):
        yield f"b{one} {other}", 1.0
