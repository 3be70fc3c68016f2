"""Weights of classes for `fit`."""

import numpy as np


def class_weights(targets: np.ndarray) -> dict[int, float]:
    """Class number -> weight that lets rare classes count as much as frequent ones: 1 where all are as frequent."""
    classes, counts = np.unique(targets, return_counts=True)
    weights = counts.sum() / (len(classes) * counts)
    return {int(label): float(weight) for label, weight in zip(classes, weights, strict=True)}
