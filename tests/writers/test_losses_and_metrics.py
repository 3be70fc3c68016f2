"""The losses and metrics that projects may be given: right values, finite gradients."""

import math
from typing import Any

import pytest

from dlcodegen.writers.block_source import block_classes


@pytest.fixture(scope="module")
def blocks() -> dict[str, Any]:
    """The blocks as a script would define them; this code is ours, so it may run here."""
    import math

    import torch
    from torch import Tensor, nn
    from torch.nn import functional

    names: dict[str, Any] = {"torch": torch, "nn": nn, "Tensor": Tensor, "F": functional, "math": math}
    sources = block_classes()
    wanted = [
        *(n for n in sources if n.endswith("Loss")),
        "BinaryCrossEntropy",
        *METRICS,
        "confusion",
        "binary_roc_auc",
    ]
    for name in sorted(set(wanted), key=list(sources).index):
        exec(sources[name], names)
    return names


METRICS = [
    "balanced_accuracy",
    "specificity",
    "mcc",
    "cohen_kappa",
    "top_5_accuracy",
    "class_scores",
    "positive_scores",
    "multiclass_roc_auc",
    "multiclass_average_precision",
    "average_precision",
    "r2",
    "mape",
    "smape",
    "rmsle",
]


@pytest.mark.parametrize("name", ["BinaryFocalLoss", "TverskyLoss", "DiceLoss", "IoULoss", "BCEDiceLoss"])
def test_a_mask_loss_falls_as_the_mask_gets_better(name: str, blocks: dict[str, Any]) -> None:
    torch = blocks["torch"]
    targets = (torch.rand(2, 1, 6, 5) > 0.5).float()
    losses = [blocks[name]()(confidence * (2 * targets - 1), targets).item() for confidence in (-3.0, 0.0, 3.0)]
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < 0.2


@pytest.mark.parametrize("name", ["FocalLoss", "BinaryCrossEntropy", "DiceLoss", "TverskyLoss", "CrossEntropyDiceLoss"])
@pytest.mark.parametrize("shape", [(8, 4), (2, 4, 5, 3)])
def test_a_class_loss_takes_ids_and_has_finite_gradients(
    name: str, shape: tuple[int, ...], blocks: dict[str, Any]
) -> None:
    torch = blocks["torch"]
    logits = torch.randn(shape, requires_grad=True)
    targets = torch.randint(0, 4, (shape[0], *shape[2:]))
    loss = blocks[name]()(logits, targets)
    loss.backward()
    assert loss.item() > 0
    assert torch.isfinite(logits.grad).all()


def test_regression_losses_are_zero_only_at_the_target(blocks: dict[str, Any]) -> None:
    torch = blocks["torch"]
    targets = torch.tensor([0.0, 1.0, -2.0])
    for name in ("LogCoshLoss", "QuantileLoss"):
        loss = blocks[name]()
        assert loss(targets, targets).item() == pytest.approx(0, abs=1e-6)
        assert loss(targets + 0.5, targets).item() > 0.05


def test_metrics_of_a_small_table_worked_out_by_hand(blocks: dict[str, Any]) -> None:
    """True 0 0 0 0 1 1, predicted 0 0 0 1 1 0: three right of four, one right of two."""
    torch = blocks["torch"]
    true, predicted = torch.tensor([0, 0, 0, 0, 1, 1]), torch.tensor([0, 0, 0, 1, 1, 0])
    assert blocks["balanced_accuracy"](predicted, true) == pytest.approx((0.75 + 0.5) / 2)
    assert blocks["specificity"](predicted, true) == pytest.approx(0.75)
    assert blocks["mcc"](predicted, true) == pytest.approx((1 * 3 - 1 * 1) / (2 * 4 * 2 * 4) ** 0.5)
    assert blocks["cohen_kappa"](predicted, true) == pytest.approx((4 / 6 - 20 / 36) / (1 - 20 / 36))
    positive, means = blocks["positive_scores"](predicted, true), blocks["class_scores"](predicted, true)
    assert positive == pytest.approx({"precision": 1 / 2, "recall": 1 / 2, "f1": 1 / 2, "iou": 1 / 3})
    assert means == pytest.approx({"precision": 0.625, "recall": 0.625, "f1": 0.625, "iou": (3 / 5 + 1 / 3) / 2})


def test_a_class_that_occurs_nowhere_has_no_part_in_the_means(blocks: dict[str, Any]) -> None:
    torch = blocks["torch"]
    labels = torch.tensor([0, 3, 3])
    assert blocks["class_scores"](labels, labels) == dict.fromkeys(("precision", "recall", "f1", "iou"), 1.0)
    nothing = torch.zeros(3)
    assert blocks["positive_scores"](nothing, nothing) == dict.fromkeys(("precision", "recall", "f1", "iou"), 0.0)


def test_ranking_metrics(blocks: dict[str, Any]) -> None:
    torch = blocks["torch"]
    scores, true = torch.tensor([0.9, 0.8, 0.7, 0.1]), torch.tensor([1.0, 0.0, 1.0, 0.0])
    assert blocks["binary_roc_auc"](scores, true) == pytest.approx(0.75)
    assert blocks["average_precision"](scores, true) == pytest.approx((1 + 2 / 3) / 2)
    logits = torch.eye(6)
    assert blocks["top_5_accuracy"](logits, torch.arange(6)) == 1.0
    assert blocks["multiclass_roc_auc"](logits, torch.arange(6)) == 1.0
    assert blocks["multiclass_average_precision"](logits, torch.arange(6)) == 1.0
    assert blocks["multiclass_average_precision"](-logits, torch.arange(6)) < 0.5


def test_regression_metrics(blocks: dict[str, Any]) -> None:
    torch = blocks["torch"]
    targets = torch.tensor([1.0, 2.0, 4.0])
    assert blocks["r2"](targets, targets) == 1.0
    assert blocks["r2"](targets.mean().expand(3), targets) == pytest.approx(0)
    assert blocks["mape"](1.1 * targets, targets) == pytest.approx(0.1, rel=1e-4)
    assert blocks["rmsle"](targets, targets) == 0
    assert blocks["rmsle"](torch.tensor([0.0, -5.0]), torch.tensor([math.e - 1, 0.0])) == pytest.approx(0.5**0.5)
    assert blocks["smape"](3 * targets, targets) == pytest.approx(1)
    assert blocks["smape"](0 * targets, 0 * targets) == 0
