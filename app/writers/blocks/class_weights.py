"""Weights of classes for a loss that takes them."""

import torch
from torch import Tensor
from torch.utils.data import DataLoader


def class_weights(loader: DataLoader, num_classes: int) -> Tensor:
    """Weights (num_classes,) that let rare classes count as much as frequent ones: 1 where all are as frequent."""
    counts = torch.zeros(num_classes)
    for *_, targets in loader:
        counts += torch.bincount(targets, minlength=num_classes)
    return counts.sum() / (num_classes * counts.clamp(min=1))
