"""The solution plan: what will be built (paper, section III-B). Prints as the paper's JSON and reads that JSON back."""

import ast
import json
import re
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from dlcodegen import categories
from dlcodegen.errors import InputError
from dlcodegen.syntax_tree import parse_expression


class Hyperparameters(BaseModel):
    """How the model is trained."""

    model_config = ConfigDict(extra="forbid")

    optimizer: str = Field(min_length=1)
    """Class name, with arguments where they are set: `AdamW`, `SGD(momentum=0.9)`."""
    loss_function: str = Field(min_length=1)
    learning_rate: float = Field(gt=0)
    batch_size: int = Field(gt=0)
    epochs: int = Field(gt=0)
    evaluation_metric: str = Field(min_length=1)


class SolutionPlan(BaseModel):
    """Task category, dataset, preprocessing, model architecture."""

    model_config = ConfigDict(extra="forbid")

    category: str
    input: str = Field(min_length=1)
    output: str = Field(min_length=1)
    preprocess: str = ""
    layers: list[str]
    """Calls in Keras spelling (`Conv2D(32, kernel_size=3)`), or a block's own name (`UNet(base_width=32)`)."""
    hyperparameters: Hyperparameters

    def to_paper(self) -> dict[str, Any]:
        """The paper's JSON object."""
        return {
            "Task Category": categories.title(self.category),
            "Dataset": {"Input": self.input, "Output": self.output},
            "Preprocess": self.preprocess,
            "Model Architecture": {
                "Layers": self.layers,
                "Hyperparameters": {
                    "optimizer": self.hyperparameters.optimizer,
                    "loss function": self.hyperparameters.loss_function,
                    "learning rate": self.hyperparameters.learning_rate,
                    "batch size": self.hyperparameters.batch_size,
                    "epochs": self.hyperparameters.epochs,
                    "evaluation metric": self.hyperparameters.evaluation_metric,
                },
            },
        }

    @classmethod
    def from_paper(cls, paper: dict[str, Any]) -> "SolutionPlan":
        """Read the paper's JSON object, drifted spellings included ("Hypermeters", "Model architecture", nested keys).

        Raises InputError that names what is missing or wrong.
        """
        found = paper_fields(paper)
        missing = sorted(name for name in _REQUIRED if name not in found)
        if missing:
            raise InputError(f"the plan lacks: {', '.join(missing)}")
        try:
            return cls(
                category=categories.nearest(_text(found["task category"])),
                input=_text(found["input"]),
                output=_text(found["output"]),
                preprocess=_text(found.get("preprocess", "")),
                layers=_layers(found["layers"]),
                hyperparameters=Hyperparameters(
                    optimizer=_text(found["optimizer"]),
                    loss_function=_text(found["loss function"]),
                    learning_rate=_number(found["learning rate"]),
                    batch_size=int(_number(found["batch size"])),
                    epochs=int(_number(found["epochs"])),
                    evaluation_metric=_text(found["evaluation metric"]),
                ),
            )
        except ValidationError as error:
            first = error.errors()[0]
            raise InputError(f"the plan's {'.'.join(map(str, first['loc']))}: {first['msg']}") from error

    @classmethod
    def from_text(cls, text: str) -> "SolutionPlan":
        """Read a plan from JSON text. Raises InputError when it is no JSON object or no complete plan."""
        try:
            paper = json.loads(text)
        except json.JSONDecodeError as error:
            raise InputError(f"the plan is no JSON: {error}") from error
        if not isinstance(paper, dict):
            raise InputError("the plan is no JSON object")
        return cls.from_paper(paper)


def layer_name(layer: str) -> str:
    """The class a layer names, its wrappers removed: `Bidirectional(LSTM(64))` -> `LSTM`."""
    return re.split(r"[(\s]", re.sub(r"^(Bidirectional|TimeDistributed)\(", "", layer))[0]


def layer_call(layer: str) -> ast.Call | None:
    """The layer as a syntax tree, or None when it is prose."""
    try:
        tree = parse_expression(layer)
    except SyntaxError:
        return None
    return tree if isinstance(tree, ast.Call) and isinstance(tree.func, ast.Name) else None


_REQUIRED = (
    "task category",
    "input",
    "output",
    "layers",
    "optimizer",
    "loss function",
    "learning rate",
    "batch size",
    "epochs",
    "evaluation metric",
)
_DRIFTED = {
    "loss": "loss function",
    "lr": "learning rate",
    "epoch": "epochs",
    "metric": "evaluation metric",
    "metrics": "evaluation metric",
    "evaluation metrics": "evaluation metric",
    "category": "task category",
    "task": "task category",
    "preprocessing": "preprocess",
}


def paper_fields(paper: Any) -> dict[str, Any]:
    """Every known field, wherever it is nested and however it is spelt; the first one found counts."""
    found: dict[str, Any] = {}

    def walk(node: Any) -> None:
        if not isinstance(node, dict):
            return
        for key, value in node.items():
            name = re.sub(r"[\s_]+", " ", str(key)).strip().lower()
            found.setdefault(_DRIFTED.get(name, name), value)
            walk(value)

    walk(paper)
    return found


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, list):
        return ", ".join(_text(item) for item in value)
    if isinstance(value, dict):
        return "; ".join(f"{key}: {_text(item)}" for key, item in value.items())
    return str(value)


def _number(value: Any) -> float:
    """The first number in the value. Raises InputError when there is none."""
    match = re.search(r"\d+(?:\.\d+)?(?:[eE][-+]?\d+)?|\.\d+", str(value))
    if match is None:
        raise InputError(f"the plan has no number where one is needed: {value!r}")
    return float(match.group())


def _layers(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [layer for part in value.values() for layer in _layers(part)]
    if isinstance(value, list):
        return [_text(item) for item in value]
    return [_text(value)]
