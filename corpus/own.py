"""The user's own corpus: code that was added by hand, in a Chroma collection apart from the shipped pool.

The collection lies in the user's data folder, or on a Chroma server that several people share. It holds the code as the
document, and everything else (plan, licence, source, sketch for near-duplicates) as metadata, which can be filtered.
"""

import json
import os
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import platformdirs

from dlcodegen.corpus.locking import alone
from dlcodegen.corpus.sample import Sample
from dlcodegen.errors import DLCodeGenError, SettingsError
from dlcodegen.plan import SolutionPlan

if TYPE_CHECKING:
    from chromadb import Collection, Where
    from chromadb.api import ClientAPI

_COLLECTION = "dlcodegen-own-samples"
_PLACE = [1.0]
"""The vector of every sample: they are found by metadata and ranked by BM25, no embedding model is needed."""


def data_folder() -> Path:
    """Where the user's corpus is kept; the variable DLCODEGEN_DATA moves it."""
    return Path(os.environ.get("DLCODEGEN_DATA") or platformdirs.user_data_path("dlcodegen"))


class OwnCorpus:
    """The user's samples. Nothing is read, and no server is asked, before it is needed."""

    def __init__(self, folder: Path | None = None, server: str | None = None) -> None:
        """Raises SettingsError when `server` (else the variable DLCODEGEN_CHROMA) is no address."""
        self.folder = folder or data_folder() / "corpus"
        self.server = os.environ.get("DLCODEGEN_CHROMA", "") if server is None else server
        if self.server and not (urlsplit(self.server).scheme in ("http", "https") and urlsplit(self.server).hostname):
            raise SettingsError(f"DLCODEGEN_CHROMA is an address such as http://localhost:8000, not {self.server!r}")

    @property
    def place(self) -> str:
        """Where it is, for people; without what may be secret in an address."""
        if not self.server:
            return str(self.folder)
        parts = urlsplit(self.server)
        return f"{parts.scheme}://{parts.hostname}" + (f":{parts.port}" if parts.port else "")

    @property
    def is_empty(self) -> bool:
        """Whether nothing was ever added: then nothing has to be opened. A server is always asked."""
        return not self.server and not (self.folder / "chroma.sqlite3").exists()

    @property
    def revision(self) -> str:
        """Changes whenever a sample is added or removed."""
        return "" if self.is_empty else str((self._fresh().metadata or {}).get("revision", ""))

    def __len__(self) -> int:
        with self._asking():
            return 0 if self.is_empty else self._collection.count()

    def ids(self, **wanted: str | bool) -> list[str]:
        """Ids of the samples with these values (`category`, `framework`, `fingerprint`, `by_contract`), sorted."""
        if self.is_empty:
            return []
        with self._asking():
            return sorted(self._collection.get(where=_where(wanted), include=[])["ids"])

    def facts(self, **wanted: str | bool) -> dict[str, dict[str, Any]]:
        """Metadata of the samples with these values by id, the code left out."""
        if self.is_empty:
            return {}
        with self._asking():
            found = self._collection.get(where=_where(wanted), include=["metadatas"])
        return {key: dict(facts) for key, facts in zip(found["ids"], found["metadatas"] or [], strict=True)}

    def samples(self, ids: Iterable[str]) -> dict[str, Sample]:
        """The samples of these ids; those that are gone are left out."""
        wanted = list(ids)
        if not wanted or self.is_empty:
            return {}
        with self._asking():
            found = self._collection.get(ids=wanted, include=["metadatas", "documents"])
        rows = zip(found["ids"], found["documents"] or [], found["metadatas"] or [], strict=True)
        return {key: _sample(key, code, facts) for key, code, facts in rows}

    def add(self, sample: Sample, **facts: str | bool) -> None:
        """Store one sample, with more facts about it; one of the same id is replaced."""
        with self._writing():
            self._collection.upsert(
                ids=[sample.id],
                embeddings=[_PLACE],
                documents=[sample.code],
                metadatas=[
                    {
                        "category": sample.category,
                        "framework": sample.framework,
                        "by_contract": sample.by_contract,
                        "title": sample.title,
                        "licence": sample.licence,
                        "source": sample.source,
                        "plan": json.dumps(sample.plan.to_paper()),
                        **facts,
                    }
                ],
            )

    def remove(self, ids: Iterable[str]) -> None:
        """Take these samples out; unknown ids are no error."""
        if wanted := list(ids):
            with self._writing():
                self._collection.delete(ids=wanted)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """One writer at a time in a folder, and a new revision afterwards."""
        if not self.server:
            _make(self.folder)
        with nullcontext() if self.server else alone(self.folder), self._asking():
            yield
            self._collection.modify(metadata={"revision": uuid.uuid4().hex})

    @contextmanager
    def _asking(self) -> Iterator[None]:
        """What Chroma raises, as one line that says what to do."""
        from chromadb.errors import ChromaError

        try:
            yield
        except DLCodeGenError:
            raise
        except (ChromaError, OSError, ValueError) as error:
            raise self._failure(error) from error

    def _failure(self, error: Exception) -> DLCodeGenError:
        reason = " ".join(str(error).split())[:200]
        if self.server:
            return SettingsError(
                f"the Chroma server at {self.place} does not answer ({reason}): start it, or unset DLCODEGEN_CHROMA"
            )
        return DLCodeGenError(
            f"your corpus in {self.folder} cannot be used ({reason}): move the folder away to start anew"
        )

    @cached_property
    def _client(self) -> "ClientAPI":
        import chromadb
        from chromadb.config import Settings

        if self.server:
            return _connected(self.server, os.environ.get("DLCODEGEN_CHROMA_TOKEN", ""))
        return chromadb.PersistentClient(str(self.folder), settings=Settings(anonymized_telemetry=False))

    @cached_property
    def _collection(self) -> "Collection":
        return self._fresh()

    def _fresh(self) -> "Collection":
        """The collection with its newest metadata."""
        with self._asking():
            return self._client.get_or_create_collection(_COLLECTION, embedding_function=None)


@lru_cache(maxsize=4)
def _connected(server: str, token: str) -> "ClientAPI":
    """One client for each server, so that a long-lived process does not collect connections."""
    import chromadb
    from chromadb.config import Settings

    parts = urlsplit(server)
    return chromadb.HttpClient(
        host=str(parts.hostname),
        port=parts.port or (443 if parts.scheme == "https" else 80),
        ssl=parts.scheme == "https",
        headers={"X-Chroma-Token": token} if token else None,
        settings=Settings(anonymized_telemetry=False),
    )


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(
            f"{folder} cannot be written ({error.strerror}): set DLCODEGEN_DATA to a folder of yours"
        ) from error


def _where(wanted: Mapping[str, str | bool]) -> "Where | None":
    """Chroma takes one condition bare, several only joined."""
    conditions: list[Where] = [{name: value} for name, value in wanted.items()]
    return {"$and": conditions} if len(conditions) > 1 else next(iter(conditions), None)


def _sample(key: str, code: str, facts: Mapping[str, Any]) -> Sample:
    return Sample(
        id=key,
        code=code,
        plan=SolutionPlan.from_paper(json.loads(str(facts["plan"]))),
        licence=str(facts["licence"]),
        source=str(facts["source"]),
        by_contract=bool(facts["by_contract"]),
    )
