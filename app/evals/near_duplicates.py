"""Which rule keeps copies out of the k samples: a pool in which every sample has a renamed copy, and three rules."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from statistics import fmean, median
from time import perf_counter

from dlcodegen.corpus.importing.similarity import likeness_of
from dlcodegen.corpus.pool import Pool
from dlcodegen.corpus.retrieval import Ranked, distinct, rank_by_words
from dlcodegen.corpus.sample import Sample, all_samples
from dlcodegen.evals.journal import Row
from dlcodegen.evals.retrieval import ask, pairs

_K = 3
_RELEVANCE = 0.7
"""Lambda of maximal marginal relevance (Carbonell and Goldstein 1998): the share of relevance against novelty."""
Rule = Callable[[list[Ranked], int], list[Ranked]]


def steps() -> Iterator[tuple[str, Callable[[], Row]]]:
    """Key of each measurement, and what makes it."""
    rules: dict[str, Rule] = {
        "as they come": lambda ranked, limit: ranked[:limit],
        "near-duplicates skipped (what a run does)": distinct,
        "maximal marginal relevance": _marginal,
    }
    for name, rule in rules.items():
        yield name, _measured(name, rule)


def summary(rows: list[Row]) -> list[Row]:
    """The table: one row for each rule."""
    return [{name: row[name] for name in ("rule", "pairs", "hit@3", "different of 3", "median ms")} for row in rows]


def _measured(name: str, rule: Rule) -> Callable[[], Row]:
    def measure() -> Row:
        pool = _doubled()
        found, hits, seconds = [], [], []
        for pair in pairs():
            asked = ask(pair, "known", pool)
            ranked = rank_by_words(pair.requirement, asked.facts, asked.ids, pool)
            started = perf_counter()
            taken = [_original(item.sample.id) for item in rule(ranked, _K)]
            seconds.append(perf_counter() - started)
            found.append(len(set(taken)) / max(1, min(_K, len(asked.ids) // 2)))
            hits.append(pair.right in taken)
        return {
            "rule": name,
            "pairs": len(hits),
            "hit@3": round(fmean(hits), 3),
            "different of 3": round(_K * fmean(found), 2),
            "median ms": round(1000 * median(seconds), 1),
        }

    return measure


@lru_cache(maxsize=1)
def _doubled() -> Pool:
    """The pool, and a copy of each sample with names and a number changed, as people make them."""
    copies = {f"{key}-copy": _copy(sample) for key, sample in all_samples().items()}
    return Pool({**all_samples(), **copies})


def _copy(sample: Sample) -> Sample:
    code = re.sub(r"\bmodel\b", "network", sample.code)
    return replace(sample, id=f"{sample.id}-copy", code=re.sub(r"epochs: int = \d+", "epochs: int = 33", code))


def _original(key: str) -> str:
    return key.removesuffix("-copy")


def _marginal(ranked: list[Ranked], limit: int) -> list[Ranked]:
    """The next one is near what is asked for, and unlike what was taken."""
    best = max((item.score for item in ranked), default=1.0) or 1.0
    taken: list[Ranked] = []
    left = list(ranked)
    while left and len(taken) < limit:
        chosen = max(left, key=lambda item: _worth(item, taken, best))
        taken.append(chosen)
        left.remove(chosen)
    return taken


def _worth(item: Ranked, taken: Sequence[Ranked], best: float) -> float:
    likest = max((likeness_of(item.sample.sketch, other.sample.sketch) for other in taken), default=0.0)
    return _RELEVANCE * item.score / best - (1 - _RELEVANCE) * likest
