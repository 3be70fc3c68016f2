"""When two samples are so alike that one of them is enough."""

from dlcodegen.corpus.importing.similarity import NEAR_DUPLICATE, likeness_of
from dlcodegen.corpus.sample import Sample
from dlcodegen.plan import layer_name


def nearly_same(one: Sample, other: Sample) -> bool:
    """Whether two samples are near-duplicates: the same kinds of layers, and nearly the same code.

    Code alone does not tell: scripts by one contract share most of their lines, whatever their models are.
    """
    kinds, other_kinds = ([layer_name(layer) for layer in sample.plan.layers] for sample in (one, other))
    return kinds == other_kinds and likeness_of(one.sketch, other.sketch) >= NEAR_DUPLICATE
