"""How often the right sample is found: requirements of our own, the sample each asks for, and several ways to look.

The pairs were written before the ranking was tuned on them. A third is kept: it is measured, never looked at.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from statistics import fmean
from typing import Literal, NamedTuple, get_args

from dlcodegen.corpus.dense import DenseOpinion, fused
from dlcodegen.corpus.pool import Pool, shipped_pool
from dlcodegen.corpus.pool_index import Documents
from dlcodegen.corpus.retrieval import Ranked, rank_by_plan, rank_by_words
from dlcodegen.corpus.texts import plan_text
from dlcodegen.errors import RequirementError
from dlcodegen.evals.journal import Row
from dlcodegen.plan import SolutionPlan
from dlcodegen.planner.gpt2.planner import shipped_planner
from dlcodegen.planner.nearest import NearestPlanner
from dlcodegen.planner.protocol import PlanRequest
from dlcodegen.planner.request import read_requirement
from dlcodegen.planner.stated import read_stated
from dlcodegen.report import Fact

Part = Literal["tuning", "kept"]
_PAIRS = Path(__file__).with_name("retrieval_pairs.jsonl")


class Pair(NamedTuple):
    """A requirement, and the sample that a project for it should be grounded in."""

    requirement: str
    right: str
    category: str
    framework: str
    kept: bool


class Asked(NamedTuple):
    """A pair, with the ids that the category filter leaves, and what the requirement states."""

    pair: Pair
    ids: list[str]
    facts: list[Fact]
    category: str
    confidence: float


Way = Callable[[Asked], Sequence[str]]
"""Ids, best first."""


@lru_cache(maxsize=1)
def pairs() -> list[Pair]:
    """All pairs, in a fixed order."""
    lines = _PAIRS.read_text(encoding="utf-8").splitlines()
    return [Pair(**json.loads(line)) for line in lines]


def steps(opinion: DenseOpinion | None = None) -> Iterator[tuple[str, Callable[[], Row]]]:
    """Key of each measurement, and what makes it."""
    for name, way in _ways(opinion).items():
        for category in ("known", "predicted"):
            for part in get_args(Part):
                yield f"{name} / {category} / {part}", _measured(name, way, category, part)


def summary(rows: list[Row]) -> list[Row]:
    """The table: one row for each way, category and part."""
    names = ("way", "category", "part", "pairs", "hit@1", "hit@3", "MRR")
    return [{name: row[name] for name in names} for row in rows]


def _ways(opinion: DenseOpinion | None) -> dict[str, Way]:
    pool = shipped_pool()
    ways: dict[str, Way] = {
        "BM25 on words alone": lambda asked: _by_score("descriptions", asked.pair.requirement, asked.ids),
        "BM25 on plans alone": lambda asked: _by_score("plans", plan_text(_plan(asked)), asked.ids),
        "words, shapes and architecture": lambda asked: _ids(
            rank_by_words(asked.pair.requirement, asked.facts, asked.ids, pool)
        ),
        "plans, shapes and architecture": lambda asked: _ids(rank_by_plan(_plan(asked), asked.facts, asked.ids, pool)),
        "the predictor's plans, shapes and architecture (what a run does)": lambda asked: _ids(
            rank_by_plan(_predicted(asked), asked.facts, asked.ids, pool)
        ),
    }
    if opinion is None:
        return ways
    dense: Way = lambda asked: opinion.order(asked.pair.requirement, asked.ids, pool)  # noqa: E731
    run = ways["the predictor's plans, shapes and architecture (what a run does)"]
    return ways | {
        "dense alone": dense,
        "a run with the second opinion": lambda asked: _fused(run(asked), dense(asked)),
    }


def _measured(name: str, way_of: Way, category: str, part: Part) -> Callable[[], Row]:
    """One way over one part of the pairs: hit@1, hit@3 and mean reciprocal rank; what is missed, unless it is kept."""

    def measure() -> Row:
        asked = [ask(pair, category, shipped_pool()) for pair in pairs() if pair.kept == (part == "kept")]
        orders = [list(way_of(one)) if one.ids else [] for one in asked]
        ranks = [
            order.index(one.pair.right) + 1 if one.pair.right in order else None
            for one, order in zip(asked, orders, strict=True)
        ]
        missed = [
            {"requirement": one.pair.requirement, "right": one.pair.right, "first": next(iter(order), one.category)}
            for one, order, rank in zip(asked, orders, ranks, strict=True)
            if rank != 1
        ]
        return {
            "way": name,
            "category": category,
            "part": part,
            "pairs": len(asked),
            "hit@1": round(fmean(rank == 1 for rank in ranks), 3),
            "hit@3": round(fmean(rank is not None and rank <= 3 for rank in ranks), 3),
            "MRR": round(fmean(1 / rank if rank else 0.0 for rank in ranks), 3),
            "missed": missed if part == "tuning" else [],
        }

    return measure


def ask(pair: Pair, category: str, pool: Pool) -> Asked:
    """What the stages before retrieval make of a requirement; with the category known, only the filter is told."""
    try:
        opinion = shipped_planner().category_odds
        read = read_requirement(pair.requirement, framework=pair.framework, opinion=opinion)
        name, confidence, facts = read.category, read.confidence, read.facts
    except RequirementError:
        name, confidence, facts = "other", 0.0, []
    if category == "known":
        name, confidence = pair.category, 1.0
        facts = list(read_stated(pair.requirement, "", name, pair.framework).facts.values())
    samples = pool.shipped.values()
    ids = [sample.id for sample in samples if (sample.category, sample.framework) == (name, pair.framework)]
    return Asked(pair, ids, facts, name, confidence)


def _plan(asked: Asked) -> SolutionPlan:
    return NearestPlanner().predict(_request(asked)).plan


def _predicted(asked: Asked) -> SolutionPlan:
    return shipped_planner().predict(_request(asked)).plan


def _request(asked: Asked) -> PlanRequest:
    pair = asked.pair
    return PlanRequest(pair.requirement, asked.category, asked.confidence, pair.framework, facts=asked.facts)


def _by_score(over: Documents, query: str, ids: Sequence[str]) -> list[str]:
    scores = dict(zip(ids, shipped_pool().index.scores(over, query, ids).tolist(), strict=True))
    return sorted(ids, key=lambda key: (-scores[key], key))


def _fused(*orders: Sequence[str]) -> list[str]:
    scores = fused(*orders)
    return sorted(scores, key=lambda key: -scores[key])


def _ids(ranked: Iterable[Ranked]) -> list[str]:
    return [item.sample.id for item in ranked]
