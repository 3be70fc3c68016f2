"""A BM25 index that is built once, kept in one memory-mapped file, and extended without reading the old texts again.

Its scores are those of `rank_bm25.BM25Okapi` to the last bit: the same operations in the same order, but only for the
documents that hold a word. The file stores how often each word occurs in each document; what depends on the whole pool
(a word's weight, a document's relative length) is computed when the index is opened. So a sample that is added costs a
copy of the file, not a new reading of all texts.
"""

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
from typing import TYPE_CHECKING, Any, BinaryIO

from dlcodegen.errors import DLCodeGenError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# The constants of BM25Okapi: how soon a word's count saturates, how much a document's length matters, and the share of
# the mean weight that a word gets which more than half of the documents hold.
_SATURATION, _LENGTH, _FLOOR = 1.5, 0.75, 0.25

_FAR, _STRETCHES = 1000, 16
"""Rows further apart than this, and than this part of the pool, are computed apart: so at most so many stretches."""

_FILE = "bm25.index"
_FORMAT = "dlcodegen-bm25-1"
_ARRAYS = ("starts", "lengths", "rows", "counts")
"""In the file's order: the widest numbers first, so that all are aligned."""
_HEAD_BYTES = 1024
"""The checksum of all that follows it, then one line of JSON: each array's type and length; padded with spaces."""
_CHECKSUM_BYTES = 8


class IndexFileError(DLCodeGenError):
    """The index is missing, cut off, corrupt or of another version: build it anew."""


@dataclass(frozen=True, eq=False)
class Bm25Index:
    """Documents by row, in the order in which they were given.

    `rows` and `counts` hold, word by word, the documents with the word (ascending) and how often it occurs in each;
    those of word number w lie at `starts[w]:starts[w + 1]`. Words are numbered by their first occurrence. `lengths`:
    words in each document.
    """

    words: dict[str, int]
    starts: "NDArray[np.int64]"
    lengths: "NDArray[np.int64]"
    rows: "NDArray[np.int32]"
    counts: "NDArray[np.unsignedinteger[Any]]"

    def __len__(self) -> int:
        return len(self.lengths)

    @classmethod
    def build(cls, documents: Iterable[Sequence[str]]) -> "Bm25Index":
        """The index of these documents, each a sequence of words."""
        import numpy as np

        none = np.zeros(0, np.int64)
        return cls({}, np.zeros(1, np.int64), none, none.astype(np.int32), none.astype(np.uint8)).add(documents)

    def add(self, documents: Iterable[Sequence[str]]) -> "Bm25Index":
        """A new index with these documents as its last rows: the same as one that is built of all."""
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
        new_words = len(words) - len(self.words)
        word = np.array(numbers, np.int64)
        by_word = np.argsort(word, kind="stable")
        row = np.repeat(np.arange(len(self), len(self) + len(lengths), dtype=np.int32), distinct)
        # New rows are the highest: a word's new documents belong behind its old ones.
        places = np.append(self.starts[1:], np.full(new_words, len(self.rows)))[word[by_word]]
        holding = np.append(np.diff(self.starts), np.zeros(new_words, np.int64)) + np.bincount(
            word, minlength=len(words)
        )
        smallest = np.promote_types(self.counts.dtype, np.min_scalar_type(max(counts, default=0)))
        return Bm25Index(
            words=words,
            starts=np.append([0], np.cumsum(holding)),
            lengths=np.append(self.lengths, np.array(lengths, np.int64)),
            rows=np.insert(self.rows, places, row[by_word]),
            counts=np.insert(self.counts.astype(smallest), places, np.array(counts, np.int64)[by_word]),
        )

    def scores(self, query: Sequence[str], rows: "NDArray[np.integer[Any]] | None" = None) -> "NDArray[np.float64]":
        """BM25 of every document, or of these rows, in their order. A word counts as often as the query has it.

        Whole stretches are computed, from the first row to the last that is not far from it: rows that are asked for
        together should lie together. Raises IndexError for a row that is none.
        """
        import numpy as np

        if rows is None:
            return self._stretch(query, 0, len(self))
        if len(rows) == 0:
            return np.zeros(0)
        ordered = np.unique(rows)
        if ordered[0] < 0 or ordered[-1] >= len(self):
            raise IndexError(f"rows are 0 to {len(self) - 1}, not {ordered[0]} to {ordered[-1]}")
        gaps = np.flatnonzero(np.diff(ordered) > max(_FAR, len(self) // _STRETCHES)) + 1
        total = np.zeros(len(self))
        for stretch in np.split(ordered, gaps):
            first, end = int(stretch[0]), int(stretch[-1]) + 1
            total[first:end] = self._stretch(query, first, end)
        found: NDArray[np.float64] = total[rows]
        return found

    def _stretch(self, query: Sequence[str], first: int, end: int) -> "NDArray[np.float64]":
        """Scores of the rows from `first` to before `end`, added up in the query's order, as the original does."""
        import numpy as np

        total = np.zeros(end - first)
        repeated = {word for word, times in Counter(query).items() if times > 1}
        kept: dict[str, tuple[slice | NDArray[np.intp], NDArray[np.float64]]] = {}
        for word in query:
            if word not in self.words:
                continue
            where, impacts = kept[word] if word in kept else self._impacts(self.words[word], first, end)
            if word in repeated:
                kept[word] = where, impacts
            total[where] += impacts
        return total

    def _impacts(self, word: int, first: int, end: int) -> "tuple[slice | NDArray[np.intp], NDArray[np.float64]]":
        """Which rows of a stretch hold the word, counted from its first, and what it adds to their scores."""
        import numpy as np

        start, stop = self.starts[word], self.starts[word + 1]
        low, high = self.rows[start:stop].searchsorted([first, end]) + start
        impacts: NDArray[np.float64] = self.counts[low:high].astype(np.float64)
        relative = self._relative_lengths[first:end]
        # A word that every document of the stretch holds needs no look-up; the keys of a plan's JSON are such words.
        where: slice | NDArray[np.intp] = slice(None)
        if high - low < end - first:
            where = np.subtract(self.rows[low:high], first, dtype=np.intp)
            relative = relative.take(where)
        below = relative + impacts
        impacts *= _SATURATION + 1
        impacts /= below
        impacts *= self._weights[word]
        return where, impacts

    @cached_property
    def _relative_lengths(self) -> "NDArray[np.float64]":
        """For each document what BM25 adds to a word's count below the line."""
        import numpy as np

        mean = int(self.lengths.sum()) / max(1, len(self))
        return np.asarray(_SATURATION * (1 - _LENGTH + _LENGTH * self.lengths / (mean or 1.0)), np.float64)

    @cached_property
    def _weights(self) -> "NDArray[np.float64]":
        """Inverse document frequency of each word; a word of more than half the documents gets the floor instead."""
        import numpy as np

        holding, places = np.unique(np.diff(self.starts), return_inverse=True)
        logarithms = [math.log(len(self) - some + 0.5) - math.log(some + 0.5) for some in holding.tolist()]
        weights = np.array(logarithms, np.float64)[places]
        # Added up one by one: a pairwise sum differs from the original in its last bits.
        mean = float(np.add.accumulate(weights)[-1]) / len(weights) if len(weights) else 0.0
        return np.where(weights < 0, _FLOOR * mean, weights)

    def save(self, folder: Path) -> None:
        """Write the index into `folder`. Whoever opens it meanwhile finds the old file or the new one, both whole."""
        import numpy as np

        arrays = [np.ascontiguousarray(getattr(self, name)) for name in _ARRAYS]
        head = {"format": _FORMAT, "arrays": [[array.dtype.str, len(array)] for array in arrays]}
        parts: list[bytes | memoryview] = [
            json.dumps(head).encode().ljust(_HEAD_BYTES - _CHECKSUM_BYTES),
            *(array.data for array in arrays),
            json.dumps(list(self.words)).encode(),
        ]
        checksum = 0
        for part in parts:
            checksum = zlib.crc32(part, checksum)
        folder.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=folder, prefix=f"{_FILE}-")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(f"{checksum:08x}".encode())
                file.writelines(parts)
            Path(temporary).replace(folder / _FILE)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise

    @classmethod
    def load(cls, folder: Path) -> "Bm25Index":
        """The index in `folder`, memory-mapped. Raises IndexFileError when there is none, or none that is sound."""
        import numpy as np

        path = folder / _FILE
        try:
            with path.open("rb") as file:
                _check(file, path)
                whole = np.memmap(file, np.uint8, "r")
        except OSError as error:
            raise IndexFileError(f"{path} cannot be read: {error}") from error
        head = json.loads(bytes(whole[_CHECKSUM_BYTES:_HEAD_BYTES]))
        arrays = []
        place = _HEAD_BYTES
        for kind, length in head["arrays"]:
            size = np.dtype(kind).itemsize * length
            # A plain array over the mapped file: numpy.memmap's own class makes every slice slower.
            arrays.append(whole[place : place + size].view(np.ndarray).view(kind))
            place += size
        words = json.loads(bytes(whole[place:]))
        return cls({word: number for number, word in enumerate(words)}, *arrays)


def _check(file: BinaryIO, path: Path) -> None:
    """Raises IndexFileError unless the file is of this format and its checksum is right."""
    head = file.read(_HEAD_BYTES)
    if f'"{_FORMAT}"'.encode() not in head:
        raise IndexFileError(f"{path} is no index of this version")
    checksum = zlib.crc32(head[_CHECKSUM_BYTES:])
    while part := file.read(1 << 20):
        checksum = zlib.crc32(part, checksum)
    if f"{checksum:08x}".encode() != head[:_CHECKSUM_BYTES]:
        raise IndexFileError(f"{path} is cut off or corrupt")
