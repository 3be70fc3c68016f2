"""What a plan's optimizer, loss and metrics are in code, for the kinds of outputs a script can have."""

import ast
from typing import Literal

from dlcodegen import vocabulary
from dlcodegen.execution.code_view import dotted
from dlcodegen.plan import layer_call, layer_name
from dlcodegen.report import Fact

Family = Literal["multiclass", "binary", "regression"]

_FAMILIES: dict[str, Family] = {
    "CrossEntropyLoss": "multiclass",
    "CrossEntropyDiceLoss": "multiclass",
    "BCEWithLogitsLoss": "binary",
    "BCEDiceLoss": "binary",
    "MSELoss": "regression",
    "L1Loss": "regression",
    "SmoothL1Loss": "regression",
    "HuberLoss": "regression",
}
_LOSSES: dict[Family, dict[str, str]] = {
    "multiclass": {
        "cross-entropy": "nn.CrossEntropyLoss()",
        "cross-entropy + Dice": "CrossEntropyDiceLoss()",
        "binary cross-entropy": "BinaryCrossEntropy()",
        "focal loss": "FocalLoss()",
        "Dice loss": "DiceLoss()",
        "Tversky loss": "TverskyLoss()",
        "IoU loss": "IoULoss()",
        "hinge loss": "nn.MultiMarginLoss()",
    },
    "binary": {
        "cross-entropy": "nn.BCEWithLogitsLoss()",
        "binary cross-entropy": "nn.BCEWithLogitsLoss()",
        "binary cross-entropy + Dice": "BCEDiceLoss()",
        "cross-entropy + Dice": "BCEDiceLoss()",
        "focal loss": "BinaryFocalLoss()",
        "Dice loss": "DiceLoss()",
        "Tversky loss": "TverskyLoss()",
        "IoU loss": "IoULoss()",
    },
    "regression": {
        "mean squared error": "nn.MSELoss()",
        "mean absolute error": "nn.L1Loss()",
        "Huber": "nn.HuberLoss()",
        "smooth L1": "nn.SmoothL1Loss()",
        "log-cosh": "LogCoshLoss()",
        "quantile loss": "QuantileLoss()",
    },
}
_LABEL_METRICS = ("balanced_accuracy", "specificity", "mcc", "cohen_kappa")
_SHARED_SCORES = {"precision": "precision", "recall": "recall", "f1": "f1", "dice": "f1", "iou": "iou"}
_TAKES: dict[str, set[str]] = {
    "momentum": {"SGD", "RMSprop"},
    "nesterov": {"SGD"},
    "betas": {"Adam", "AdamW", "NAdam", "RAdam", "Adamax"},
    "weight_decay": {term.name for term in vocabulary.OPTIMIZERS} - {"LBFGS"},
    "amsgrad": {"Adam", "AdamW"},
}


def family(loss: ast.expr | None) -> Family | None:
    """What kind of outputs a script has, by the expression of its loss; None for a loss of its own kind."""
    name = dotted(loss.func).split(".")[-1] if isinstance(loss, ast.Call) else ""
    return _FAMILIES.get(name)


def outputs_family(documented: str) -> Family | None:
    """What `compute_metrics` gets, where its docstring says so: scores of anomalies are none of what the loss sees."""
    if "targets (N,) are 0 or 1" in documented:
        return "binary"
    return "multiclass" if "logits (N, num_classes)" in documented else None


def loss_expression(planned: str, kind: Family, facts: list[Fact]) -> str | None:
    """The planned loss in code, or None where it does not suit this kind of output."""
    term = vocabulary.find(vocabulary.LOSSES, planned)
    expression = _LOSSES[kind].get(term.name) if term else None
    smoothing = next((fact["value"] for fact in facts if fact["name"] == "label_smoothing"), None)
    if expression == "nn.CrossEntropyLoss()" and smoothing is not None:
        return f"nn.CrossEntropyLoss(label_smoothing={smoothing})"
    return expression


def optimizer_expression(planned: str, call: ast.Call, facts: list[Fact]) -> str | None:
    """The planned optimizer in place of `call`: its parameters and learning rate, the arguments that fit the class.

    None where training is not written for it (LBFGS needs a closure).
    """
    name = layer_name(planned)
    if name == "LBFGS":
        return None
    arguments = {str(keyword.arg): ast.unparse(keyword.value) for keyword in call.keywords}
    planned_call = layer_call(planned)
    for keyword in planned_call.keywords if planned_call else []:
        if arguments.get(str(keyword.arg)) != f"config.{keyword.arg}":
            arguments[str(keyword.arg)] = ast.unparse(keyword.value)
    betas = next((fact["value"] for fact in facts if fact["name"] == "betas"), None)
    if betas:
        arguments["betas"] = f"({betas})"
    kept = {key: value for key, value in arguments.items() if name in _TAKES.get(key, {name})}
    positional = [ast.unparse(argument) for argument in call.args]
    return f"torch.optim.{name}({', '.join([*positional, *(f'{key}={value}' for key, value in kept.items())])})"


def metric_expression(name: str, kind: Family, outputs: str, targets: str) -> str | None:
    """Code that computes a metric from raw outputs and targets, or None where it does not suit them."""
    if kind == "regression":
        return {
            "mae": f"({outputs} - {targets}).abs().mean().item()",
            "mse": f"(({outputs} - {targets}) ** 2).mean().item()",
            "rmse": f"(({outputs} - {targets}) ** 2).mean().sqrt().item()",
            "mape": f"mape({outputs}, {targets})",
            "smape": f"smape({outputs}, {targets})",
            "rmsle": f"rmsle({outputs}, {targets})",
            "r2": f"r2({outputs}, {targets})",
        }.get(name)
    predicted = f"{outputs}.argmax(dim=1)" if kind == "multiclass" else f"{outputs} > 0"
    return label_metric(name, kind, predicted, targets) or score_metric(name, kind, outputs, targets)


def label_metric(name: str, kind: Family, predicted: str, targets: str) -> str | None:
    """A metric of predicted classes, in either framework."""
    if name in _LABEL_METRICS:
        return f"{name}({predicted}, {targets})"
    if name in _SHARED_SCORES:
        scores = "class_scores" if kind == "multiclass" else "positive_scores"
        return f'{scores}({predicted}, {targets})["{_SHARED_SCORES[name]}"]'
    return None


def score_metric(name: str, kind: Family, outputs: str, targets: str) -> str | None:
    """A metric of what is predicted before a class is chosen, in either framework."""
    if kind == "multiclass":
        return {
            "top_5_accuracy": f"top_5_accuracy({outputs}, {targets})",
            "roc_auc": f"multiclass_roc_auc({outputs}, {targets})",
            "average_precision": f"multiclass_average_precision({outputs}, {targets})",
        }.get(name)
    return {
        "roc_auc": f"binary_roc_auc({outputs}, {targets})",
        "average_precision": f"average_precision({outputs}, {targets})",
    }.get(name)
