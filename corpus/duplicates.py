"""When two samples are so alike that one of them is enough."""

from dlcodegen.corpus.importing.similarity import NEAR_DUPLICATE, likeness_of
from dlcodegen.corpus.sample import Sample
from dlcodegen.plan import layer_name

_WITH_THE_SAME_LAYERS = 0.8
"""Likeness that is enough where both have the same kinds of layers in the same order."""


def nearly_same(one: Sample, other: Sample) -> bool:
    """Whether two samples are near-duplicates: nearly the same code, or much of it around the same layers.

    Likeness of code alone tells little: scripts by one contract share most of their lines, whatever their models are.
    """
    kinds, other_kinds = ([layer_name(layer) for layer in sample.plan.layers] for sample in (one, other))
    enough = _WITH_THE_SAME_LAYERS if kinds == other_kinds else NEAR_DUPLICATE
    return likeness_of(one.sketch, other.sketch) >= enough
