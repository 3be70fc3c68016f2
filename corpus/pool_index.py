"""The BM25 index of a pool: over plans, and over descriptions; kept on disk when the user has samples of their own."""

import hashlib
import json
import logging
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from dlcodegen.corpus.index import Bm25Index, IndexFileError
from dlcodegen.corpus.locking import alone
from dlcodegen.corpus.own import OwnCorpus
from dlcodegen.corpus.sample import Sample
from dlcodegen.corpus.store import cache_folder, fingerprint
from dlcodegen.corpus.texts import description, plan_text, tokens

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_log = logging.getLogger(__name__)
Documents = Literal["plans", "descriptions"]
_IDS = "ids.json"
_AT_ONCE = 5000
"""Samples that are fetched from the user's corpus together, since all at once might not fit into memory."""


@dataclass(frozen=True)
class PoolIndex:
    """Two indices with the same rows, and whose row is which."""

    ids: list[str]
    plans: Bm25Index
    descriptions: Bm25Index

    @classmethod
    def build(cls, samples: Iterable[Sample]) -> "PoolIndex":
        """The index of these samples."""
        return cls([], Bm25Index.build([]), Bm25Index.build([])).add(samples)

    def add(self, samples: Iterable[Sample]) -> "PoolIndex":
        """A new index with these samples as its last rows."""
        known = list(samples)
        return PoolIndex(
            [*self.ids, *(sample.id for sample in known)],
            self.plans.add([tokens(plan_text(sample.plan)) for sample in known]),
            self.descriptions.add([tokens(description(sample)) for sample in known]),
        )

    def scores(self, over: Documents, query: str, ids: Sequence[str]) -> "NDArray[np.float64]":
        """BM25 of the query with each of these samples, with the word statistics of the whole pool; 0 for strangers."""
        import numpy as np

        rows = np.array([self._rows.get(key, -1) for key in ids], dtype=np.int64)
        found = np.zeros(len(rows))
        index = self.plans if over == "plans" else self.descriptions
        found[rows >= 0] = index.scores(tokens(query), rows[rows >= 0])
        return found

    @cached_property
    def _rows(self) -> dict[str, int]:
        return {key: row for row, key in enumerate(self.ids)}

    def save(self, folder: Path, shipped: str) -> None:
        """Write it, ids last, so that what is cut off is none. `shipped`: fingerprint of the shipped samples in it."""
        folder.mkdir(parents=True, exist_ok=True)
        self.plans.save(folder / "plans")
        self.descriptions.save(folder / "descriptions")
        (folder / _IDS).write_text(json.dumps({"shipped": shipped, "ids": self.ids}), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> tuple["PoolIndex", str]:
        """The index, and the fingerprint of the shipped samples in it. Raises IndexFileError when it is broken."""
        try:
            head = json.loads((folder / _IDS).read_text(encoding="utf-8"))
            ids, shipped = [str(key) for key in head["ids"]], str(head["shipped"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise IndexFileError(f"{folder}: {error}") from error
        index = cls(ids, Bm25Index.load(folder / "plans"), Bm25Index.load(folder / "descriptions"))
        if not len(index.plans) == len(index.descriptions) == len(ids):
            raise IndexFileError(f"{folder}: its parts are of different pools")
        return index, shipped


def opened(shipped: Mapping[str, Sample], own: OwnCorpus, folder: Path | None = None) -> PoolIndex:
    """The index of both together, from disk where it is there; brought up to date where samples came or went.

    Each state of the pool has a folder of its own, so that nobody reads what another is writing. Where nothing can be
    written the index is made for this process alone, and a warning says so.
    """
    folder = folder or cache_folder() / "index"
    own_state = hashlib.sha256(f"{own.place} {own.revision}".encode()).hexdigest()[:16]
    place = folder / f"{fingerprint(shipped)}-{own_state}"
    if (place / _IDS).exists():
        try:
            return _kept(place)
        except IndexFileError as error:
            _log.warning("the index of your corpus was broken and is made anew (%s)", error)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with alone(folder):
            return _renewed(folder, place, shipped, own)
    except OSError as error:
        _log.warning("%s cannot be used (%s): the index of your corpus is made anew at every start", folder, error)
        return _updated(PoolIndex.build([]), shipped, own)


@lru_cache(maxsize=2)
def _kept(place: Path) -> PoolIndex:
    """Opened once in a process: what lies in a folder stays as it is."""
    return PoolIndex.load(place)[0]


def _renewed(folder: Path, place: Path, shipped: Mapping[str, Sample], own: OwnCorpus) -> PoolIndex:
    """The index for `place`, made from that of an earlier state where there is one; earlier states are dropped."""
    base = PoolIndex.build([])
    earlier = [path for path in folder.iterdir() if path.is_dir()]
    for path in earlier:
        try:
            found, of = PoolIndex.load(path)
        except IndexFileError:
            _log.info("%s is left over from an interrupted run", path)
            continue
        if of == fingerprint(shipped) and len(found.ids) > len(base.ids):
            base = found
    index = _updated(base, shipped, own)
    for path in earlier:
        shutil.rmtree(path)
    index.save(place, fingerprint(shipped))
    return index


def _updated(base: PoolIndex, shipped: Mapping[str, Sample], own: OwnCorpus) -> PoolIndex:
    """The base with what came since, or a new index when something went."""
    current = [*shipped, *own.ids()]
    gone = set(base.ids) - set(current)
    index = PoolIndex.build([]) if gone else base
    known = set(index.ids)
    missing = [key for key in current if key not in known]
    index = index.add(shipped[key] for key in missing if key in shipped)
    others = [key for key in missing if key not in shipped]
    for start in range(0, len(others), _AT_ONCE):
        index = index.add(own.samples(others[start : start + _AT_ONCE]).values())
    return index
