"""Rows told about other things: a word that the plan takes over from the request becomes another word in both.

A few thousand rows are learnt by heart before they are understood: the network then says "images of leaves" because
the row is the one about plants. Where the leaves of one epoch are the invoices of the next, it has to copy instead.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from random import Random

from dlcodegen.planner.gpt2.rows import PlanRow

_TEXTS = ("input", "output", "preprocess")
_WORD = re.compile(r"[^\W\d_]{4,}")
_NUMBER = re.compile(r"\b\d{2,5}\b")
_COMMON = 0.02
"""A word in a larger share of the requests is the field's own ("images", "predict"), and keeps its place."""
_CHANGED = 0.5
"""Share of the words of a row that are exchanged."""


class Renaming:
    """Exchanges rare words and numbers that a row's request and the texts of its plan have in common."""

    def __init__(self, rows: Sequence[PlanRow], share: float) -> None:
        """`share`: of the rows that are changed when they are asked for, from 0 to 1."""
        self._share = share
        seen = Counter(word for row in rows for word in set(_words(_request(row))))
        most = max(2, int(_COMMON * len(rows)))
        self._common = {word for word, times in seen.items() if times > most}
        self._others = sorted(word for word, times in seen.items() if 2 <= times <= most)

    def __call__(self, row: PlanRow, random: Random) -> PlanRow:
        """The row, or the same row about something else; layers and closed fields stay."""
        if not self._share or random.random() >= self._share:
            return row
        names = self._names(row, random)
        if not names:
            return row
        spelt = re.compile(rf"\b(?:{'|'.join(map(re.escape, names))})\b", re.IGNORECASE)

        def renamed(text: str) -> str:
            return spelt.sub(lambda match: _cased(names[match.group().lower()], match.group()), text)

        texts = {name: renamed(row.values[name]) for name in _TEXTS if name in row.values}
        return replace(
            row,
            requirement=renamed(row.requirement),
            dataset=renamed(row.dataset),
            values={**row.values, **texts},
        )

    def _names(self, row: PlanRow, random: Random) -> dict[str, str]:
        """What is exchanged -> what stands there instead."""
        request, written = _request(row), " ".join(row.values.get(name, "") for name in _TEXTS)
        words = sorted((set(_words(request)) & set(_words(written))) - self._common)
        numbers = sorted(set(_NUMBER.findall(request)) & set(_NUMBER.findall(written)))
        names = {word: random.choice(self._others) for word in words if self._others and random.random() < _CHANGED}
        return names | {
            number: str(random.randint(10 ** (len(number) - 1), 10 ** len(number) - 1))
            for number in numbers
            if random.random() < _CHANGED
        }


def _request(row: PlanRow) -> str:
    return f"{row.requirement} {row.dataset}"


def _words(text: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(text)]


def _cased(word: str, like: str) -> str:
    return word.capitalize() if like[0].isupper() else word
