"""Set what the requirement states in a predicted plan: what the user said wins."""

import ast
import re
from typing import Any

from dlcodegen import vocabulary
from dlcodegen.corpus.sample import Sample
from dlcodegen.plan import SolutionPlan, layer_call, layer_name
from dlcodegen.planner.architectures import layers_for
from dlcodegen.report import Fact
from dlcodegen.writers.interface import Interface, read_interface

# A layer's argument that is one of the model's settings: by position for plain layers, by keyword for blocks.
_POSITIONS: dict[str, tuple[str, ...]] = {
    "embedding": ("vocab_size", "embedding_dim"),
    "lstm": ("hidden_size",),
    "gru": ("hidden_size",),
    "simplernn": ("hidden_size",),
    "dropout": ("dropout",),
    "multiheadattention": ("num_heads",),
}
_ARCHITECTURE_FACTS = {"hidden_units", "filters", "kernel_size", "activation", "batch_norm", "bidirectional", "attention"}


def with_facts(plan: SolutionPlan, facts: list[Fact], sample: Sample) -> SolutionPlan:
    """The plan of `sample`, changed to what the facts state. The sample tells which settings its layers follow."""
    stated = {fact["name"]: fact["value"] for fact in facts}
    interface = read_interface(sample.code)
    return plan.model_copy(
        update={
            "input": _input(plan.input, stated, sample, interface),
            "output": _output(plan.output, stated, sample, interface),
            "preprocess": _resized(plan.preprocess, stated, sample),
            "layers": _layers(plan.layers, stated, sample, interface),
            "hyperparameters": plan.hyperparameters.model_copy(
                update={
                    "optimizer": _optimizer(plan.hyperparameters.optimizer, stated),
                    "loss_function": stated.get("loss", plan.hyperparameters.loss_function),
                    "learning_rate": stated.get("learning_rate", plan.hyperparameters.learning_rate),
                    "batch_size": stated.get("batch_size", plan.hyperparameters.batch_size),
                    "epochs": stated.get("epochs", plan.hyperparameters.epochs),
                    "evaluation_metric": _metric(plan.hyperparameters.evaluation_metric, stated),
                }
            ),
        }
    )


def _optimizer(predicted: str, stated: dict[str, Any]) -> str:
    """`SGD(momentum=0.9, weight_decay=0.0005)`: the stated class with the stated arguments that it takes."""
    name = str(stated.get("optimizer", layer_name(predicted)))
    if "momentum" in stated and name not in ("SGD", "RMSprop"):
        name = "SGD" if "optimizer" not in stated else name
    arguments = {key: stated[key] for key in ("momentum", "weight_decay") if key in stated}
    if name not in ("SGD", "RMSprop"):
        arguments.pop("momentum", None)
    if name == "LBFGS":
        arguments.clear()
    return f"{name}({', '.join(f'{key}={value:g}' for key, value in arguments.items())})" if arguments else name


def _metric(predicted: str, stated: dict[str, Any]) -> str:
    names = stated.get("metric")
    return str(names[0]) if names else predicted


def _values(stated: dict[str, Any], sample: Sample) -> dict[str, Any]:
    """Every setting of the sample, the stated ones replaced."""
    return {**sample.config, **{name: value for name, value in stated.items() if name in sample.config}}


def _input(predicted: str, stated: dict[str, Any], sample: Sample, interface: Interface | None) -> str:
    values = _values(stated, sample)
    kind = interface.input_kind if interface else None
    if kind == "image":
        height, width, channels = values["image_height"], values["image_width"], values["channels"]
        colour = {1: "greyscale images", 3: "RGB images"}.get(channels, f"images of {channels} channels")
        return f"{colour} of {height}x{width} pixels, shape (N, {channels}, {height}, {width})"
    if kind == "series":
        window, features = values["window"], values["num_features"]
        return f"series of {window} steps with {features} feature{'s' * (features > 1)}, shape (N, {window}, {features})"
    if kind == "tokens":
        return f"{values['sequence_length']} token ids from a vocabulary of {values['vocab_size']}, shape (N, {values['sequence_length']})"
    if kind == "vector":
        return f"{values['num_features']} features a row, shape (N, {values['num_features']})"
    return _resized(predicted, stated, sample)


def _output(predicted: str, stated: dict[str, Any], sample: Sample, interface: Interface | None) -> str:
    """The predicted words, with the shape that follows from the stated settings."""
    if interface is None:
        return _resized(predicted, stated, sample)
    values = _values(stated, sample)
    words = re.sub(r",? ?(?:shape )?\(N[^)]*\)", "", predicted)
    for name in ("num_classes", "horizon"):
        if name in sample.config:
            words = re.sub(rf"\b{sample.config[name]}\b", str(values[name]), words)
    return f"{words}, shape {_shape(interface.outputs, values)}"


def _shape(dimensions: tuple[str, ...], values: dict[str, Any]) -> str:
    """`(N, 5)`; a product such as `num_keypoints * 2` is worked out."""
    sizes = [str(values.get(name, name)) for name in dimensions]
    for index, name in enumerate(dimensions):
        if match := re.fullmatch(r"(\w+) \* (\d+)", name):
            sizes[index] = str(int(values.get(match.group(1), 1)) * int(match.group(2)))
    return f"(N, {', '.join(sizes)})" if sizes else "(N,)"


def _resized(text: str, stated: dict[str, Any], sample: Sample) -> str:
    """The text with the sample's image size, window and the like replaced by the stated ones."""
    old, new = sample.config, _values(stated, sample)
    if "image_height" in old:
        text = text.replace(f"{old['image_height']}x{old['image_width']}", f"{new['image_height']}x{new['image_width']}")
        text = text.replace(f"{old['image_height']}, {old['image_width']}", f"{new['image_height']}, {new['image_width']}")
    return text


def _layers(predicted: list[str], stated: dict[str, Any], sample: Sample, interface: Interface | None) -> list[str]:
    """The sample's own layers with their settings updated, or those of the architecture that is asked for."""
    wanted = str(stated.get("architecture", ""))
    shown = vocabulary.find(vocabulary.ARCHITECTURES, sample.title)
    own = shown.name if shown else ""
    values = _values(stated, sample)
    restated = _ARCHITECTURE_FACTS & stated.keys() or ("num_layers" in stated and "num_layers" not in sample.config)
    if interface and interface.input_kind and interface.output_kind and not cell_swap(own, wanted):
        if (wanted and wanted != own) or restated:
            built = layers_for(wanted or own or "mlp", interface.input_kind, interface.output_kind, stated)
            if built is not None:
                return [_resolved(layer, values) for layer in built]
    layers = [_updated(layer, stated, sample, interface) for layer in predicted]
    if swap := cell_swap(own, wanted):
        layers = [re.sub(rf"\b{swap[0]}\b", swap[1], layer) for layer in layers]
    return layers


_CELLS = {"lstm": "LSTM", "bilstm": "LSTM", "gru": "GRU", "bigru": "GRU", "rnn": "SimpleRNN"}


def cell_swap(own: str, wanted: str) -> tuple[str, str] | None:
    """The recurrent cell to replace and its replacement, in Keras names, where the networks are otherwise alike.

    A bidirectional network serves who asks for a plain one, not the other way round.
    """
    if own in _CELLS and wanted in _CELLS and own != wanted and (own.startswith("bi") or not wanted.startswith("bi")):
        old, new = _CELLS[own], _CELLS[wanted]
        return (old, new) if old != new else None
    return None


def _resolved(layer: str, values: dict[str, Any]) -> str:
    """Names of settings in a layer replaced by their values: `Dense(num_classes)` -> `Dense(5)`."""
    return re.sub(r"(?<=[(, =])[a-z_]+(?=[,)])", lambda match: str(values.get(match.group(), match.group())), layer)


def _updated(layer: str, stated: dict[str, Any], sample: Sample, interface: Interface | None) -> str:
    """One layer of the sample with the stated settings in place of the sample's."""
    call = layer_call(layer)
    if call is None:
        return layer
    head = interface.outputs[0] if interface and interface.outputs else "num_classes"
    for inner in (node for node in ast.walk(call) if isinstance(node, ast.Call)):
        kind = inner.func.id.lower() if isinstance(inner.func, ast.Name) else ""
        for index, name in enumerate(_POSITIONS.get(kind, ())):
            if index < len(inner.args) and name in stated and name in sample.config:
                inner.args[index] = ast.Constant(stated[name])
        for keyword in inner.keywords:
            if keyword.arg in stated and keyword.arg in sample.config:
                keyword.value = ast.Constant(stated[keyword.arg])
        if kind in ("dense", "conv2d", "linear") and head in stated:
            for index, argument in enumerate(inner.args):
                if isinstance(argument, ast.Constant) and argument.value == sample.config.get(head):
                    inner.args[index] = ast.Constant(stated[head])
    return ast.unparse(call)
