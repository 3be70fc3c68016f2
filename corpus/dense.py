"""A second opinion on which samples are near: the vectors of an embedding model, where the user named one."""

import hashlib
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dlcodegen.corpus.locking import alone
from dlcodegen.corpus.pool import Pool
from dlcodegen.corpus.sample import Sample
from dlcodegen.corpus.store import cache_folder
from dlcodegen.corpus.texts import description

if TYPE_CHECKING:
    from chromadb import Collection

_log = logging.getLogger(__name__)
_BATCH = 32
_MOST_CHARACTERS = 6000
"""Of a text to embed: many models read no more than 2,000 tokens."""
_RANK_CONSTANT = 60  # of reciprocal-rank fusion (Cormack, Clarke, Büttcher 2009)


class DenseOpinion:
    """Ranks samples by how near their descriptions are to a text, in vectors that are kept in the cache folder."""

    def __init__(
        self, name: str, embed: Callable[[Sequence[str]], Sequence[Sequence[float]]], folder: Path | None = None
    ) -> None:
        """`embed` gives the vectors of texts; `name` says which model made them, for vectors of two do not mix."""
        self._embed = embed
        self._name = f"vectors-{hashlib.sha256(name.encode()).hexdigest()[:16]}"
        self._folder = folder or cache_folder() / "vectors"

    def order(self, text: str, ids: Sequence[str], pool: Pool) -> list[str]:
        """These ids, the nearest to the text first. Vectors that are not there yet are made.

        Raises what `embed` raises.
        """
        if not ids:
            return []
        collection = self._opened()
        keys = {_key(sample): sample for sample in pool.samples(ids)}
        known = set(collection.get(ids=list(keys), include=[])["ids"])
        missing = [key for key in keys if key not in known]
        for start in range(0, len(missing), _BATCH):
            part = missing[start : start + _BATCH]
            vectors = self._embed([description(keys[key])[:_MOST_CHARACTERS] for key in part])
            collection.upsert(ids=part, embeddings=[*vectors])
        (query,) = self._embed([text[:_MOST_CHARACTERS]])
        found = collection.query(query_embeddings=[*query], ids=list(keys), n_results=len(keys), include=[])
        return [keys[key].id for key in found["ids"][0]]

    def _opened(self) -> "Collection":
        import chromadb
        from chromadb.config import Settings

        self._folder.mkdir(parents=True, exist_ok=True)
        with alone(self._folder):
            client = chromadb.PersistentClient(str(self._folder), settings=Settings(anonymized_telemetry=False))
            return client.get_or_create_collection(
                self._name, embedding_function=None, configuration={"hnsw": {"space": "cosine"}}
            )


def fused(*orders: Sequence[str]) -> dict[str, float]:
    """Reciprocal-rank fusion: how high each id stands in all orders together."""
    scores: dict[str, float] = {}
    for order in orders:
        for rank, key in enumerate(order, start=1):
            scores[key] = scores.get(key, 0.0) + 1 / (_RANK_CONSTANT + rank)
    return scores


def _key(sample: Sample) -> str:
    """Changes with what is embedded."""
    return f"{sample.id}@{hashlib.sha256(description(sample).encode()).hexdigest()[:16]}"
