"""When two samples are so alike that one of them is enough."""

from collections.abc import Sequence

from dlcodegen.corpus.importing.similarity import NEAR_DUPLICATE, Sketch, likeness_of, sketch
from dlcodegen.corpus.sample import Sample
from dlcodegen.plan import layer_name

_COPY = 0.97
"""Likeness from which on the layers do not matter: one changed line in thirty."""


def nearly_same(one: Sample, other: Sample) -> bool:
    """Whether two samples are near-duplicates."""
    return alike(one.plan.layers, sketch(one.code), other.plan.layers, sketch(other.code))


def alike(layers: Sequence[str], code: Sketch, other_layers: Sequence[str], other_code: Sketch) -> bool:
    """Whether both are the same code but for a line or two, or nearly the same with the same kinds of layers.

    Code alone does not tell: scripts by one contract share most of their lines, whatever their models are.
    """
    kinds, other_kinds = ([layer_name(layer) for layer in found] for found in (layers, other_layers))
    return likeness_of(code, other_code) >= (NEAR_DUPLICATE if kinds == other_kinds else _COPY)
