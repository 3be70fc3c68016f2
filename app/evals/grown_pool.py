"""Pools as large as one likes, grown from the shipped samples, the same each time: plans, samples and queries."""

import json
import random
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from dlcodegen.corpus.sample import Sample, all_samples
from dlcodegen.corpus.texts import description, plan_text, tokens
from dlcodegen.plan import SolutionPlan

_QUERIES = 201
"""The first is told apart from the others."""
_POOL_SEED, _QUERY_SEED = 0, 1
_HEAPS = 0.53
"""n words of our plans and docstrings hold about n ** 0.53 different ones (Heaps' law)."""
_SYLLABLES = [consonant + vowel for consonant in "bcdfghjklmnprtvwz" for vowel in "aeiou"]
_FRESH_HASHES = 0.2
"""Share of a sketch that is new in each grown sample: so they are alike, and no near-duplicates."""


class Query(NamedTuple):
    """Words, and where the samples of its category lie: the first row and the one after the last."""

    words: list[str]
    low: int
    high: int


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


def grown_samples(size: int) -> Iterator[Sample]:
    """A sample for each plan, made from a shipped one of its category.

    All of its code but the docstring and a number of its own is turned into a comment: it is stored at its full size,
    and parsed in no time. To parse 100,000 whole scripts takes more than half an hour.
    """
    chance = random.Random(_POOL_SEED)
    shipped: dict[str, list[Sample]] = defaultdict(list)
    for sample in all_samples().values():
        shipped[sample.category].append(sample)
    for number, plan in enumerate(grown_plans(size, _POOL_SEED)):
        like = chance.choice(shipped[plan.category])
        fresh = [chance.randrange(2**64) if chance.random() < _FRESH_HASHES else value for value in like.sketch]
        yield Sample(
            id=f"{plan.category}/grown-{number}",
            code=f'"""{like.description}"""\nSEED = {number}\n# ' + like.code.replace("\n", "\n# "),
            plan=plan,
            source=f"grown from {like.id}",
            known={
                "title": like.title,
                "framework": like.framework,
                "config": like.config,
                "sketch": sorted(fresh),
            },
        )


def pool_by_category(size: int, folder: Path) -> list[SolutionPlan]:
    """The plans of the grown pool, each category's together; where each lies is left in `folder`."""
    plans = sorted(grown_plans(size, _POOL_SEED), key=lambda plan: plan.category)
    ranges: dict[str, tuple[int, int]] = {}
    for row, plan in enumerate(plans):
        ranges[plan.category] = (ranges.get(plan.category, (row, row))[0], row + 1)
    (folder / "ranges.json").write_text(json.dumps(ranges), encoding="utf-8")
    return plans


def wanted_plans() -> list[SolutionPlan]:
    """Plans to look for; none of them is in the pool."""
    return list(grown_plans(_QUERIES, _QUERY_SEED))


def queries_about(folder: Path) -> list[Query]:
    """Those of the wanted plans whose category the pool has, which `pool_by_category` left in `folder`."""
    ranges = json.loads((folder / "ranges.json").read_text(encoding="utf-8"))
    wanted = [plan for plan in wanted_plans() if plan.category in ranges]
    return [Query(tokens(plan_text(plan)), *ranges[plan.category]) for plan in wanted]


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
