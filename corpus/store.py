"""The pool in a Chroma collection: embedded, persistent, in the user's cache folder; it answers the category filter.

Samples are found by metadata and ranked by BM25 (`dlcodegen.corpus.retrieval`), so the collection holds a constant
vector for each: no embedding model is needed, none is downloaded.
"""

import hashlib
import logging
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

from dlcodegen.corpus.locking import alone
from dlcodegen.corpus.sample import Sample, all_samples

if TYPE_CHECKING:
    from chromadb import Collection, Where
    from chromadb.api import ClientAPI

_BATCH = 500
_log = logging.getLogger(__name__)


def cache_folder() -> Path:
    """Where indexes are kept; the variable DLCODEGEN_CACHE moves it. Everything in it can be made anew."""
    return Path(os.environ.get("DLCODEGEN_CACHE") or platformdirs.user_cache_path("dlcodegen"))


class SampleStore:
    """The collection of a pool of samples. Filling it costs about a second, once for each state of the pool.

    A folder that holds something broken is emptied and filled anew; where it cannot be written, the collection is kept
    in memory, for this process. Both are said in a warning.
    """

    def __init__(self, samples: dict[str, Sample] | None = None, folder: Path | None = None) -> None:
        self.samples = all_samples() if samples is None else samples
        self.folder = folder or cache_folder() / "corpus"
        self._collection = self._open()

    def ids(self, category: str, framework: str) -> list[str]:
        """Ids of the samples of this category and framework, sorted; empty where the pool has none."""
        from chromadb.errors import NotFoundError

        where: Where = {"$and": [{"category": category}, {"framework": framework}]}
        try:
            found = self._collection.get(where=where, include=[])
        except NotFoundError:  # another process has opened another state of the pool, and dropped this one
            self._collection = self._open()
            found = self._collection.get(where=where, include=[])
        return sorted(found["ids"])

    def _open(self) -> "Collection":
        """The collection of exactly this pool, filled when new."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with alone(self.folder):
                return self._on_disk()
        except OSError as error:
            _log.warning("%s cannot be used (%s): the sample index is made anew at every start", self.folder, error)
            return self._in_memory()

    def _on_disk(self) -> "Collection":
        """What is broken is what this program, or another of its version, can make anew: it is deleted."""
        try:
            return self._filled(self._client())
        except PermissionError:
            raise
        except Exception as error:  # Chroma passes on whatever its parts raise
            if not os.access(self.folder, os.W_OK):
                raise PermissionError(f"read-only: {error}") from error
            _log.warning("the sample index in %s was broken and is made anew (%s)", self.folder, _line(error))
            self._forget()
            return self._filled(self._client())

    def _client(self) -> "ClientAPI":
        import chromadb
        from chromadb.config import Settings

        self.client = chromadb.PersistentClient(str(self.folder), settings=Settings(anonymized_telemetry=False))
        return self.client

    def _in_memory(self) -> "Collection":
        import chromadb
        from chromadb.config import Settings

        self.client = chromadb.EphemeralClient(settings=Settings(anonymized_telemetry=False))
        return self._filled(self.client)

    def _forget(self) -> None:
        """Empty the folder; the lock in it, which is held, stays."""
        from chromadb.api.shared_system_client import SharedSystemClient

        SharedSystemClient.clear_system_cache()
        for path in self.folder.iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            elif path.name != "opening.lock":
                path.unlink()

    def _filled(self, client: "ClientAPI") -> "Collection":
        """The collection of this state of the pool; those of earlier states are dropped."""
        name = f"samples-{fingerprint(self.samples)}"
        collection = client.get_or_create_collection(name, embedding_function=None)
        if collection.count() != len(self.samples):
            self._fill(collection)
            for other in client.list_collections():
                if other.name.startswith("samples-") and other.name != name:
                    client.delete_collection(other.name)
        return collection

    def _fill(self, collection: "Collection") -> None:
        samples = list(self.samples.values())
        for start in range(0, len(samples), _BATCH):
            part = samples[start : start + _BATCH]
            constant: list[Sequence[float] | Sequence[int]] = [[1.0] for _ in part]
            collection.upsert(
                ids=[sample.id for sample in part],
                embeddings=constant,
                metadatas=[{"category": sample.category, "framework": sample.framework} for sample in part],
                documents=[sample.title for sample in part],
            )


def fingerprint(samples: Mapping[str, Sample]) -> str:
    """Changes with any sample's code or plan."""
    digest = hashlib.sha256()
    for sample in samples.values():
        digest.update(f"{sample.id}\n{sample.code}\n{sample.plan.model_dump_json()}\n".encode())
    return digest.hexdigest()[:16]


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
