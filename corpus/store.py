"""The pool in a Chroma collection: embedded, persistent, in the user's cache folder; it answers the category filter.

Samples are found by metadata and ranked by BM25 (`dlcodegen.corpus.retrieval`), so the collection holds a constant
vector for each: no embedding model is needed, none is downloaded.
"""

import hashlib
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

from dlcodegen.corpus.sample import Sample, all_samples

if TYPE_CHECKING:
    from chromadb import Collection, Where


def cache_folder() -> Path:
    """Where the index is kept; the variable DLCODEGEN_CACHE moves it."""
    return Path(os.environ.get("DLCODEGEN_CACHE") or platformdirs.user_cache_path("dlcodegen"))


class SampleStore:
    """The collection of a pool of samples. Filling it costs about a second, once for each state of the pool."""

    def __init__(self, samples: dict[str, Sample] | None = None, folder: Path | None = None) -> None:
        self.samples = all_samples() if samples is None else samples
        self.folder = folder or cache_folder() / "corpus"
        self.folder.mkdir(parents=True, exist_ok=True)
        with _alone(self.folder):
            self._collection = self._open()

    def ids(self, category: str, framework: str) -> list[str]:
        """Ids of the samples of this category and framework, sorted; empty where the pool has none."""
        where: Where = {"$and": [{"category": category}, {"framework": framework}]}
        found = self._collection.get(where=where, include=[])
        return sorted(found["ids"])

    def _open(self) -> "Collection":
        """The collection of exactly this pool, filled when new; collections of earlier states of it are dropped."""
        import chromadb
        from chromadb.config import Settings

        self.client = chromadb.PersistentClient(str(self.folder), settings=Settings(anonymized_telemetry=False))
        name = f"samples-{_fingerprint(self.samples)}"
        collection = self.client.get_or_create_collection(name, embedding_function=None)
        if collection.count() != len(self.samples):
            self._fill(collection)
            for other in self.client.list_collections():
                if other.name.startswith("samples-") and other.name != name:
                    self.client.delete_collection(other.name)
        return collection

    def _fill(self, collection: "Collection") -> None:
        samples = list(self.samples.values())
        constant: list[Sequence[float] | Sequence[int]] = [[1.0] for _ in samples]
        collection.upsert(
            ids=[sample.id for sample in samples],
            embeddings=constant,
            metadatas=[{"category": sample.category, "framework": sample.framework} for sample in samples],
            documents=[sample.title for sample in samples],
        )


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One process at a time: Chroma cannot create its tables twice at once.

    SQLite's own lock serves, on every system, and it is freed when a process dies.
    """
    lock = sqlite3.connect(folder / "opening.lock", timeout=120, isolation_level=None)
    try:
        lock.execute("BEGIN EXCLUSIVE")
        yield
    finally:
        lock.close()


def _fingerprint(samples: dict[str, Sample]) -> str:
    """Changes with any sample's code or plan."""
    digest = hashlib.sha256()
    for sample in samples.values():
        digest.update(f"{sample.id}\n{sample.code}\n{sample.plan.model_dump_json()}\n".encode())
    return digest.hexdigest()[:16]
