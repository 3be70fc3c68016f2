"""Hooks Keras 3 on the PyTorch backend: its models are PyTorch modules, its optimizers and losses are its own."""

import functools
from collections.abc import Callable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from dlcodegen.execution.observer.layers import describe_module
from dlcodegen.execution.observer.notes import (
    MOST_CHARACTERS,
    MOST_LAYERS,
    NonFiniteWeights,
    Record,
    due,
    plain_settings,
)
from dlcodegen.execution.observer.torch_hooks import hook_torch

if TYPE_CHECKING:
    from keras import Model
    from torch.nn import Module

    from dlcodegen.report import Seen

_PROBABILITY_LOSSES = ("categorical_crossentropy", "sparse_categorical_crossentropy", "binary_crossentropy")
_LAYER_SETTINGS = {
    **dict.fromkeys(("units", "filters", "kernel_size", "pool_size", "size", "rate", "num_heads", "key_dim")),
    **dict.fromkeys(("input_dim", "output_dim", "target_shape")),
    **{"strides": 1, "padding": "valid", "activation": "linear", "return_sequences": False},
}
"""Main settings of layers -> the value that is not worth a word."""
_TOLERANCE = 1e-4


def hook_keras(record: Record) -> None:
    """Install every hook, those of PyTorch included; they stay until the process ends."""
    import keras

    def describe(root: "Module") -> "Seen":
        if not isinstance(root, keras.Model):
            return describe_module(root)
        for loss in _flat(getattr(root, "loss", None)):
            record.loss(loss if isinstance(loss, str) else getattr(loss, "__name__", type(loss).__name__))
        return _describe_model(root)

    hook_torch(record).describe = describe
    _hook_optimizers(record)
    _hook_losses(record)


def _describe_model(model: "Model") -> "Seen":
    return {
        "framework": "keras",
        "model": type(model).__name__[:MOST_CHARACTERS],
        "parameters": model.count_params(),
        "layers": [_layer_text(layer)[:MOST_CHARACTERS] for layer in islice(_layers(model), MOST_LAYERS)],
    }


def _layers(model: Any) -> Iterator[Any]:
    """Layers in order, those of nested models in their place."""
    for layer in model.layers:
        if hasattr(layer, "layers"):
            yield from _layers(layer)
        elif type(layer).__name__ != "InputLayer":
            yield layer


def _layer_text(layer: Any) -> str:
    """`Dense(units=10, activation=softmax)`, `Bidirectional(LSTM(units=64))`."""
    inner = [getattr(layer, name) for name in ("forward_layer", "layer") if hasattr(layer, name)]
    if inner:
        return f"{type(layer).__name__}({_layer_text(inner[0])})"
    settings = []
    for name, usual in _LAYER_SETTINGS.items():
        value = getattr(layer, name, None)
        value = getattr(value, "__name__", value)
        if value is not None and value not in (usual, (usual,), (usual, usual), (usual, usual, usual)):
            settings.append(f"{name}={value}")
    return f"{type(layer).__name__}({', '.join(settings)})"


def _flat(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        for entry in value:
            yield from _flat(entry)
    elif value is not None:
        yield value


def _hook_optimizers(record: Record) -> None:
    from keras.src.optimizers.base_optimizer import BaseOptimizer

    apply = BaseOptimizer.apply
    counts: WeakKeyDictionary[Any, int] = WeakKeyDictionary()

    @functools.wraps(apply)
    def watched(optimizer: Any, grads: Any, trainable_variables: Any = None) -> Any:
        with record.guard:
            counts[optimizer] = counts.get(optimizer, 0) + 1
            if counts[optimizer] == 1:
                rate = {"learning_rate": float(optimizer.learning_rate)}  # its configuration may hold a schedule
                record.optimizer(type(optimizer).__name__, plain_settings(optimizer.get_config() | rate))
        result = apply(optimizer, grads, trainable_variables)
        with record.guard:
            record.step()
            if due(counts[optimizer]):
                _check_finite(record, trainable_variables or ())
        return result

    BaseOptimizer.apply = watched


def _check_finite(record: Record, variables: Any) -> None:
    for variable in variables:
        if not bool(variable.value.isfinite().all()):
            message = f"{variable.path} is not finite after step {record.seen['steps']}"
            record.fault("non-finite weights", message, record.line())
            raise NonFiniteWeights(message)


def _hook_losses(record: Record) -> None:
    """The functions below Keras's losses, classes and names alike."""
    from keras.src import backend

    for name in _PROBABILITY_LOSSES:
        setattr(backend.nn, name, _watched(name, getattr(backend.nn, name), record))


def _watched(name: str, function: Callable[..., Any], record: Record) -> Callable[..., Any]:
    calls = 0

    @functools.wraps(function)
    def watched(target: Any, output: Any, from_logits: bool = False, *args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        with record.guard:
            if not from_logits and due(calls) and not output.is_meta:
                low, high = (bound.item() for bound in output.detach().aminmax())
                if low < -_TOLERANCE or high > 1 + _TOLERANCE:
                    message = f"{name} with from_logits=False gets outputs from {low:.3g} to {high:.3g}"
                    record.fault("logits to a loss of probabilities", message, record.line())
        return function(target, output, from_logits, *args, **kwargs)

    return watched
