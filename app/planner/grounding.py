"""What holds a plan to the requirement: the samples that are like it, and the stated facts in every part of it."""

import re
from typing import NamedTuple

from dlcodegen.categories import NEIGHBOURS
from dlcodegen.corpus.pool import Pool
from dlcodegen.corpus.retrieval import rank_by_words
from dlcodegen.plan import SolutionPlan
from dlcodegen.planner.layer_grounding import grounded_layers
from dlcodegen.planner.protocol import PlanRequest
from dlcodegen.planner.shown_facts import with_absent
from dlcodegen.planner.state_facts import with_facts
from dlcodegen.report import Fact

_TEXTS = ("input", "output", "preprocess")
_TRAINING = {
    "framework", "optimizer", "loss", "learning_rate", "batch_size", "epochs", "metric", "momentum", "weight_decay",
    "nesterov",
}  # fmt: skip
"""Facts that stand among the hyperparameters: their numbers say nothing of the data or the layers."""
_SIZE = re.compile(r"(\d+)\s?[x×]\s?(\d+)")


class Fitting(NamedTuple):
    """Samples that a plan of some category and framework can be made after."""

    ids: list[str]
    own: bool
    """They are of this category and framework; otherwise they stand in."""


def fitting(category: str, framework: str, pool: Pool) -> Fitting:
    """Shipped samples of both; else of the category alone, else of its nearest neighbour that has some, else all."""
    samples = list(pool.shipped.values())
    # The framework is read from the code, which takes a hundredth of a second: only where the category is right.
    if own := [sample.id for sample in samples if sample.category == category and sample.framework == framework]:
        return Fitting(own, True)
    for name in (category, *NEIGHBOURS[category]):
        if found := [sample.id for sample in samples if sample.category == name]:
            return Fitting(found, False)
    return Fitting(list(pool.shipped), False)


def grounded(plan: SolutionPlan, request: PlanRequest, pool: Pool) -> SolutionPlan:
    """A plan that no sample stands behind, with what is stated in it.

    The sample that is nearest by the words, with the facts set, tells what each part must hold: no part holds less of
    what is stated than the nearest planner's. A part that holds it stays as it was written; one that does not is
    written anew: its numbers by the sample's settings, else the sample's part.
    """
    facts = request.facts
    ids = fitting(plan.category, request.framework, pool).ids
    sample = rank_by_words(request.requirement, facts, ids, pool)[0].sample
    own, changed = with_facts(sample.plan, facts, sample), with_facts(plan, facts, sample)
    shapes = [fact for fact in facts if fact["name"] not in _TRAINING]
    texts = {
        part: _first_that_holds([getattr(plan, part), getattr(changed, part)], getattr(own, part), shapes)
        for part in _TEXTS
    }
    layers = grounded_layers(plan.layers, own.layers, {fact["name"]: fact["value"] for fact in shapes})
    changes = {**texts, "layers": layers, "hyperparameters": changed.hyperparameters}
    return with_absent(plan.model_copy(update=changes), facts)


def _first_that_holds(texts: list[str], own: str, facts: list[Fact]) -> str:
    """The first text that holds every stated value that `own` holds; `own` where none does."""
    stated = _words(own) & {word for fact in facts for word in _words(_spelt(fact["value"]))}
    sizes = set(_SIZE.findall(own)) if any(fact["name"] == "image_height" for fact in facts) else set()
    return next((text for text in texts if stated <= _words(text) and sizes <= set(_SIZE.findall(text))), own)


def _spelt(value: object) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


def _words(text: str) -> set[str]:
    """Words and numbers, sizes taken apart: `28x28` holds `28`; a split such as `70/15/15` is one."""
    apart = _SIZE.sub(r"\1 \2", text.lower())
    return set(re.findall(r"\d+(?:/\d+)+|\d+(?:\.\d+)?|[^\W\d_]+", apart))
