"""What is spelt differently in PyTorch and in Keras: one object for each, and which of them a script is written in."""

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from dlcodegen.execution.code_view import CodeView
from dlcodegen.report import Fact
from dlcodegen.writers import expressions, keras_expressions
from dlcodegen.writers.block_source import blocks_for
from dlcodegen.writers.expressions import Family
from dlcodegen.writers.interface import Interface
from dlcodegen.writers.keras_layers import build_keras_segment
from dlcodegen.writers.keras_training import add_keras_extras
from dlcodegen.writers.layers import ModelSegment, build_model_segment
from dlcodegen.writers.torch_training import add_torch_extras


@dataclass(frozen=True)
class Framework:
    """How to write for it; None from an expression means that the plan's wish does not suit the script."""

    name: Literal["pytorch", "keras"]
    family: Callable[[ast.expr | None], Family | None]
    loss_expression: Callable[[str, Family, list[Fact]], str | None]
    optimizer_expression: Callable[[str, ast.Call, list[Fact]], str | None]
    metric_expression: Callable[[str, Family, str, str], str | None]
    add_training_extras: Callable[[str, dict[str, Any]], str]
    """The script with the stated schedule, clipping, class weights and augmentation, given what is stated."""
    model_segment: Callable[[Sequence[str], Interface, str], ModelSegment]
    """The plan's layers, fitted to the interface of this script. Raises LayerError."""
    cells: Mapping[str, str]
    """Recurrent architecture -> its class."""

    def blocks_for(self, code: str) -> list[str]:
        """Sources of our own blocks that `code` uses, in the order that they need."""
        return blocks_for(code, self.name)


def framework_of(code: str) -> Framework:
    """The framework of a script, by what it imports and uses. Raises SyntaxError when it does not parse."""
    return _KERAS if CodeView(code).framework == "keras" else _PYTORCH


def _torch_segment(layers: Sequence[str], interface: Interface, script: str) -> ModelSegment:
    """PyTorch's scripts of the pool reach into no model, so that the script itself does not matter."""
    return build_model_segment(layers, interface)


_CELLS = {"lstm": "LSTM", "bilstm": "LSTM", "cnn-lstm": "LSTM", "gru": "GRU", "bigru": "GRU", "cnn-gru": "GRU"}
_PYTORCH = Framework(
    name="pytorch",
    family=expressions.family,
    loss_expression=expressions.loss_expression,
    optimizer_expression=expressions.optimizer_expression,
    metric_expression=expressions.metric_expression,
    add_training_extras=add_torch_extras,
    model_segment=_torch_segment,
    cells=_CELLS | {"rnn": "RNN"},
)
_KERAS = Framework(
    name="keras",
    family=keras_expressions.family,
    loss_expression=keras_expressions.loss_expression,
    optimizer_expression=keras_expressions.optimizer_expression,
    metric_expression=keras_expressions.metric_expression,
    add_training_extras=add_keras_extras,
    model_segment=build_keras_segment,
    cells=_CELLS | {"rnn": "SimpleRNN"},
)
