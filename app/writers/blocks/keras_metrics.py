"""Metrics of Keras scripts in NumPy. Class numbers or labels as whole numbers, scores as logits."""

import numpy as np


def confusion(predicted: np.ndarray, true: np.ndarray) -> np.ndarray:
    """Counts (classes, classes): row = true class, column = predicted class."""
    predicted, true = predicted.ravel().astype(int), true.ravel().astype(int)
    classes = int(max(predicted.max(), true.max())) + 1
    return np.bincount(true * classes + predicted, minlength=classes**2).reshape(classes, classes).astype(float)


def balanced_accuracy(predicted: np.ndarray, true: np.ndarray) -> float:
    """Mean recall over the classes that occur."""
    table = confusion(predicted, true)
    present = table.sum(axis=1) > 0
    return float((table.diagonal()[present] / table.sum(axis=1)[present]).mean())


def specificity(predicted: np.ndarray, true: np.ndarray) -> float:
    """Share of the examples of other classes that were not given the class, averaged over the classes."""
    table = confusion(predicted, true)
    if len(table) == 2:
        return float(table[0, 0] / max(1.0, table[0].sum()))
    wrong = table.sum(axis=0) - table.diagonal()
    others = table.sum() - table.sum(axis=1)
    return float((1 - wrong / np.maximum(others, 1)).mean())


def mcc(predicted: np.ndarray, true: np.ndarray) -> float:
    """Matthews correlation coefficient for any number of classes, 0 where it is undefined."""
    table = confusion(predicted, true)
    right, total = table.diagonal().sum(), table.sum()
    found, wanted = table.sum(axis=0), table.sum(axis=1)
    scale = np.sqrt((total**2 - (found**2).sum()) * (total**2 - (wanted**2).sum()))
    return float((right * total - (found * wanted).sum()) / scale) if scale > 0 else 0.0


def cohen_kappa(predicted: np.ndarray, true: np.ndarray) -> float:
    """Agreement beyond chance, 0 where it is undefined."""
    table = confusion(predicted, true)
    total = table.sum()
    agreed, chance = table.diagonal().sum() / total, (table.sum(axis=0) * table.sum(axis=1)).sum() / total**2
    return float((agreed - chance) / (1 - chance)) if chance < 1 else 0.0


def class_scores(predicted: np.ndarray, true: np.ndarray) -> dict[str, float]:
    """Means over the classes that occur of precision, recall, F1 (the Dice coefficient) and IoU."""
    table = confusion(predicted, true)
    hits, found, wanted = table.diagonal(), table.sum(axis=0), table.sum(axis=1)
    scores = {
        "precision": hits / np.maximum(found, 1),
        "recall": hits / np.maximum(wanted, 1),
        "f1": 2 * hits / np.maximum(found + wanted, 1),
        "iou": hits / np.maximum(found + wanted - hits, 1),
    }
    return {name: float(each[found + wanted > 0].mean()) for name, each in scores.items()}


def positive_scores(predicted: np.ndarray, true: np.ndarray) -> dict[str, float]:
    """Precision, recall, F1 and IoU of the positive examples, 0 where there are none."""
    predicted, true = predicted.ravel() > 0.5, true.ravel() > 0.5
    hits, found, wanted = (float(rows.sum()) for rows in (predicted & true, predicted, true))
    return {
        "precision": hits / max(1.0, found),
        "recall": hits / max(1.0, wanted),
        "f1": 2 * hits / max(1.0, found + wanted),
        "iou": hits / max(1.0, found + wanted - hits),
    }


def top_5_accuracy(logits: np.ndarray, true: np.ndarray) -> float:
    """Share of examples whose class is among the five with the highest logits."""
    best = (-logits).argsort(axis=-1)[..., :5]
    return float((best == true.reshape(*logits.shape[:-1], 1)).any(axis=-1).mean())


def binary_roc_auc(scores: np.ndarray, true: np.ndarray) -> float:
    """Chance that a positive example scores above a negative one; 0.5 when one of them is missing."""
    scores, positive = scores.ravel(), true.ravel() > 0.5
    count = int(positive.sum())
    if count in (0, len(positive)):
        return 0.5
    _, groups, sizes = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (sizes.cumsum() - (sizes - 1) / 2)[groups]
    others = len(positive) - count
    return float((ranks[positive].sum() - count * (count + 1) / 2) / (count * others))


def class_shares(logits: np.ndarray) -> np.ndarray:
    """How likely each class is."""
    shares = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return shares / shares.sum(axis=-1, keepdims=True)


def multiclass_roc_auc(logits: np.ndarray, true: np.ndarray) -> float:
    """Mean over the classes of each class against the rest."""
    shares = class_shares(logits)
    return float(np.mean([binary_roc_auc(shares[..., index], true == index) for index in range(logits.shape[-1])]))


def average_precision(scores: np.ndarray, true: np.ndarray) -> float:
    """Area under the precision-recall curve, as a step function."""
    order = (-scores.ravel()).argsort(kind="stable")
    hits = (true.ravel()[order] > 0.5).astype(float)
    precision = hits.cumsum() / np.arange(1, len(hits) + 1)
    return float((precision * hits).sum() / max(1.0, hits.sum()))


def multiclass_average_precision(logits: np.ndarray, true: np.ndarray) -> float:
    """Mean over the classes of each class against the rest."""
    shares = class_shares(logits)
    return float(np.mean([average_precision(shares[..., index], true == index) for index in range(logits.shape[-1])]))


def r2(outputs: np.ndarray, targets: np.ndarray) -> float:
    """Share of the variance that is explained."""
    outputs = outputs.reshape(targets.shape)
    spread = max(float(((targets - targets.mean()) ** 2).sum()), 1e-12)
    return 1 - float(((outputs - targets) ** 2).sum()) / spread


def mape(outputs: np.ndarray, targets: np.ndarray) -> float:
    """Mean absolute error as a share of the target; targets near zero are left out."""
    usable = np.abs(targets) > 1e-6
    errors = np.abs(outputs.reshape(targets.shape) - targets)[usable] / np.abs(targets[usable])
    return float(errors.mean()) if usable.any() else 0.0


def rmsle(outputs: np.ndarray, targets: np.ndarray) -> float:
    """Root of the mean squared error of the logarithms of one more; what is below zero counts as zero."""
    logs = [np.log1p(np.maximum(values.ravel(), 0)) for values in (outputs, targets)]
    return float(np.sqrt(((logs[0] - logs[1]) ** 2).mean()))


def smape(outputs: np.ndarray, targets: np.ndarray) -> float:
    """Mean absolute error as a share of the mean size of output and target, from 0 to 2."""
    outputs = outputs.reshape(targets.shape)
    sizes = np.maximum(np.abs(outputs) + np.abs(targets), 1e-8) / 2
    return float((np.abs(outputs - targets) / sizes).mean())
