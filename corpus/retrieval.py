"""Ranking samples: BM25 (paper, section III-B) over what a sample is about, and what is stated besides."""

import heapq
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from dlcodegen import vocabulary
from dlcodegen.categories import CATEGORIES, NEIGHBOURS
from dlcodegen.corpus.dense import fused
from dlcodegen.corpus.duplicates import nearly_same
from dlcodegen.corpus.pool import Pool, Usable
from dlcodegen.corpus.pool_index import Documents
from dlcodegen.corpus.sample import Sample
from dlcodegen.corpus.texts import plan_text
from dlcodegen.plan import SolutionPlan
from dlcodegen.report import Fact

# Facts about the data's shape: a sample that has no such setting cannot be made to honour them.
_SHAPE = {
    "image_height", "channels", "num_classes", "num_outputs", "vocab_size", "sequence_length", "window", "horizon",
    "num_features", "sample_rate", "num_keypoints", "num_users", "num_items", "scale_factor", "noise_level",
}  # fmt: skip
_RECURRENT = {"lstm", "gru", "rnn", "bilstm", "bigru"}
_MULTI_LABEL = re.compile(r"multi-?label|several labels|multiple labels|labels per", re.IGNORECASE)
_WANTS_SEVERAL = re.compile(vocabulary.SEVERAL_LABELS, re.IGNORECASE)
"""Our own samples say "multi-label" or "several labels"."""
_HAS_SERIES = re.compile(
    r"time[- ]?series|univariate|(?:\d+|one)[- ](?:second|sec|minute|min|hour)s? (?:resolution|granularity|intervals?)"
    r"|(?:every|per) (?:second|minute|hour)|hourly|sampled (?:at|every)|latenc(?:y|ies)|telemetry|vibrations?"
    r"|waveforms?",
    re.IGNORECASE,
)
_SERIES = re.compile(r"time[- ]series", re.IGNORECASE)
_CONSIDERED = 50
"""How many of the best by BM25 are looked at more closely: their scripts have to be read for it."""


class Ranked(NamedTuple):
    sample: Sample
    score: float
    unfit: int
    """Stated shapes that it has no setting for; what has fewer comes first, whatever its score."""


def rank_by_plan(plan: SolutionPlan, facts: list[Fact], ids: Sequence[str], pool: Pool) -> list[Ranked]:
    """Samples whose plan is nearest first (paper: BM25 between plans); those that lack a stated shape come last."""
    return _rank("plans", plan_text(plan), facts, ids, pool)


def rank_by_words(requirement: str, facts: list[Fact], ids: Sequence[str], pool: Pool) -> list[Ranked]:
    """Samples whose description and plan share the requirement's words first; a named architecture counts most."""
    return _rank("descriptions", requirement, facts, ids, pool)


@dataclass(frozen=True)
class Search:
    """What is looked for, and where."""

    plan: SolutionPlan
    facts: list[Fact]
    usable: Usable
    pool: Pool
    second: Callable[[Sequence[str]], list[str]] | None = None
    """A second opinion: ids -> the same ids, nearest first (`dlcodegen.corpus.dense`)."""

    def best(self, ids: Sequence[str], limit: int) -> list[Sample]:
        """The `limit` best of the plan's category (`ids`) by plan, near-duplicates skipped.

        Where the category has too few, the best of its neighbours follow, the nearest neighbour first. Raises what
        the second opinion raises.
        """
        found = distinct(self._ranked(ids), limit)
        for category in NEIGHBOURS[self.plan.category]:
            if len(found) < limit:
                others = self._ranked(self.pool.ids(category, self.usable))
                found = distinct([*found, *others], limit)
        return [item.sample for item in found]

    def _ranked(self, ids: Sequence[str]) -> list[Ranked]:
        """By BM25; with a second opinion both orders count alike, and what is unfit still comes last."""
        ranked = rank_by_plan(self.plan, self.facts, ids, self.pool)
        if self.second is None:
            return ranked
        order = [item.sample.id for item in ranked]
        scores = fused(order, self.second(order))
        return _sorted([item._replace(score=scores[item.sample.id]) for item in ranked])


def demonstrations(requirement: str, usable: Usable, pool: Pool, limit: int) -> list[Sample]:
    """The samples that share most words with the requirement, of whatever task: so CEDAR chooses what it shows."""
    ids = [key for category in CATEGORIES for key in pool.ids(category, usable)]
    return [item.sample for item in distinct(rank_by_words(requirement, [], ids, pool), limit)]


def distinct(ranked: list[Ranked], limit: int) -> list[Ranked]:
    """The first `limit`, near-duplicates of one already taken skipped."""
    taken: list[Ranked] = []
    for item in ranked:
        if len(taken) < limit and not any(nearly_same(item.sample, other.sample) for other in taken):
            taken.append(item)
    return taken


def _rank(over: Documents, query: str, facts: list[Fact], ids: Sequence[str], pool: Pool) -> list[Ranked]:
    """BM25 with the word statistics of the whole pool, so that a category of two samples is ranked sensibly too."""
    scores = dict(zip(ids, pool.index.scores(over, query, ids).tolist(), strict=True))
    best = heapq.nsmallest(_CONSIDERED, ids, key=lambda key: (-scores[key], key))
    stated = next((str(fact["value"]) for fact in facts if fact["name"] == "architecture"), "")
    several = _WANTS_SEVERAL.search(query) is not None
    series = _HAS_SERIES.search(query) is not None
    ranked = []
    for sample in pool.samples(best):
        bonus = _architecture_bonus(sample, stated) if stated else 0.0
        other_task = several != _gives_several_labels(sample)
        other_data = series and not _reads_series(sample)
        ranked.append(Ranked(sample, scores[sample.id] + bonus, _unfit(sample, facts) + other_task + other_data))
    return _sorted(ranked)


def _sorted(ranked: list[Ranked]) -> list[Ranked]:
    return sorted(ranked, key=lambda item: (item.unfit, -item.score, item.sample.id))


def _unfit(sample: Sample, facts: list[Fact]) -> int:
    """How many stated shapes the sample has no setting for; two classes suit a sample with one logit."""
    missing = {fact["name"] for fact in facts if fact["name"] in _SHAPE and fact["name"] not in sample.config}
    if any(fact["name"] == "num_classes" and fact["value"] == 2 for fact in facts):
        missing.discard("num_classes")
    return len(missing)


def _gives_several_labels(sample: Sample) -> bool:
    """One label an example and several are different tasks, though they share all their words."""
    return _MULTI_LABEL.search(f"{sample.title} {plan_text(sample.plan)}") is not None


def _reads_series(sample: Sample) -> bool:
    """Anomalies are found in rows, in images, and in series: which of them is told by the data, not by the model."""
    return sample.category != "anomaly-detection" or _SERIES.search(sample.title) is not None


def _architecture_bonus(sample: Sample, stated: str) -> float:
    """A named architecture counts more than words; another recurrent cell is the next best, for it is exchanged."""
    shown = [term.name for term in vocabulary.ARCHITECTURES if term.search(sample.title)]
    if stated in shown:
        return 10.0 if stated == shown[0] else 9.0  # an attention U-Net is a U-Net, too
    return 8.0 if shown and {shown[0], stated} <= _RECURRENT else 0.0
