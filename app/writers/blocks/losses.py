"""Losses that torch does not have; all take raw outputs (logits where there are classes)."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class BinaryCrossEntropy(nn.Module):
    """Binary cross-entropy of each class against the rest: logits (N, classes, ...), class ids (N, ...)."""

    def forward(self, logits: Tensor, targets: Tensor) -> Tensor:
        one_hot = F.one_hot(targets, logits.shape[1]).movedim(-1, 1).to(logits.dtype)
        return F.binary_cross_entropy_with_logits(logits, one_hot)


class FocalLoss(nn.Module):
    """Cross-entropy that gives easy examples less weight: logits (N, classes, ...), class ids (N, ...)."""

    def __init__(self, gamma: float = 2.0) -> None:
        super().__init__()
        self.gamma = gamma

    def forward(self, logits: Tensor, targets: Tensor) -> Tensor:
        cross_entropy = F.cross_entropy(logits, targets, reduction="none")
        return ((1 - torch.exp(-cross_entropy)) ** self.gamma * cross_entropy).mean()


class BinaryFocalLoss(nn.Module):
    """Binary cross-entropy that gives easy examples less weight; logits and targets of one shape."""

    def __init__(self, gamma: float = 2.0) -> None:
        super().__init__()
        self.gamma = gamma

    def forward(self, logits: Tensor, targets: Tensor) -> Tensor:
        cross_entropy = F.binary_cross_entropy_with_logits(logits, targets, reduction="none")
        return ((1 - torch.exp(-cross_entropy)) ** self.gamma * cross_entropy).mean()


class TverskyLoss(nn.Module):
    """One minus a soft Tversky index; `alpha` weighs what is found wrongly, `beta` what is missed.

    Logits and targets of one shape; with class ids as targets (N, ...) for logits (N, classes, ...), the mean over
    the classes.
    """

    def __init__(self, alpha: float = 0.3, beta: float = 0.7, smooth: float = 1.0) -> None:
        super().__init__()
        self.alpha, self.beta, self.smooth = alpha, beta, smooth

    def forward(self, logits: Tensor, targets: Tensor) -> Tensor:
        if targets.dtype == torch.long:
            found = torch.softmax(logits, dim=1)
            targets = F.one_hot(targets, logits.shape[1]).movedim(-1, 1).to(logits.dtype)
        else:
            found = torch.sigmoid(logits)
        places = tuple(range(2, logits.dim())) or (0,)
        overlap = (found * targets).sum(places)
        wrong, missed = (found * (1 - targets)).sum(places), ((1 - found) * targets).sum(places)
        index = (overlap + self.smooth) / (overlap + self.alpha * wrong + self.beta * missed + self.smooth)
        return 1 - index.mean()


class DiceLoss(TverskyLoss):
    """One minus the soft Dice coefficient."""

    def __init__(self) -> None:
        super().__init__(alpha=0.5, beta=0.5)


class IoULoss(TverskyLoss):
    """One minus the soft intersection over union."""

    def __init__(self) -> None:
        super().__init__(alpha=1.0, beta=1.0)


class BCEDiceLoss(nn.Module):
    """Binary cross-entropy plus Dice loss, both on logits."""

    def __init__(self) -> None:
        super().__init__()
        self.dice = DiceLoss()

    def forward(self, logits: Tensor, targets: Tensor) -> Tensor:
        return F.binary_cross_entropy_with_logits(logits, targets) + self.dice(logits, targets)


class CrossEntropyDiceLoss(nn.Module):
    """Cross-entropy plus the mean Dice loss of the classes: logits (N, classes, ...), class ids (N, ...)."""

    def __init__(self) -> None:
        super().__init__()
        self.dice = DiceLoss()

    def forward(self, logits: Tensor, targets: Tensor) -> Tensor:
        return F.cross_entropy(logits, targets) + self.dice(logits, targets)


class LogCoshLoss(nn.Module):
    """Squared error near zero, absolute error far from it, and smooth between."""

    def forward(self, outputs: Tensor, targets: Tensor) -> Tensor:
        error = outputs - targets
        return (error + F.softplus(-2 * error) - math.log(2)).mean()


class QuantileLoss(nn.Module):
    """Pinball loss of one quantile; 0.5 forecasts the median."""

    def __init__(self, quantile: float = 0.5) -> None:
        super().__init__()
        self.quantile = quantile

    def forward(self, outputs: Tensor, targets: Tensor) -> Tensor:
        error = targets - outputs
        return torch.maximum(self.quantile * error, (self.quantile - 1) * error).mean()
