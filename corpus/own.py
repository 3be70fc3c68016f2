"""The user's own corpus: code that was added by hand, in a Chroma collection apart from the shipped pool.

The collection lies in the user's data folder, or on a Chroma server that several people share. Everything of a sample
(code, plan, licence, source, sketch for near-duplicates) is metadata, which can be filtered.
"""

import base64
import json
import logging
import os
import uuid
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import platformdirs

from dlcodegen.corpus.importing.similarity import fingerprint
from dlcodegen.corpus.locking import alone
from dlcodegen.corpus.sample import Sample
from dlcodegen.errors import DLCodeGenError, InputError, SettingsError
from dlcodegen.plan import SolutionPlan

if TYPE_CHECKING:
    from chromadb import Collection, Where
    from chromadb.api import ClientAPI

_log = logging.getLogger(__name__)
_COLLECTION = "dlcodegen-own-samples"
_BATCH = 500
_MOST_SENT = 8_000_000
"""Characters of code in one request: a server refuses what is larger than some 40 MB in its own spelling."""
_ANSWERS: dict[tuple[str, str, tuple[tuple[str, str | bool], ...]], list[str]] = {}
_MOST_ANSWERS = 100
_PLACE: Sequence[float] | Sequence[int] = [1.0]
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
        if self.server and not _is_address(self.server):  # which is not shown: it may hold a password
            raise SettingsError("DLCODEGEN_CHROMA is no address such as http://localhost:8000: mend or unset it")

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
        try:
            return not self.server and not (self.folder / "chroma.sqlite3").exists()
        except PermissionError as error:
            raise SettingsError(f"{self.folder} is closed to you: set DLCODEGEN_DATA to a folder of yours") from error

    @property
    def revision(self) -> str:
        """Changes whenever a sample is added or removed."""
        return "" if self.is_empty else str((self._fresh().metadata or {}).get("revision", ""))

    def __len__(self) -> int:
        with self._asking():
            return 0 if self.is_empty else self._collection.count()

    def ids(self, **wanted: str | bool) -> list[str]:
        """Ids of the samples with these values (`category`, `framework`, `fingerprint`, `by_contract`), sorted.

        An answer is kept until the corpus changes: among 100,000 samples Chroma looks for a fifth of a second.
        """
        if self.is_empty:
            return []
        key = (self.place, self.revision, tuple(sorted(wanted.items())))
        if key not in _ANSWERS:
            with self._asking():
                found = sorted(self._collection.get(where=_where(wanted), include=[])["ids"])
            while len(_ANSWERS) >= _MOST_ANSWERS:
                del _ANSWERS[next(iter(_ANSWERS))]
            _ANSWERS[key] = found
        return list(_ANSWERS[key])

    def outlines(self, **wanted: str | bool) -> list[Sample]:
        """The samples with these values, their code left out."""
        if self.is_empty:
            return []
        with self._asking():
            found = self._collection.get(where=_where(wanted), include=["metadatas"])
        outlines = [{**facts, "code": _packed("")} for facts in found["metadatas"] or []]
        return list(self._read(found["ids"], outlines))

    def samples(self, ids: Iterable[str]) -> dict[str, Sample]:
        """The samples of these ids; those that are gone are left out."""
        wanted = list(ids)
        if not wanted or self.is_empty:
            return {}
        with self._asking():
            found = self._collection.get(ids=wanted, include=["metadatas"])
        return {sample.id: sample for sample in self._read(found["ids"], found["metadatas"] or [])}

    def _read(self, ids: Sequence[str], metadata: Iterable[Mapping[str, Any]]) -> Iterator[Sample]:
        """Others may store something else in a shared collection: it is left out and named, and stops nobody."""
        for key, facts in zip(ids, metadata, strict=True):
            try:
                yield _sample(key, facts)
            except (KeyError, TypeError, ValueError, zlib.error, InputError) as error:
                _log.warning("%s in %s is no sample of this program and is left out (%r)", key, self.place, error)

    def add(self, samples: Sequence[Sample]) -> None:
        """Store samples, all of them in one go; those of the same id are replaced."""
        with self._writing():
            for part in _batches(samples):
                self._collection.upsert(
                    ids=[sample.id for sample in part],
                    embeddings=[_PLACE for _ in part],
                    metadatas=[_facts(sample) for sample in part],
                )

    def remove(self, ids: Iterable[str]) -> None:
        """Take these samples out; unknown ids are no error."""
        if wanted := list(dict.fromkeys(ids)):
            with self._writing():
                self._collection.delete(ids=wanted)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """One writer at a time in a folder, and a new revision afterwards."""
        if not self.server:
            _make(self.folder)
        with self._asking(), nullcontext() if self.server else alone(self.folder):
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
        if "readonly" in reason:
            return SettingsError(f"your corpus in {self.folder} is read-only: set DLCODEGEN_DATA to a folder of yours")
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


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # brackets that do not match, a port that is no number
        return False


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


def _batches(samples: Sequence[Sample]) -> Iterator[list[Sample]]:
    """At most `_BATCH` samples and `_MOST_SENT` characters of code together, but one at the least."""
    part: list[Sample] = []
    for sample in samples:
        if part and (len(part) == _BATCH or sum(len(one.code) for one in part) + len(sample.code) > _MOST_SENT):
            yield part
            part = []
        part.append(sample)
    if part:
        yield part


def _facts(sample: Sample) -> dict[str, str | bool]:
    """A sample as metadata: what it is filtered by, what ranking looks at, and the rest."""
    return {
        "category": sample.category,
        "framework": sample.framework,
        "by_contract": sample.by_contract,
        "fingerprint": fingerprint(sample.code),
        "title": sample.title,
        "licence": sample.licence,
        "source": sample.source,
        "plan": json.dumps(sample.plan.to_paper()),
        "config": json.dumps(sample.config),
        "sketch": json.dumps(sample.sketch),
        "code": _packed(sample.code),
    }


def _sample(key: str, facts: Mapping[str, Any]) -> Sample:
    return Sample(
        id=key,
        code=zlib.decompress(base64.b64decode(facts["code"])).decode(errors="surrogatepass"),
        plan=SolutionPlan.from_paper(json.loads(facts["plan"])),
        licence=facts["licence"],
        source=facts["source"],
        by_contract=facts["by_contract"],
        known={
            "title": facts["title"],
            "framework": facts["framework"],
            "config": json.loads(facts["config"]),
            "sketch": json.loads(facts["sketch"]),
        },
    )


def _packed(code: str) -> str:
    """Chroma indexes every text it stores: code as it is would take ten times the room."""
    return base64.b64encode(zlib.compress(code.encode(errors="surrogatepass"))).decode()
