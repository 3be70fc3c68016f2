"""The training rows as the predictor's memory: what the plans of the nearest requirements say."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from dlcodegen.corpus.index import Bm25Index
from dlcodegen.corpus.texts import tokens
from dlcodegen.errors import InputError
from dlcodegen.planner.gpt2.rows import PlanRow

if TYPE_CHECKING:
    import numpy as np

FILE = "memory.jsonl"

_SHARPNESS = 3.0
"""A neighbour with two thirds of the best one's score weighs e times less than it."""


@dataclass(frozen=True)
class Neighbour:
    """A training row, and how much its word counts; the weights of all neighbours sum to 1."""

    row: PlanRow
    weight: float


def weighed(rows: Sequence[PlanRow], places: "np.ndarray", weights: "np.ndarray") -> list[Neighbour]:
    """The rows at these places, with weights that are made to sum to 1."""
    shares = weights / weights.sum()
    return [Neighbour(rows[place], float(share)) for place, share in zip(places, shares, strict=True)]


class Remembering(Protocol):
    """Whoever knows rows that are near a request."""

    def nearest(self, requirement: str, dataset: str, limit: int) -> list[Neighbour]:
        """Rows with their say; `limit`: how many may be near by their words."""


class Memory:
    """BM25 over the words and pairs of words of requirement and dataset."""

    def __init__(self, rows: Sequence[PlanRow]) -> None:
        self.rows = list(rows)

    def nearest(self, requirement: str, dataset: str, limit: int) -> list[Neighbour]:
        """The nearest rows, best first; fewer than `limit` when fewer share a word with the request."""
        import numpy as np

        words = list(dict.fromkeys(_terms(requirement, dataset)))
        scores = self._index.scores(words)
        best = np.argsort(-scores, kind="stable")[:limit]
        best = best[scores[best] > 0]
        return weighed(self.rows, best, np.exp(_SHARPNESS * scores[best] / scores[best[:1]]))

    def save(self, folder: Path) -> None:
        """One row a line."""
        lines = [json.dumps(asdict(row), ensure_ascii=False) for row in self.rows]
        (folder / FILE).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> "Memory | None":
        """The memory that belongs to the weights in `folder`; None where they were trained without one.

        Raises InputError when it is damaged.
        """
        path = folder / FILE
        if not path.exists():
            return None
        try:
            rows = [PlanRow(**json.loads(line)) for line in path.read_text(encoding="utf-8").split("\n") if line]
            if not rows:
                raise ValueError("it is empty")
            return cls(rows)
        except (OSError, ValueError, TypeError) as error:
            raise InputError(f"{path} is damaged: delete it to predict without a memory") from error

    @cached_property
    def _index(self) -> Bm25Index:
        return Bm25Index.build(_terms(row.requirement, row.dataset) for row in self.rows)


def _terms(requirement: str, dataset: str) -> list[str]:
    words = tokens(f"{requirement} {dataset}")
    return words + [f"{one} {other}" for one, other in pairwise(words)]
