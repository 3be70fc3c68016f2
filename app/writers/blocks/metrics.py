"""Metrics that samples do not report by themselves. Class ids or labels as whole numbers, scores as logits."""

import torch
from torch import Tensor


def confusion(predicted: Tensor, true: Tensor) -> Tensor:
    """Counts (classes, classes): row = true class, column = predicted class."""
    predicted, true = predicted.flatten().long(), true.flatten().long()
    classes = int(torch.maximum(predicted.max(), true.max())) + 1
    return torch.bincount(true * classes + predicted, minlength=classes**2).view(classes, classes).double()


def balanced_accuracy(predicted: Tensor, true: Tensor) -> float:
    """Mean recall over the classes that occur."""
    table = confusion(predicted, true)
    present = table.sum(1) > 0
    return (table.diag()[present] / table.sum(1)[present]).mean().item()


def specificity(predicted: Tensor, true: Tensor) -> float:
    """Share of the examples of other classes that were not given the class, averaged over the classes."""
    table = confusion(predicted, true)
    if len(table) == 2:
        return (table[0, 0] / table[0].sum().clamp(min=1)).item()
    wrong = table.sum(0) - table.diag()
    others = table.sum() - table.sum(1)
    return (1 - wrong / others.clamp(min=1)).mean().item()


def mcc(predicted: Tensor, true: Tensor) -> float:
    """Matthews correlation coefficient for any number of classes, 0 where it is undefined."""
    table = confusion(predicted, true)
    right, total = table.diag().sum(), table.sum()
    found, wanted = table.sum(0), table.sum(1)
    scale = ((total**2 - (found**2).sum()) * (total**2 - (wanted**2).sum())).sqrt()
    return ((right * total - (found * wanted).sum()) / scale).item() if scale > 0 else 0.0


def cohen_kappa(predicted: Tensor, true: Tensor) -> float:
    """Agreement beyond chance, 0 where it is undefined."""
    table = confusion(predicted, true)
    total = table.sum()
    agreed, chance = table.diag().sum() / total, (table.sum(0) * table.sum(1)).sum() / total**2
    return ((agreed - chance) / (1 - chance)).item() if chance < 1 else 0.0


def class_scores(predicted: Tensor, true: Tensor) -> dict[str, float]:
    """Means over the classes that occur of precision, recall, F1 (the Dice coefficient) and IoU."""
    table = confusion(predicted, true)
    hits, found, wanted = table.diag(), table.sum(0), table.sum(1)
    scores = {
        "precision": hits / found.clamp(min=1),
        "recall": hits / wanted.clamp(min=1),
        "f1": 2 * hits / (found + wanted).clamp(min=1),
        "iou": hits / (found + wanted - hits).clamp(min=1),
    }
    return {name: each[found + wanted > 0].mean().item() for name, each in scores.items()}


def positive_scores(predicted: Tensor, true: Tensor) -> dict[str, float]:
    """Precision, recall, F1 and IoU of the positive examples, 0 where there are none."""
    predicted, true = predicted.flatten() > 0.5, true.flatten() > 0.5
    hits, found, wanted = (rows.sum().item() for rows in (predicted & true, predicted, true))
    return {
        "precision": hits / max(1, found),
        "recall": hits / max(1, wanted),
        "f1": 2 * hits / max(1, found + wanted),
        "iou": hits / max(1, found + wanted - hits),
    }


def top_5_accuracy(logits: Tensor, true: Tensor) -> float:
    """Share of examples whose class is among the five with the highest logits."""
    best = logits.topk(min(5, logits.shape[1]), dim=1).indices
    return (best == true.unsqueeze(1)).any(dim=1).float().mean().item()


def binary_roc_auc(scores: Tensor, true: Tensor) -> float:
    """Chance that a positive example scores above a negative one; 0.5 when one of them is missing."""
    scores, positive = scores.flatten().double(), true.flatten() > 0.5
    count = int(positive.sum())
    if count in (0, len(positive)):
        return 0.5
    _, groups, sizes = torch.unique(scores, return_inverse=True, return_counts=True)
    ranks = (sizes.cumsum(0) - (sizes - 1) / 2)[groups]
    others = len(positive) - count
    return ((ranks[positive].sum() - count * (count + 1) / 2) / (count * others)).item()


def multiclass_roc_auc(logits: Tensor, true: Tensor) -> float:
    """Mean over the classes of each class against the rest."""
    areas = [binary_roc_auc(logits.softmax(1)[:, index], (true == index).float()) for index in range(logits.shape[1])]
    return sum(areas) / len(areas)


def average_precision(scores: Tensor, true: Tensor) -> float:
    """Area under the precision-recall curve, as a step function."""
    order = scores.flatten().argsort(descending=True)
    hits = (true.flatten()[order] > 0.5).double()
    precision = hits.cumsum(0) / torch.arange(1, len(hits) + 1)
    return ((precision * hits).sum() / hits.sum().clamp(min=1)).item()


def multiclass_average_precision(logits: Tensor, true: Tensor) -> float:
    """Mean over the classes of each class against the rest."""
    areas = [
        average_precision(logits.softmax(1)[:, index], (true == index).float()) for index in range(logits.shape[1])
    ]
    return sum(areas) / len(areas)


def r2(outputs: Tensor, targets: Tensor) -> float:
    """Share of the variance that is explained."""
    spread = ((targets - targets.mean()) ** 2).sum().clamp(min=1e-12)
    return (1 - ((outputs - targets) ** 2).sum() / spread).item()


def mape(outputs: Tensor, targets: Tensor) -> float:
    """Mean absolute error as a share of the target; targets near zero are left out."""
    usable = targets.abs() > 1e-6
    return ((outputs - targets)[usable].abs() / targets[usable].abs()).mean().nan_to_num().item()


def rmsle(outputs: Tensor, targets: Tensor) -> float:
    """Root of the mean squared error of the logarithms of one more; what is below zero counts as zero."""
    logs = [values.clamp(min=0).log1p() for values in (outputs, targets)]
    return ((logs[0] - logs[1]) ** 2).mean().sqrt().item()


def smape(outputs: Tensor, targets: Tensor) -> float:
    """Mean absolute error as a share of the mean size of output and target, from 0 to 2."""
    sizes = (outputs.abs() + targets.abs()).clamp(min=1e-8) / 2
    return ((outputs - targets).abs() / sizes).mean().item()
