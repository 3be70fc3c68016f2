"""What a plan's optimizer, loss and metrics are in Keras code: the counterpart of `expressions`."""

import ast

from dlcodegen import vocabulary
from dlcodegen.execution.code_view import dotted
from dlcodegen.plan import layer_call, layer_name
from dlcodegen.report import Fact
from dlcodegen.writers.expressions import Family, label_metric, score_metric

_FAMILIES: dict[str, Family] = {
    "SparseCategoricalCrossentropy": "multiclass",
    "LabelSmoothingCrossEntropy": "multiclass",
    "FocalLoss": "multiclass",
    "CrossEntropyDiceLoss": "multiclass",
    "BinaryCrossentropy": "binary",
    "BinaryFocalCrossentropy": "binary",
    "BCEDiceLoss": "binary",
    "MeanSquaredError": "regression",
    "MeanAbsoluteError": "regression",
    "Huber": "regression",
    "LogCosh": "regression",
    "QuantileLoss": "regression",
}
_OF_PROBABILITIES = ("SparseCategoricalCrossentropy", "BinaryCrossentropy", "BinaryFocalCrossentropy")
"""Losses that take probabilities unless they are told that outputs are logits."""
_LOSSES: dict[Family, dict[str, str]] = {
    "multiclass": {
        "cross-entropy": "keras.losses.SparseCategoricalCrossentropy(from_logits=True)",
        "cross-entropy + Dice": "CrossEntropyDiceLoss()",
        "binary cross-entropy": "BinaryCrossEntropy()",
        "focal loss": "FocalLoss()",
        "Dice loss": "DiceLoss()",
        "Tversky loss": "TverskyLoss()",
        "IoU loss": "IoULoss()",
    },
    "binary": {
        "cross-entropy": "keras.losses.BinaryCrossentropy(from_logits=True)",
        "binary cross-entropy": "keras.losses.BinaryCrossentropy(from_logits=True)",
        "binary cross-entropy + Dice": "BCEDiceLoss()",
        "cross-entropy + Dice": "BCEDiceLoss()",
        "focal loss": "keras.losses.BinaryFocalCrossentropy(from_logits=True)",
        "Dice loss": "DiceLoss()",
        "Tversky loss": "TverskyLoss()",
        "IoU loss": "IoULoss()",
    },
    "regression": {
        "mean squared error": "keras.losses.MeanSquaredError()",
        "mean absolute error": "keras.losses.MeanAbsoluteError()",
        "Huber": "keras.losses.Huber()",
        "smooth L1": "keras.losses.Huber()",
        "log-cosh": "keras.losses.LogCosh()",
        "quantile loss": "QuantileLoss()",
    },
}
_OPTIMIZERS = {
    name.lower(): name for name in ("Adam", "AdamW", "Nadam", "Adamax", "RMSprop", "Adagrad", "Adadelta", "SGD")
}
_WITH_MOMENTS = {"Adam", "AdamW", "Nadam", "Adamax"}
_TAKES: dict[str, set[str]] = {
    "momentum": {"SGD", "RMSprop"},
    "nesterov": {"SGD"},
    "beta_1": _WITH_MOMENTS,
    "beta_2": _WITH_MOMENTS,
    "amsgrad": {"Adam", "AdamW"},
    "rho": {"RMSprop", "Adadelta"},
    "centered": {"RMSprop"},
    "initial_accumulator_value": {"Adagrad"},
    "epsilon": set(_OPTIMIZERS.values()) - {"SGD"},
}
_SPELLINGS = {"lr": "learning_rate", "eps": "epsilon"}
_CLIPPING = ("clipnorm", "global_clipnorm", "clipvalue")


def family(loss: ast.expr | None) -> Family | None:
    """What kind of outputs a script has, by the expression of its loss; None where they are no logits."""
    if not isinstance(loss, ast.Call):
        return None
    name = dotted(loss.func).split(".")[-1]
    takes_logits = any(
        item.arg == "from_logits" and isinstance(item.value, ast.Constant) and item.value.value is True
        for item in loss.keywords
    )
    return None if name in _OF_PROBABILITIES and not takes_logits else _FAMILIES.get(name)


def loss_expression(planned: str, kind: Family, facts: list[Fact]) -> str | None:
    """The planned loss in code, or None where it does not suit this kind of output."""
    term = vocabulary.find(vocabulary.LOSSES, planned)
    smoothing = next((fact["value"] for fact in facts if fact["name"] == "label_smoothing"), None)
    if term and term.name == "cross-entropy" and smoothing is not None:
        if kind == "multiclass":
            return f"LabelSmoothingCrossEntropy(label_smoothing={smoothing})"
        if kind == "binary":
            return f"keras.losses.BinaryCrossentropy(from_logits=True, label_smoothing={smoothing})"
    return _LOSSES[kind].get(term.name) if term else None


def optimizer_expression(planned: str, call: ast.Call, facts: list[Fact]) -> str | None:
    """The planned optimizer in place of `call`: its learning rate, the arguments that fit the class, the clipping.

    None where Keras has no such optimizer (RAdam, LBFGS).
    """
    name = _OPTIMIZERS.get(layer_name(planned).lower())
    if name is None:
        return None
    arguments = {"learning_rate": ast.unparse(call.args[0])} if call.args else {}
    arguments |= {str(keyword.arg): ast.unparse(keyword.value) for keyword in call.keywords}
    planned_call = layer_call(planned)
    stated = {str(item.arg): ast.unparse(item.value) for item in planned_call.keywords} if planned_call else {}
    facts_by_name = {fact["name"]: fact["value"] for fact in facts}
    if facts_by_name.get("betas"):
        stated["betas"] = f"({facts_by_name['betas']})"
    for key, value in _in_keras(stated).items():
        if key == "learning_rate" and key in arguments:
            continue  # Config has it
        if arguments.get(key) != f"config.{key}":
            arguments[key] = value
    if "gradient_clip" in facts_by_name:
        own = next((key for key in _CLIPPING if key in arguments), "global_clipnorm")
        arguments[own] = str(facts_by_name["gradient_clip"])
    kept = [f"{key}={value}" for key, value in arguments.items() if name in _TAKES.get(key, {name})]
    return f"keras.optimizers.{name}({', '.join(kept)})"


def _in_keras(arguments: dict[str, str]) -> dict[str, str]:
    """PyTorch's names of an optimizer's arguments in Keras's spelling; `betas` become two."""
    renamed = {_SPELLINGS.get(key, key): value for key, value in arguments.items() if key != "betas"}
    pair = ast.parse(arguments.get("betas", "()"), mode="eval").body
    betas = [ast.unparse(item) for item in pair.elts] if isinstance(pair, ast.Tuple | ast.List) else []
    return renamed | dict(zip(("beta_1", "beta_2"), betas, strict=False))


def metric_expression(name: str, kind: Family, outputs: str, targets: str) -> str | None:
    """NumPy code that computes a metric from raw outputs and targets, or None where it does not suit them."""
    if kind == "regression":
        error = f"{outputs}.ravel() - {targets}.ravel()"
        return {
            "mae": f"float(np.abs({error}).mean())",
            "mse": f"float((({error}) ** 2).mean())",
            "rmse": f"float(np.sqrt((({error}) ** 2).mean()))",
            "mape": f"mape({outputs}, {targets})",
            "smape": f"smape({outputs}, {targets})",
            "rmsle": f"rmsle({outputs}, {targets})",
            "r2": f"r2({outputs}, {targets})",
        }.get(name)
    predicted = f"{outputs}.argmax(axis=-1)" if kind == "multiclass" else f"{outputs} > 0"
    return label_metric(name, kind, predicted, targets) or score_metric(name, kind, outputs, targets)
