"""The field's terms: how people write them, what the code calls them. One table each, for planner and checks alike."""

from dlcodegen.vocabulary.architectures import ARCHITECTURES, UNBUILT
from dlcodegen.vocabulary.labels import SEVERAL_LABELS
from dlcodegen.vocabulary.terms import Term, find, term
from dlcodegen.vocabulary.training import BINARY_CROSS_ENTROPY_CODE, LOSSES, METRICS, OPTIMIZERS, metric_keys

__all__ = [
    "ARCHITECTURES",
    "BINARY_CROSS_ENTROPY_CODE",
    "LOSSES",
    "METRICS",
    "OPTIMIZERS",
    "SEVERAL_LABELS",
    "UNBUILT",
    "Term",
    "find",
    "metric_keys",
    "term",
]
