"""The grammar of the training data: a topic, a phrasing, a sample of the pool, a few stated settings -> a row.

The plan of a row is the sample's own with everything that the row states set in it, by the very code that sets it for
users: what the predictor learns is what the pool can ground and the writers can write.
"""

import json
from collections.abc import Iterator
from functools import cache
from random import Random
from typing import NamedTuple, TypeVar

from dlcodegen.categories import CATEGORIES, title
from dlcodegen.corpus.pool import shipped_pool
from dlcodegen.corpus.retrieval import rank_by_words
from dlcodegen.corpus.sample import Sample
from dlcodegen.planner.grounding import fitting
from dlcodegen.planner.recipe.material import (
    Material,
    Topic,
    in_other_languages,
    material,
    what_is_no_task,
    whole_requests,
)
from dlcodegen.planner.recipe.statements import statements
from dlcodegen.planner.recipe.wording import as_typed
from dlcodegen.planner.state_facts import with_facts
from dlcodegen.planner.stated import read_stated
from dlcodegen.report import Fact

_DEV_EVERY = 12
"""Every so many topics one is kept for the dev rows: they tell how topics fare that were never seen."""

_OTHER_LANGUAGES = 0.05
"""Share of rows that are not in English."""
_KERAS = 0.25
"""Share of rows for Keras."""
_Item = TypeVar("_Item")


class Pair(NamedTuple):
    """One row: what somebody asks for, and the plan."""

    requirement: str
    dataset: str
    plan_text: str
    framework: str


def pairs(count: int, seed: int, dev: bool = False, no_tasks: float = 0.04) -> Iterator[Pair]:
    """So many rows; `dev`: of topics that the others never show; `no_tasks`: share of rows that ask for no plan.

    Wide categories come more often than narrow ones.
    """
    random = Random(f"{seed} {dev}")
    written = {category: material(category) for category in CATEGORIES if category != "other"}
    weights = [len(each.topics) ** 0.7 for each in written.values()]
    for _ in range(count):
        if random.random() < no_tasks:
            yield _no_task(_kept(what_is_no_task(), dev), random)
            continue
        if random.random() < _OTHER_LANGUAGES:
            yield _in_another_language(random.choice(_kept(in_other_languages(), dev)), random)
            continue
        chosen = random.choices(list(written.values()), weights)[0]
        yield _pair(chosen, random.choice(_kept(chosen.topics, dev)), random)


def requests() -> Iterator[Pair]:
    """The requests that are written as a whole, each once; of their plans only the category is known."""
    for row in whole_requests():
        yield Pair(row["requirement"], row["dataset"], json.dumps({"Task Category": title(row["category"])}), "")


def _kept(items: list[_Item], dev: bool) -> list[_Item]:
    return [item for place, item in enumerate(items) if (place % _DEV_EVERY == 0) == dev]


def _no_task(lines: list[str], random: Random) -> Pair:
    plan_text = json.dumps({"Task Category": title("other")})
    return Pair(as_typed(random.choice(lines), random), "", plan_text, _framework(random))


def _in_another_language(row: dict[str, str], random: Random) -> Pair:
    category, framework = row["category"], _framework(random)
    requirement = as_typed(row["requirement"], random)
    facts = list(read_stated(requirement, "", category, framework).facts.values())
    ids = fitting(category, framework, shipped_pool()).ids
    sample = rank_by_words(row["requirement"], facts, ids, shipped_pool())[0].sample
    return _stated(requirement, "", sample, facts, framework)


def _stated(requirement: str, dataset: str, sample: Sample, facts: list[Fact], framework: str) -> Pair:
    plan = with_facts(sample.plan, facts, sample)
    return Pair(requirement, dataset, json.dumps(plan.to_paper(), ensure_ascii=False), framework)


def _framework(random: Random) -> str:
    return "keras" if random.random() < _KERAS else "pytorch"


def _pair(written: Material, topic: Topic, random: Random) -> Pair:
    framework = _framework(random)
    sample, model = _sample(written, topic, framework, random)
    requirement = _requirement(written, topic, model, random)
    dataset = random.choice(topic.datasets) if random.random() < 0.7 else ""
    if not dataset and random.random() < 0.2:
        requirement = f"{requirement.rstrip('.')}. {random.choice(topic.datasets)}"
    facts = list(read_stated(requirement, dataset, topic.category, framework).facts.values())
    return _stated(requirement, dataset, sample, facts, framework)


def _sample(written: Material, topic: Topic, framework: str, random: Random) -> tuple[Sample, str]:
    """The sample to plan after, and how its architecture is named; empty where the requirement names none."""
    pool = _samples(topic.category)
    ours = {name: sample for name, sample in pool.items() if sample.framework == framework} or pool
    fitting = [name for name in topic.samples if name in ours] or [_likest(topic.samples, ours)]
    if random.random() < 0.5:
        return ours[fitting[0] if random.random() < 0.8 else random.choice(fitting)], ""
    name = random.choice(fitting) if random.random() < 0.5 else random.choice(list(ours))
    return ours[name], random.choice(written.architectures[name])


def _likest(names: list[str], ours: dict[str, Sample]) -> str:
    """The sample whose layers are most like those of the first that the topic names, in another framework."""
    wanted = {layer.split("(")[0] for layer in _all()[names[0]].plan.layers} if names[0] in _all() else set()
    return max(ours, key=lambda name: len(wanted & {layer.split("(")[0] for layer in ours[name].plan.layers}))


def _requirement(written: Material, topic: Topic, model: str, random: Random) -> str:
    phrasing = random.choice([line for line in written.phrasings if ("{model}" in line) == bool(model)])
    slots = {
        "goal": random.choice(topic.goals),
        "title": random.choice(topic.titles),
        "inputs": random.choice(topic.inputs),
    }
    text = phrasing.format(model=model, **slots)
    stated = statements(topic.category, random.choices((0, 1, 2, 3, 4), (45, 25, 15, 10, 5))[0], random)
    if stated:
        text = f"{text.rstrip('. ')}{random.choice((', ', '. ', ' - ', '; ', ' with '))}{', '.join(stated)}"
    return as_typed(text[0].upper() + text[1:] if random.random() < 0.6 else text, random)


@cache
def _samples(category: str) -> dict[str, Sample]:
    """Name -> sample of the category."""
    return {
        sample.id.split("/")[1]: sample for sample in shipped_pool().shipped.values() if sample.category == category
    }


@cache
def _all() -> dict[str, Sample]:
    return {sample.id.split("/")[1]: sample for sample in shipped_pool().shipped.values()}
