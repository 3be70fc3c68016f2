"""Ranking samples: BM25 (paper, section III-B) over what a sample is about, and what is stated besides."""

import heapq
import re
from collections.abc import Sequence
from typing import NamedTuple

from dlcodegen import vocabulary
from dlcodegen.categories import NEIGHBOURS
from dlcodegen.corpus.pool import Pool, Usable
from dlcodegen.corpus.pool_index import Documents
from dlcodegen.corpus.sample import Sample
from dlcodegen.corpus.texts import description, plan_text
from dlcodegen.plan import SolutionPlan
from dlcodegen.report import Fact

# Facts about the data's shape: a sample that has no such setting cannot be made to honour them.
_SHAPE = {
    "image_height", "channels", "num_classes", "num_outputs", "vocab_size", "sequence_length", "window", "horizon",
    "num_features", "sample_rate", "num_keypoints", "num_users", "num_items", "scale_factor", "noise_level",
}  # fmt: skip
_RECURRENT = {"lstm", "gru", "rnn", "bilstm", "bigru"}
_MULTI_LABEL = re.compile(r"multi-?label|several labels|multiple labels|labels per", re.IGNORECASE)


_CONSIDERED = 50
"""How many of the best by BM25 are looked at more closely: their scripts have to be read for it."""


class Ranked(NamedTuple):
    sample: Sample
    score: float


def rank_by_plan(plan: SolutionPlan, facts: list[Fact], ids: Sequence[str], pool: Pool) -> list[Ranked]:
    """Samples whose plan is nearest first (paper: BM25 between plans); those that lack a stated shape come last."""
    return _rank("plans", plan_text(plan), facts, ids, pool)


def rank_by_words(requirement: str, facts: list[Fact], ids: Sequence[str], pool: Pool) -> list[Ranked]:
    """Samples whose description and plan share the requirement's words first; a named architecture counts most."""
    return _rank("descriptions", requirement, facts, ids, pool)


def retrieve(
    plan: SolutionPlan, facts: list[Fact], ids: Sequence[str], limit: int, usable: Usable, pool: Pool
) -> list[Ranked]:
    """The `limit` best of the plan's category (`ids`) by plan, near-duplicates skipped.

    Where the category has too few, the best of its neighbours follow, the nearest neighbour first.
    """
    found = distinct(rank_by_plan(plan, facts, ids, pool), limit)
    for category in NEIGHBOURS[plan.category]:
        if len(found) < limit:
            others = rank_by_plan(plan, facts, pool.ids(category, usable), pool)
            found = distinct([*found, *others], limit)
    return found


def distinct(ranked: list[Ranked], limit: int) -> list[Ranked]:
    """The first `limit`, near-duplicates of one already taken skipped (nine tenths of their lines are the same)."""
    taken: list[Ranked] = []
    for item in ranked:
        if len(taken) < limit and not any(_overlap(item.sample.code, other.sample.code) > 0.9 for other in taken):
            taken.append(item)
    return taken


def _rank(over: Documents, query: str, facts: list[Fact], ids: Sequence[str], pool: Pool) -> list[Ranked]:
    """BM25 with the word statistics of the whole pool, so that a category of two samples is ranked sensibly too."""
    scores = dict(zip(ids, pool.index.scores(over, query, ids).tolist(), strict=True))
    best = heapq.nsmallest(_CONSIDERED, ids, key=lambda key: (-scores[key], key))
    ranked = [Ranked(sample, scores[sample.id] + _architecture_bonus(sample, facts)) for sample in pool.samples(best)]
    return sorted(ranked, key=lambda item: (_unfit(item.sample, facts, query), -item.score, item.sample.id))


def _unfit(sample: Sample, facts: list[Fact], query: str) -> int:
    """How many stated shapes the sample has no setting for; two classes suit a sample with one logit.

    One label an example and several are different tasks, though they share all their words.
    """
    missing = {fact["name"] for fact in facts if fact["name"] in _SHAPE and fact["name"] not in sample.config}
    if any(fact["name"] == "num_classes" and fact["value"] == 2 for fact in facts):
        missing.discard("num_classes")
    return len(missing) + (_MULTI_LABEL.search(query) is None) * (_MULTI_LABEL.search(description(sample)) is not None)


def _architecture_bonus(sample: Sample, facts: list[Fact]) -> float:
    """A named architecture counts more than words; another recurrent cell is the next best, for it is exchanged."""
    stated = next((str(fact["value"]) for fact in facts if fact["name"] == "architecture"), None)
    shown = vocabulary.find(vocabulary.ARCHITECTURES, sample.title)
    if stated is None or shown is None:
        return 0.0
    if shown.name == stated:
        return 10.0
    return 8.0 if {shown.name, stated} <= _RECURRENT else 0.0


def _overlap(one: str, other: str) -> float:
    a, b = ({line.strip() for line in code.splitlines() if line.strip()} for code in (one, other))
    return len(a & b) / max(1, min(len(a), len(b)))
