"""Which task category a requirement asks for, by its words.

Two kinds of evidence are added up for each category: phrases of its own ("bounding box"), and pairs of what the data
is with what is to be done ("reviews" + "classify"). Words of seven languages are known, so that a requirement in
another one than English is often understood.
"""

import difflib
import math
import re
from collections.abc import Mapping
from typing import NamedTuple

from dlcodegen.errors import RequirementError
from dlcodegen.planner.category_phrases import PHRASES
from dlcodegen.planner.category_words import DATA, DEEP_LEARNING, KEYWORDS, OTHER_WORK, PAIRS, TASKS

_ENOUGH = 4.0  # points from which on evidence counts as full: one clear pair
_BESIDE = 0.25  # what a point of the dataset's description counts beside those of the requirement
# What a point of evidence counts beside the odds of the readers that were trained, and how many points count: fitted
# to sentences that none of them was made with. There, words count far less than on those that they were chosen for.
_POINT, _MOST = 0.15, 9.0
_DECISIVE, _ALONE = 8.0, 0.3  # points that settle it, where no other category has more than that share of them
_SURE = 0.7  # odds of a category that words for another one do not overrule
_LIKELY, _LIKELY_WITHOUT_WORDS = 0.3, 0.5  # a category below this is a guess
_HARDLY_OTHER = 0.005  # odds below which a sentence asks for a task, however it begins: "What is this person doing?"


class Category(NamedTuple):
    """The best category, and how clear the choice was, from 0 to 1."""

    name: str
    confidence: float


def find_category(requirement: str, dataset: str = "", odds: Mapping[str, float] | None = None) -> Category:
    """The category with the most evidence; `other` where the goal cannot be told.

    `odds`: how likely those readers hold each category that were trained; the words then speak for or against it.
    Raises RequirementError when nothing in the requirement asks for a deep-learning task.
    """
    text = plain(requirement)
    found = scores(text, dataset) or scores(_spelt(text), dataset)
    category = _clearest(found) if odds is None else _weighed(found, odds)
    likely = odds is not None and category.name != "other" and category.confidence >= _LIKELY_WITHOUT_WORDS
    certain = likely and odds is not None and odds.get("other", 1.0) < _HARDLY_OTHER
    other_work = re.match(OTHER_WORK, text) and not _asks_for_a_model(text) and not certain
    if not _matches(DEEP_LEARNING, text) and (other_work or not (found or likely)):
        raise RequirementError(
            "this does not ask for a deep-learning task: say what should be learnt from which data, "
            'such as "classify chest X-rays as healthy or ill with a CNN"'
        )
    return category


def _clearest(found: Mapping[str, float]) -> Category:
    """By the words alone: the share of the best against the second, and whether there is enough of it."""
    if not found:
        return Category("other", 0.0)
    best, *others = sorted(found.items(), key=lambda item: -item[1])
    second = others[0][1] if others else 0.0
    share = best[1] / (best[1] + second)
    return Category(best[0], round(share * min(1.0, best[1] / _ENOUGH), 2))


def _weighed(found: Mapping[str, float], odds: Mapping[str, float]) -> Category:
    """The trained readers' odds, raised by what the words say: each point multiplies them.

    Words that say one thing twice over, and nothing else, decide, unless the others are sure of another one. Where no
    category is likely, words that are clear by themselves decide; else it is `other`.
    """
    surest = max(odds, key=lambda name: odds[name])
    if _is_decisive(found) and (surest == "other" or odds[surest] < _SURE):
        return _clearest(found)
    weights = {name: share * math.exp(_POINT * min(_MOST, found.get(name, 0.0))) for name, share in odds.items()}
    name = max(weights, key=lambda name: weights[name])
    confidence = weights[name] / sum(weights.values())
    likely = _LIKELY if found else _LIKELY_WITHOUT_WORDS
    if name != "other" and confidence >= likely:
        return Category(name, round(confidence, 2))
    clear = max(found.values(), default=0.0) >= _ENOUGH and odds.get("other", 0.0) < _LIKELY_WITHOUT_WORDS
    return _clearest(found) if clear else Category("other", round(confidence, 2))


def _is_decisive(found: Mapping[str, float]) -> bool:
    best, second = (*sorted(found.values(), reverse=True), 0.0, 0.0)[:2]
    return best >= _DECISIVE and second <= _ALONE * best


def scores(requirement: str, dataset: str = "") -> dict[str, float]:
    """Evidence for each category; beside a requirement that says something a dataset's description counts a quarter."""
    text, described = plain(requirement), plain(dataset)
    tasks = _named(TASKS, text)
    total = _evidence(text, tasks)
    if not total:
        return _evidence(described, tasks or _named(TASKS, described))
    for category, points in _evidence(described, tasks).items():
        total[category] = total.get(category, 0) + _BESIDE * points
    return total


def _evidence(text: str, tasks: set[str]) -> dict[str, float]:
    """Points of each category for its own phrases, and for data in this text that is used for one of the tasks."""
    total: dict[str, float] = {}
    if not text:
        return total
    for category, phrases in PHRASES.items():
        for points, pattern in phrases:
            if _matches(pattern, text):
                total[category] = total.get(category, 0) + points
    data = _named(DATA, text)
    for (kind, task), (category, points) in PAIRS.items():
        if kind in data and task in tasks:
            total[category] = total.get(category, 0) + points
    return total


def _named(patterns: Mapping[str, str], text: str) -> set[str]:
    return {name for name, pattern in patterns.items() if _matches(pattern, text)}


def plain(text: str) -> str:
    """Lower case, one space between words, and no "word" of more than 60 characters.

    The patterns look a few words ahead from every position: bounded words keep that cheap for any text.
    """
    return re.sub(r"\S{60}", r"\g<0> ", re.sub(r"\s+", " ", text.lower()).strip())


def _matches(pattern: str, text: str) -> bool:
    """Whether the pattern occurs as whole words; alphabets without spaces (Chinese) have no word borders."""
    return re.search(rf"(?<![a-zà-ÿ0-9_-])(?:{pattern})(?![a-zà-ÿ0-9_])", text) is not None


def _spelt(text: str) -> str:
    """The text with slips in the words that matter put right: `clasify` -> `classify`."""
    words = list(dict.fromkeys(re.findall(r"[a-z]{5,}", text)))[:100]
    for word in words:
        if close := difflib.get_close_matches(word, KEYWORDS, n=1, cutoff=0.84):
            text = re.sub(rf"\b{word}\b", close[0], text)
    return text


def _asks_for_a_model(text: str) -> bool:
    """`which customers ...?` and `who is speaking? speaker identification` ask by describing the task."""
    return re.search(r"classif|identif|recogni|detect|predict|forecast|caption for each", text) is not None
