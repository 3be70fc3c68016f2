"""Everything that can be retrieved: the shipped samples, and the user's own."""

from collections.abc import Iterable, Mapping
from functools import cached_property, lru_cache
from pathlib import Path
from typing import NamedTuple

from dlcodegen.corpus.own import OwnCorpus
from dlcodegen.corpus.pool_index import PoolIndex, opened
from dlcodegen.corpus.sample import Sample, all_samples
from dlcodegen.corpus.store import SampleStore, cache_folder, fingerprint

_MOST_STORES = 4
_STORES: dict[tuple[Path, str], SampleStore] = {}


class Usable(NamedTuple):
    """Which samples a run can work on."""

    framework: str
    only_by_contract: bool
    """Only those that keep the project contract, as all shipped ones do: the syntax writer can read no others."""


class Pool:
    """The shipped samples, and those of the user's corpus where one is given."""

    def __init__(self, shipped: Mapping[str, Sample] | None = None, own: OwnCorpus | None = None) -> None:
        self.shipped = dict(all_samples() if shipped is None else shipped)
        self.own = own

    def ids(self, category: str, usable: Usable) -> list[str]:
        """Ids of the samples of this category that a run can use, sorted: a metadata query to Chroma."""
        ids = self._store.ids(category, usable.framework)
        if self.own is not None:
            wanted: dict[str, str | bool] = {"category": category, "framework": usable.framework}
            ids += self.own.ids(**wanted, **({"by_contract": True} if usable.only_by_contract else {}))
        return sorted(ids)

    def samples(self, ids: Iterable[str]) -> list[Sample]:
        """The samples of these ids, in their order; those that are gone meanwhile are left out."""
        wanted = list(ids)
        others = [key for key in wanted if key not in self.shipped]
        known = self.shipped | (self.own.samples(others) if self.own is not None and others else {})
        return [known[key] for key in wanted if key in known]

    @cached_property
    def index(self) -> PoolIndex:
        """The BM25 index over all of it."""
        if self.own is None or self.own.is_empty:
            return PoolIndex.build(self.shipped.values())
        return opened(self.shipped, self.own)

    @cached_property
    def _store(self) -> SampleStore:
        """Opened once in a process for each folder and state of the samples."""
        key = (cache_folder() / "corpus", fingerprint(self.shipped))
        if key not in _STORES:
            if len(_STORES) >= _MOST_STORES:
                _STORES.clear()
            _STORES[key] = SampleStore(self.shipped, key[0])
        return _STORES[key]


def open_pool() -> Pool:
    """The shipped samples with the user's corpus. Nothing is opened before it is asked for."""
    return Pool(own=OwnCorpus())


@lru_cache(maxsize=1)
def shipped_pool() -> Pool:
    """The shipped samples alone."""
    return Pool()
