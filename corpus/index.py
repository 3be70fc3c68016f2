"""A BM25 index that is built once, kept in one file, memory-mapped, and extended by a sample without reading the rest.

Its scores are those of `rank_bm25.BM25Okapi`, to the last bit: the same operations in the same order, only that they are
done for the documents that hold a word instead of for all. It stores how often each word occurs in each document;
what depends on the whole pool (a word's weight, a document's relative length) is computed when it is opened. That is why
one more sample costs a copy of the file, not a new reading of all texts.
"""

import itertools
import json
import math
import os
import tempfile
import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from dlcodegen.errors import DLCodeGenError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# The constants of BM25Okapi: saturation of a word's count, weight of a document's length, and the share of the mean
# weight that a word gets which more than half of the documents hold.
_SATURATION, _LENGTH, _FLOOR = 1.5, 0.75, 0.25

_FILE = "bm25.index"
_FORMAT = "dlcodegen-bm25-1"
_HEAD_BYTES = 1024
"""Room for the head: one line of JSON with each array's type, length and place, and the checksum of all that follows."""


class IndexFileError(DLCodeGenError):
    """The file is missing, cut off, corrupt or of another version: build the index anew."""


@dataclass(frozen=True)
class Bm25Index:
    """Documents by row, in the order in which they were given.

    `rows` and `counts` hold, word by word, the documents with the word (ascending) and how often it occurs there; those of
    word number w are `starts[w]:starts[w + 1]`. Words are numbered by their first occurrence.
    """

    words: dict[str, int]
    starts: "NDArray[np.int64]"
    rows: "NDArray[np.int32]"
    counts: "NDArray[np.unsignedinteger[Any]]"
    lengths: "NDArray[np.int64]"

    _ARRAYS: ClassVar = ("starts", "rows", "counts", "lengths")

    def __len__(self) -> int:
        return len(self.lengths)

    @classmethod
    def build(cls, documents: Iterable[Sequence[str]]) -> "Bm25Index":
        """The index of these documents, each a sequence of words."""
        import numpy as np

        nothing = cls({}, np.zeros(1, np.int64), np.zeros(0, np.int32), np.zeros(0, np.uint8), np.zeros(0, np.int64))
        return nothing.add(documents)

    def add(self, documents: Iterable[Sequence[str]]) -> "Bm25Index":
        """A new index with these documents as its last rows; the scores are those of one that was built whole."""
        import numpy as np

        words = dict(self.words)
        numbers: list[int] = []
        counts: list[int] = []
        distinct: list[int] = []
        lengths: list[int] = []
        for document in documents:
            counted = Counter(document)
            numbers.extend(words.setdefault(word, len(words)) for word in counted)
            counts.extend(counted.values())
            distinct.append(len(counted))
            lengths.append(len(document))
        word = np.array(numbers, np.int64)
        order = np.argsort(word, kind="stable")
        ends = np.concatenate([self.starts[1:], np.full(len(words) - len(self.words), len(self.rows))])
        places = ends[word[order]]
        row = np.repeat(np.arange(len(self), len(self) + len(lengths), dtype=np.int32), distinct)[order]
        count = np.array(counts, np.int64)[order]
        smallest = np.promote_types(self.counts.dtype, np.min_scalar_type(max(counts, default=0)))
        sizes = np.concatenate([np.diff(self.starts), np.zeros(len(words) - len(self.words), np.int64)])
        return Bm25Index(
            words=words,
            starts=np.concatenate([[0], np.cumsum(sizes + np.bincount(word, minlength=len(words)))]),
            rows=np.insert(self.rows, places, row),
            counts=np.insert(self.counts.astype(smallest), places, count),
            lengths=np.concatenate([self.lengths, np.array(lengths, np.int64)]),
        )

    def scores(self, query: Sequence[str], rows: "NDArray[np.integer[Any]] | None" = None) -> "NDArray[np.float64]":
        """BM25 of every document, or of these rows, in their order. A word counts as often as the query has it.

        Only the stretch from the first to the last of the rows is computed: keep together what is asked for together.
        """
        import numpy as np

        if rows is None:
            return self._stretch(query, 0, len(self))
        if len(rows) == 0:
            return np.zeros(0)
        first = int(rows.min())
        return self._stretch(query, first, int(rows.max()) + 1)[rows - first]

    def _stretch(self, query: Sequence[str], first: int, end: int) -> "NDArray[np.float64]":
        """Scores of the rows from `first` to before `end`."""
        import numpy as np

        total = np.zeros(end - first)
        known = {
            word: self._impacts(self.words[word], first, end) for word in dict.fromkeys(query) if word in self.words
        }
        for word in query:
            if word in known:
                where, impacts = known[word]
                total[where] += impacts
        return total

    def _impacts(self, word: int, first: int, end: int) -> "tuple[slice | NDArray[np.int32], NDArray[np.float64]]":
        """Which rows of a stretch hold the word, counted from its first, and what it adds to their scores."""
        rows = self.rows[self.starts[word] : self.starts[word + 1]]
        low, high = rows.searchsorted([first, end])
        counts = self.counts[self.starts[word] + low : self.starts[word] + high]
        # A word that every document of the stretch holds needs no look-up; the keys of a plan's JSON are such words.
        where = slice(None) if high - low == end - first else rows[low:high] - first
        relative = self._relative_lengths[first:end][where]
        return where, self._weights[word] * (counts * (_SATURATION + 1) / (counts + relative))

    @cached_property
    def _relative_lengths(self) -> "NDArray[np.float64]":
        """For each document what BM25 adds to a word's count below the line."""
        mean = int(self.lengths.sum()) / max(1, len(self))
        relative: NDArray[np.float64] = _SATURATION * (1 - _LENGTH + _LENGTH * self.lengths / (mean or 1))
        return relative

    @cached_property
    def _weights(self) -> "NDArray[np.float64]":
        """Inverse document frequency of each word; a word of more than half the documents gets the floor instead."""
        import numpy as np

        documents, places = np.unique(np.diff(self.starts), return_inverse=True)
        logarithms = [math.log(len(self) - count + 0.5) - math.log(count + 0.5) for count in documents.tolist()]
        weights = np.array(logarithms)[places]
        # Added up one by one: a pairwise sum would differ from the original in the last bits.
        mean = float(np.add.accumulate(weights)[-1]) / len(weights) if len(weights) else 0.0
        return np.where(weights < 0, _FLOOR * mean, weights)
