"""`bench growth`: what retrieval costs as the pool grows: our index, `rank_bm25` beside it, and Chroma's filter."""

import functools
import importlib
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from dlcodegen.corpus.importing.similarity import fingerprint
from dlcodegen.corpus.index import Bm25Index
from dlcodegen.corpus.own import OwnCorpus, data_folder
from dlcodegen.corpus.pool import Usable, open_pool
from dlcodegen.corpus.sample import Sample, all_samples
from dlcodegen.corpus.store import cache_folder
from dlcodegen.corpus.texts import plan_text, tokens
from dlcodegen.evals.grown_pool import grown_samples, pool_by_category, queries_about, wanted_plans
from dlcodegen.evals.journal import Row
from dlcodegen.plan import SolutionPlan
from dlcodegen.writers.protocol import Request

if TYPE_CHECKING:
    from chromadb import Collection, Where
    from chromadb.api.types import Metadata

SIZES = (100, 1_000, 10_000, 100_000)
_SECONDS = 20.0
"""No further query is timed after so long: `rank_bm25` takes about a second for each in a large pool."""
_RUN_SECONDS = 120.0
_AT_ONCE = 5000
"""Samples that are added to the corpus together."""
_USABLE = Usable("pytorch", only_by_contract=True)
_REQUEST = Request(requirement="", dataset="", data="", framework=_USABLE.framework, facts=[])
_FRESH = """
import json, sys
from pathlib import Path
from dlcodegen.evals import pool_growth
print(json.dumps(getattr(pool_growth, sys.argv[1])(int(sys.argv[2]), Path(sys.argv[3]))))
"""
_Query = TypeVar("_Query")


class Spent(NamedTuple):
    """Seconds of a query: by the clock, and of the processor."""

    wall: float
    busy: float


def steps(sizes: tuple[int, ...] = SIZES) -> Iterator[tuple[str, Callable[[], Row]]]:
    """Key of each measurement, and what makes it."""
    for size in sizes:
        for what, parts in _MEASURES.items():
            yield f"{what} / {size}", functools.partial(_measured, what, size, parts)


def summary(rows: list[Row]) -> list[Row]:
    """One row for each size: our index, how much better than rank_bm25 it is, retrieval in a run, and Chroma."""
    found = {(row["what"], row["size"]): row for row in rows}
    return [
        {
            "size": size,
            **{name: value for name, value in index.items() if name not in _HEAD},
            **_beside(index, found.get(("rank_bm25", size), {})),
            **{f"run {name}": value for name, value in found.get(("run", size), {}).items() if name not in _HEAD},
            **{f"chroma {name}": value for name, value in found.get(("chroma", size), {}).items() if name in _CHROMA},
        }
        for (what, size), index in sorted(found.items())
        if what == "index"
    ]


def build_index(size: int, folder: Path) -> Row:
    """Build from texts, save, add one sample; leaves the index in `folder`."""
    texts = [plan_text(plan) for plan in pool_by_category(size, folder)]
    Bm25Index.build([])  # imports numpy
    reading = _seconds(lambda: [len(tokens(text)) for text in texts])
    started = time.perf_counter()
    index = Bm25Index.build(tokens(text) for text in texts)
    built = _since(started)
    saved = _seconds(lambda: index.save(folder / "index"))
    one_more = [tokens(plan_text(wanted_plans()[0]))]
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

    queries = queries_about(folder)
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

    texts = [plan_text(plan) for plan in pool_by_category(size, folder)]
    queries = queries_about(folder)
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
    plans = pool_by_category(size, folder)
    frameworks = random.Random(0).choices(["pytorch", "keras"], [3, 1], k=size)
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
    categories = [plan.category for plan in wanted_plans()]
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


def fill_run(size: int, _: Path) -> Row:
    """Fill the user's corpus and the index of it; what parsing whole scripts would add is told for one sample."""
    own, samples, filled = OwnCorpus(), grown_samples(size), 0.0
    while part := list(islice(samples, _AT_ONCE)):
        filled += _seconds(functools.partial(own.add, part))
    indexed = _seconds(lambda: open_pool().index)
    open_pool().ids("", _USABLE)  # fills the collection of the shipped samples
    return {
        "fill s": round(filled, 2),
        "index s": round(indexed, 2),
        "parse one CPU ms": _parsing(),
        "corpus MiB": _mib(data_folder()),
        "index MiB": _mib(cache_folder()),
    }


def query_run(_: int, __: Path) -> Row:
    """Start with everything on disk; then retrievals as the graph makes them: both stages, each with a new pool.

    `known category`: of a category that was asked for before, whose ids the corpus has kept.
    """
    from dlcodegen.context import Context
    from dlcodegen.nodes.filter_category import filter_category
    from dlcodegen.nodes.retrieve import retrieve
    from dlcodegen.state import State

    context = Context()

    def retrieval(plan: SolutionPlan) -> None:
        state = State(request=_REQUEST, category=plan.category, plan=plan.to_paper())
        state["category_samples"] = filter_category(state, context)["category_samples"]
        retrieve(state, context)

    imported = _seconds(lambda: importlib.import_module("chromadb"))
    start = _seconds(lambda: open_pool().index)
    plans = wanted_plans()
    spent = _timed(plans, retrieval, _RUN_SECONDS)
    categories = [plan.category for plan in plans]
    known = [one for number, one in enumerate(spent) if categories[number] in categories[:number]]
    return {
        "import Chroma s": imported,
        "start s": start,
        "retrieval first ms": round(spent[0].wall * 1000, 2),
        **_figures("retrieval", spent[1:]),
        **_figures("known category", known),
        "retrievals": len(spent),
        "memory MiB": _memory(),
    }


_MEASURES: dict[str, tuple[Callable[[int, Path], Row], ...]] = {
    "index": (build_index, query_index),
    "rank_bm25": (query_rank_bm25,),
    "chroma": (fill_chroma, query_chroma),
    "run": (fill_run, query_run),
}
_HEAD = ("key", "what", "size", "made")
_CHROMA = ("fill s", "ids of both p50 ms", "ids of both p95 ms", "ids of category p95 ms")


def _measured(what: str, size: int, parts: tuple[Callable[[int, Path], Row], ...]) -> Row:
    """Each part in a process of its own, so that memory and first queries are true."""
    row: Row = {"what": what, "size": size}
    with tempfile.TemporaryDirectory() as folder:
        for part in parts:
            command = [sys.executable, "-c", _FRESH, part.__name__, str(size), folder]
            done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=_inside(folder))
            row |= json.loads(done.stdout)
    return row


def _inside(folder: str) -> dict[str, str]:
    """The environment in which corpus and index lie in `folder`: the user's own stay as they are."""
    places = {"DLCODEGEN_DATA": f"{folder}/data", "DLCODEGEN_CACHE": f"{folder}/cache", "DLCODEGEN_CHROMA": ""}
    return {**os.environ, **places}


def _parsing() -> float:
    """Processor time for the fingerprint and the docstring of a shipped script, which adding and indexing read."""
    unread = [Sample(sample.id, sample.code, sample.plan) for sample in all_samples().values()]
    started = time.process_time()
    for sample in unread:
        fingerprint(sample.code), sample.description
    return round((time.process_time() - started) / len(unread) * 1000, 2)


def _beside(index: Row, original: Row) -> Row:
    """rank_bm25's figures, and the index's as so many times better."""
    row: Row = {}
    for name in ("start s", "category p95 ms", "whole p95 ms", "whole p95 CPU ms", "memory MiB"):
        if name in original:
            row[f"rank_bm25 {name}"] = original[name]
            row[f"times better {name}"] = round(original[name] / max(index[name], 0.001), 1)
    return row


def _collection(folder: Path) -> "tuple[Collection, int]":
    """The collection, and how much it takes at once."""
    import chromadb
    from chromadb.config import Settings

    client = chromadb.PersistentClient(str(folder / "chroma"), settings=Settings(anonymized_telemetry=False))
    return client.get_or_create_collection("grown", embedding_function=None), client.get_max_batch_size()


def _times(name: str, queries: Iterable[_Query], work: Callable[[_Query], object]) -> dict[str, float]:
    """The first query; and the figures of the others."""
    first, *others = _timed(queries, work, _SECONDS)
    return {f"{name} first ms": round(first.wall * 1000, 2), **_figures(name, others)}


def _timed(queries: Iterable[_Query], work: Callable[[_Query], object], limit: float) -> list[Spent]:
    """What each query took, until together they took `limit` seconds; three at least."""
    spent: list[Spent] = []
    for query in queries:
        if len(spent) < 3 or sum(one.wall for one in spent) < limit:
            before = time.process_time()
            wall = _seconds(functools.partial(work, query))
            spent.append(Spent(wall, time.process_time() - before))
    return spent


def _figures(name: str, spent: list[Spent]) -> dict[str, float]:
    """Median and 95th percentile in ms; both as processor time too.

    Where that is far below, other programs kept this one waiting.
    """
    import numpy as np

    half, most = np.percentile([[one.wall, one.busy] for one in spent], [50, 95], axis=0) * 1000
    figures = {"p50 ms": half[0], "p95 ms": most[0], "p50 CPU ms": half[1], "p95 CPU ms": most[1]}
    return {f"{name} {figure}": round(float(value), 2) for figure, value in figures.items()}


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
