"""`bench growth`: what retrieval costs as the pool grows: our index, `rank_bm25` beside it, and Chroma's filter."""

import functools
import json
import random
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from dlcodegen.corpus.index import Bm25Index
from dlcodegen.corpus.sample import Sample, all_samples
from dlcodegen.corpus.texts import description, plan_text, tokens
from dlcodegen.evals.journal import Row
from dlcodegen.plan import SolutionPlan

if TYPE_CHECKING:
    from chromadb import Collection, Where
    from chromadb.api.types import Metadata

SIZES = (100, 1_000, 10_000, 100_000)
_QUERIES = 200
_SECONDS = 20.0
"""No further query is timed after so long: `rank_bm25` takes about a second for each in a large pool."""
_POOL_SEED, _QUERY_SEED = 0, 1
_HEAPS = 0.53
"""n words of our plans and docstrings hold about n ** 0.53 different ones (Heaps' law)."""
_SYLLABLES = [consonant + vowel for consonant in "bcdfghjklmnprtvwz" for vowel in "aeiou"]
_FRESH = """
import json, sys
from pathlib import Path
from dlcodegen.evals import pool_growth
print(json.dumps(getattr(pool_growth, sys.argv[1])(int(sys.argv[2]), Path(sys.argv[3]))))
"""
_Query = TypeVar("_Query")


class Query(NamedTuple):
    """Words, and where the samples of its category lie: the first row and the one after the last."""

    words: list[str]
    low: int
    high: int


def steps(sizes: tuple[int, ...] = SIZES) -> Iterator[tuple[str, Callable[[], Row]]]:
    """Key of each measurement, and what makes it."""
    for size in sizes:
        for what, parts in _MEASURES.items():
            yield f"{what} / {size}", functools.partial(_measured, what, size, parts)


def summary(rows: list[Row]) -> list[Row]:
    """One row for each size: our index, how many times faster than rank_bm25 its 95th percentiles are, and Chroma."""
    found = {(row["what"], row["size"]): row for row in rows}
    return [
        {
            "size": size,
            **{name: value for name, value in index.items() if name not in ("key", "what", "size", "made")},
            **_beside(index, found.get(("rank_bm25", size), {})),
            **{f"chroma {name}": value for name, value in found.get(("chroma", size), {}).items() if name in _CHROMA},
        }
        for (what, size), index in sorted(found.items())
        if what == "index"
    ]


def grown_plans(size: int, seed: int) -> Iterator[SolutionPlan]:
    """Plans mixed from the pool's: layers of two of them, other numbers, words of all texts, new words as it grows."""
    chance = random.Random(seed)
    real = list(all_samples().values())
    vocabulary = _words(real)
    known = len(vocabulary)
    for number in range(size):
        wanted = int(known * max(1.0, number / len(real)) ** _HEAPS)
        vocabulary.extend(_new_word(rank) for rank in range(len(vocabulary), wanted))
        one, other = chance.choice(real).plan, chance.choice(real).plan
        change = _changer(chance, vocabulary)
        layers = [chance.choice(other.layers) if chance.random() < 0.3 else layer for layer in one.layers]
        changed = {name: change(getattr(one, name)) for name in ("input", "output", "preprocess")}
        yield one.model_copy(update={**changed, "layers": [change(layer) for layer in layers]})


def build_index(size: int, folder: Path) -> Row:
    """Build from texts, save, add one sample; leaves the index in `folder`."""
    texts = [plan_text(plan) for plan in _pool(size, folder)]
    Bm25Index.build([])  # imports numpy
    reading = _seconds(lambda: [len(tokens(text)) for text in texts])
    started = time.perf_counter()
    index = Bm25Index.build(tokens(text) for text in texts)
    built = _since(started)
    saved = _seconds(lambda: index.save(folder / "index"))
    one_more = [tokens(plan_text(_queries()[0]))]
    return {
        "build s": built,
        "reading alone s": reading,
        "save s": saved,
        "size MiB": _mib(folder / "index"),
        "add one s": _seconds(lambda: Bm25Index.load(folder / "index").add(one_more).save(folder / "more")),
        "words": len(index.words),
    }


def query_index(size: int, folder: Path) -> Row:
    """Start from disk; queries over a category's rows, over as many rows scattered in the pool, and over all of it."""
    import numpy as np

    queries = _asked(folder)
    scatter = np.random.default_rng(0)
    scattered = {query.low: scatter.choice(size, query.high - query.low, replace=False) for query in queries}
    memory = _memory()
    started = time.perf_counter()
    index = Bm25Index.load(folder / "index")
    return {
        "start s": _since(started),
        **_times("category", queries, lambda query: index.scores(query.words, np.arange(query.low, query.high))),
        **_times("scattered", queries, lambda query: index.scores(query.words, scattered[query.low])),
        **_times("whole", queries, lambda query: index.scores(query.words)),
        "memory MiB": round(_memory() - memory, 1),
    }


def query_rank_bm25(size: int, folder: Path) -> Row:
    """The same of `rank_bm25`; its start is its build, for it cannot be kept on disk."""
    from rank_bm25 import BM25Okapi

    texts = [plan_text(plan) for plan in _pool(size, folder)]
    queries = _asked(folder)
    memory = _memory()
    started = time.perf_counter()
    index = BM25Okapi(tokens(text) for text in texts)
    return {
        "start s": _since(started),
        **_times("category", queries, lambda query: index.get_batch_scores(query.words, range(query.low, query.high))),
        **_times("whole", queries, lambda query: index.get_scores(query.words)),
        "memory MiB": round(_memory() - memory, 1),
    }


def fill_chroma(size: int, folder: Path) -> Row:
    """Fill a collection with what is filtered by, and the plan; without code, which costs Chroma far more."""
    plans = _pool(size, folder)
    frameworks = random.Random(_POOL_SEED).choices(["pytorch", "keras"], [3, 1], k=size)
    ids = [f"{plan.category}/{number}" for number, plan in enumerate(plans)]
    facts: list[Metadata] = [
        {"category": plan.category, "framework": framework, "plan": plan_text(plan)}
        for plan, framework in zip(plans, frameworks, strict=True)
    ]
    started = time.perf_counter()
    collection, most = _collection(folder)
    for first in range(0, size, most):
        some = slice(first, first + most)
        constant: list[Sequence[float] | Sequence[int]] = [[1.0] for _ in ids[some]]
        collection.upsert(ids=ids[some], embeddings=constant, metadatas=facts[some], documents=ids[some])
    return {"fill s": _since(started), "size MiB": _mib(folder / "chroma")}


def query_chroma(_: int, folder: Path) -> Row:
    """Open it; ids of a category and framework, as retrieval asks for them; of a category alone; fifty samples."""
    categories = [plan.category for plan in _queries()]
    both: list[Where] = [{"$and": [{"category": category}, {"framework": "pytorch"}]} for category in categories]
    alone: list[Where] = [{"category": category} for category in categories]
    memory = _memory()
    started = time.perf_counter()
    collection, _most = _collection(folder)
    opened = _since(started)
    of_both = _times("ids of both", both, lambda where: collection.get(where=where, include=[]))
    of_category = _times("ids of category", alone, lambda where: collection.get(where=where, include=[]))
    samples = _times("fifty samples", alone, lambda where: collection.get(where=where, limit=50))
    return {"start s": opened, **of_both, **of_category, **samples, "memory MiB": round(_memory() - memory, 1)}


_MEASURES: dict[str, tuple[Callable[[int, Path], Row], ...]] = {
    "index": (build_index, query_index),
    "rank_bm25": (query_rank_bm25,),
    "chroma": (fill_chroma, query_chroma),
}
_CHROMA = ("fill s", "ids of both p50 ms", "ids of both p95 ms", "ids of category p95 ms")


def _measured(what: str, size: int, parts: tuple[Callable[[int, Path], Row], ...]) -> Row:
    """Each part in a process of its own, so that memory and first queries are true."""
    row: Row = {"what": what, "size": size}
    with tempfile.TemporaryDirectory() as folder:
        for part in parts:
            command = [sys.executable, "-c", _FRESH, part.__name__, str(size), folder]
            row |= json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
    return row


def _beside(index: Row, original: Row) -> Row:
    """rank_bm25's figures, and the index's as so many times better."""
    row: Row = {}
    for name in ("start s", "category p95 ms", "whole p95 ms", "whole p95 CPU ms", "memory MiB"):
        if name in original:
            row[f"rank_bm25 {name}"] = original[name]
            row[f"times better {name}"] = round(original[name] / max(index[name], 0.001), 1)
    return row


def _pool(size: int, folder: Path) -> list[SolutionPlan]:
    """The grown pool, each category's plans together; where each lies is left in `folder`."""
    plans = sorted(grown_plans(size, _POOL_SEED), key=lambda plan: plan.category)
    ranges: dict[str, tuple[int, int]] = {}
    for row, plan in enumerate(plans):
        ranges[plan.category] = (ranges.get(plan.category, (row, row))[0], row + 1)
    (folder / "ranges.json").write_text(json.dumps(ranges), encoding="utf-8")
    return plans


def _queries() -> list[SolutionPlan]:
    return list(grown_plans(_QUERIES, _QUERY_SEED))


def _asked(folder: Path) -> list[Query]:
    """The queries whose category the pool has."""
    ranges = json.loads((folder / "ranges.json").read_text(encoding="utf-8"))
    return [Query(tokens(plan_text(plan)), *ranges[plan.category]) for plan in _queries() if plan.category in ranges]


def _collection(folder: Path) -> "tuple[Collection, int]":
    """The collection, and how much it takes at once."""
    import chromadb
    from chromadb.config import Settings

    client = chromadb.PersistentClient(str(folder / "chroma"), settings=Settings(anonymized_telemetry=False))
    return client.get_or_create_collection("grown", embedding_function=None), client.get_max_batch_size()


def _changer(chance: random.Random, vocabulary: list[str]) -> Callable[[str], str]:
    """Exchanges a fifth of a text's words, the frequent ones more often (Zipf's law), and half of its numbers."""

    def exchanged(found: re.Match[str]) -> str:
        text = found[0]
        if text.isdigit():
            return str(chance.choice([int(text), int(text), 2 ** chance.randrange(11), chance.randrange(1000)]))
        return vocabulary[int(len(vocabulary) ** chance.random()) - 1] if chance.random() < 0.2 else text

    return lambda text: re.sub(r"[A-Za-z]{3,}|(?<![A-Za-z\d])\d+", exchanged, text)


def _words(samples: list[Sample]) -> list[str]:
    """The words of the samples' plans and docstrings, the frequent first."""
    counted = Counter(word for sample in samples for word in tokens(description(sample)) if word.isalpha())
    return [word for word, _ in counted.most_common()]


def _new_word(number: int) -> str:
    """A word for each number; all differ."""
    word = ""
    while number:
        number, syllable = divmod(number, len(_SYLLABLES))
        word += _SYLLABLES[syllable]
    return word


def _times(name: str, queries: Iterable[_Query], work: Callable[[_Query], object]) -> dict[str, float]:
    """The first query; median and 95th percentile of the others, in ms; the latter as processor time too.

    Where that is far below, other programs kept this one waiting.
    """
    import numpy as np

    seconds: list[float] = []
    busy: list[float] = []
    for query in queries:
        if len(seconds) < 3 or sum(seconds) < _SECONDS:
            before = time.process_time()
            seconds.append(_seconds(functools.partial(work, query)))
            busy.append(time.process_time() - before)
    half, most = np.percentile(seconds[1:], [50, 95])
    figures = {"first ms": seconds[0], "p50 ms": half, "p95 ms": most, "p95 CPU ms": np.percentile(busy[1:], 95)}
    return {f"{name} {figure}": round(float(value) * 1000, 2) for figure, value in figures.items()}


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return _since(started)


def _since(started: float) -> float:
    return round(time.perf_counter() - started, 6)


def _mib(folder: Path) -> float:
    return round(sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 2**20, 2)


def _memory() -> float:
    """What this process holds in memory, mapped files included, in MiB."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return round(int(status.split("VmRSS:")[1].split()[0]) / 1024, 1)
