"""When two samples are so alike that one of them is enough."""

from dlcodegen.corpus.importing.similarity import NEAR_DUPLICATE, likeness_of
from dlcodegen.corpus.sample import Sample
from dlcodegen.plan import layer_name

_OF_THE_SAME_KIND = 0.8
"""Likeness that is enough where both have the same kinds of layers in the same order, and the same loss."""


def nearly_same(one: Sample, other: Sample) -> bool:
    """Whether two samples are near-duplicates: nearly the same code, or much of it around the same layers and loss.

    Likeness of code alone tells little: scripts by one contract share most of their lines, whatever their models are.
    """
    enough = _OF_THE_SAME_KIND if _kind(one) == _kind(other) else NEAR_DUPLICATE
    return likeness_of(one.sketch, other.sketch) >= enough


def _kind(sample: Sample) -> list[str]:
    """Its layers without their numbers, and its loss."""
    plan = sample.plan
    return [*map(layer_name, plan.layers), plan.hyperparameters.loss_function]
