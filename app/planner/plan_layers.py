"""The layers of a plan: a sample's own with the stated settings, or those of the architecture that is asked for."""

import ast
import re
from collections.abc import Mapping, Sequence
from typing import Any

from dlcodegen import vocabulary
from dlcodegen.corpus.sample import Sample
from dlcodegen.plan import layer_call
from dlcodegen.planner.architectures import layers_for
from dlcodegen.planner.plan_texts import dimension
from dlcodegen.writers.interface import Interface, is_built_from_layers

# What the positional arguments of a layer stand for: settings, or expressions of them; alternatives side by side.
_POSITIONS: dict[str, tuple[tuple[str, ...], ...]] = {
    "embedding": (("vocab_size",), ("embedding_dim", "hidden_size")),
    "positionembedding": (("sequence_length", "summary_length"), ("embedding_dim", "hidden_size")),
    "positionalencoding": (("window",), ("hidden_size",)),
    "lstm": (("hidden_size",),),
    "gru": (("hidden_size",),),
    "simplernn": (("hidden_size",),),
    "temporalblock": (("hidden_size",),),
    "ginlayer": (("hidden_size",),),
    "sampling": (("kl_weight",),),
    "transformerencoderlayer": (("hidden_size",),),
    "attentionpooling": (("hidden_size * 2", "hidden_size"),),
    "dropout": (("dropout",),),
    "multiheadattention": (("num_heads",),),
    "pixelshuffle": (("scale_factor",),),
    "logmel": (("sample_rate",),),
}
_WITH_WIDTH = ("dense", "conv1d", "conv2d", "graphconvolution", "residualblock")
_WIDTHS = ("num_classes", "horizon", "hidden_size", "latent_dim", "vocab_size", "hidden_size * 2", "embedding_dim")
_MULTIPLES = {"feed_forward": ("hidden_size * 4", "hidden_size * 2")}
"""Keywords that no setting is called by, and what they are of one."""
_OF_KERAS = {"num_mel_bins": "num_mels", "sampling_rate": "sample_rate"}
"""Keywords of Keras that have another name than our settings."""
_PLACES = r"image_height|image_width|sequence_length|window"
"""Dimensions of outputs along which a model gives the same thing many times: no layer is so wide because of them."""
_BUILT_ANEW = {
    "hidden_units", "filters", "kernel_size", "activation", "batch_norm", "bidirectional", "attention", "dense_layers",
}  # fmt: skip
_CELLS = {"lstm": "LSTM", "bilstm": "LSTM", "gru": "GRU", "bigru": "GRU", "rnn": "SimpleRNN"}
_CELLS_AFTER_CNN = {"cnn-lstm": "LSTM", "cnn-gru": "GRU"}


_WORDS = 128
"""Length of the vector of a word, where nothing says it."""


def restated_layers(
    predicted: list[str],
    stated: Mapping[str, Any],
    sample: Sample,
    values: Mapping[str, Any],
    interface: Interface | None,
) -> list[str]:
    """The layers of `sample` for what is stated; `values` are all its settings, the stated ones among them."""
    wanted = str(stated.get("architecture", ""))
    shown = vocabulary.find(vocabulary.ARCHITECTURES, sample.title)
    own = shown.name if shown else ""
    swap = cell_swap(own, wanted)
    anew = (wanted and wanted != own) or _needs_building(stated, sample)
    if not swap and interface and anew and is_built_from_layers(sample.category):
        built = _built(wanted or own or "mlp", interface, stated)
        if built is not None:
            # A network with one logit has no number of classes, a Transformer no width of its own for the words.
            usual = {"num_classes": 1, "embedding_dim": values.get("hidden_size", _WORDS)}
            return [_resolved(layer, {**usual, **stated, **values}) for layer in built]
    final = next((place for place in reversed(range(len(predicted))) if "Conv" in predicted[place]), -1)
    layers = [
        _updated(layer, stated, sample, values, interface, last=place == final) for place, layer in enumerate(predicted)
    ]
    if "num_layers" in stated and "num_layers" in sample.config:
        layers = _repeated(layers, int(sample.config["num_layers"]), int(stated["num_layers"]))
    if swap:
        layers = [re.sub(rf"\b{swap[0]}\b", swap[1], layer) for layer in layers]
    return [layer for layer in layers if layer not in ("Dropout(0)", "Dropout(0.0)")]


def cell_swap(own: str, wanted: str) -> tuple[str, str] | None:
    """The recurrent cell to replace and its replacement, in Keras names, where the networks are otherwise alike.

    A bidirectional network serves who asks for a plain one, not the other way round.
    """
    cells = _CELLS_AFTER_CNN if own in _CELLS_AFTER_CNN else _CELLS
    if own in cells and wanted in cells and own != wanted and (own.startswith("bi") or not wanted.startswith("bi")):
        old, new = cells[own], cells[wanted]
        return (old, new) if old != new else None
    return None


def _needs_building(stated: Mapping[str, Any], sample: Sample) -> bool:
    return bool(_BUILT_ANEW & stated.keys()) or ("num_layers" in stated and "num_layers" not in sample.config)


def _built(architecture: str, interface: Interface, stated: Mapping[str, Any]) -> list[str] | None:
    if interface.input_kind is None or interface.output_kind is None:
        return None
    if "dense_layers" in stated and "hidden_units" not in stated:
        stated = {**stated, "hidden_units": [64] * int(stated["dense_layers"])}
    width = interface.outputs[0] if interface.output_kind == "vector" and interface.outputs[0].isidentifier() else ""
    return layers_for(architecture, interface.input_kind, interface.output_kind, stated, width)


def _resolved(layer: str, values: Mapping[str, Any]) -> str:
    """Names of settings in a layer replaced by their values: `Dense(num_classes)` -> `Dense(5)`."""
    return re.sub(r"(?<=[(, =])[a-z_]+(?=[,)])", lambda match: str(values.get(match.group(), match.group())), layer)


def _updated(
    layer: str,
    stated: Mapping[str, Any],
    sample: Sample,
    values: Mapping[str, Any],
    interface: Interface | None,
    last: bool,
) -> str:
    """One layer of the sample with the stated settings in place of the sample's; `last`: no convolution follows."""
    call = layer_call(layer)
    if call is None or not stated.keys() & sample.config.keys():
        return layer
    for inner in (node for node in ast.walk(call) if isinstance(node, ast.Call)):
        kind = inner.func.id.lower() if isinstance(inner.func, ast.Name) else ""
        for index, expressions in enumerate(_POSITIONS.get(kind, ())[: len(inner.args)]):
            _update_argument(inner, index, expressions, sample, values)
        for keyword in inner.keywords:
            setting = _OF_KERAS.get(keyword.arg or "", keyword.arg)
            if setting in stated and setting in sample.config:
                keyword.value = ast.Constant(stated[setting])
            for multiple in _MULTIPLES.get(keyword.arg or "", ()):
                if _is(keyword.value, dimension(multiple, sample.config)):
                    keyword.value = ast.parse(dimension(multiple, values), mode="eval").body
                    break
        if kind in _WITH_WIDTH and inner.args:
            _update_width(inner, kind, sample, values, interface, last)
    return ast.unparse(call)


def _update_argument(
    layer: ast.Call, index: int, expressions: Sequence[str], sample: Sample, values: Mapping[str, Any]
) -> bool:
    """Set the argument to the first expression that is its value in the sample; False where none is."""
    for expression in expressions:
        old, new = dimension(expression, sample.config), dimension(expression, values)
        if _is(layer.args[index], old):
            layer.args[index] = ast.parse(new, mode="eval").body
            return True
    return False


def _update_width(
    layer: ast.Call, kind: str, sample: Sample, values: Mapping[str, Any], interface: Interface | None, last: bool
) -> None:
    """The first argument, where it is the model's output, the hidden size, or a multiple of the base width.

    A residual block stands within a model: whatever its width is equal to, it is no output.
    """
    outputs = [item for item in interface.outputs if not re.search(_PLACES, item)] if interface else []
    widths = [] if kind == "residualblock" else [*outputs, "scale_factor * scale_factor * channels", *_WIDTHS]
    if kind == "conv2d" and not last and not _mixes_channels(layer):
        widths = []  # 32 maps next to an image are no code of 32 numbers
    if _update_argument(layer, 0, widths, sample, values):
        return
    base, new = sample.config.get("base_width"), values.get("base_width")
    width = layer.args[0].value if isinstance(layer.args[0], ast.Constant) else None
    if isinstance(base, int) and isinstance(new, int) and isinstance(width, int) and width % base == 0:
        layer.args[0] = ast.Constant(width // base * new)


def _mixes_channels(layer: ast.Call) -> bool:
    return any(keyword.arg == "kernel_size" and _is(keyword.value, 1) for keyword in layer.keywords)


def _is(node: ast.expr, value: object) -> bool:
    return isinstance(node, ast.Constant) and str(node.value) == str(value)


def _repeated(layers: list[str], old: int, new: int) -> list[str]:
    """The group of layers that stands `old` times in a row, `new` times; unchanged where there is none."""
    for size in range(1, len(layers) // old + 1):
        for start in range(len(layers) - size * old + 1):
            groups = [layers[start + size * index : start + size * (index + 1)] for index in range(old)]
            if not _is_body(groups[0]) or len({tuple(map(_alike, group)) for group in groups}) > 1:
                continue
            middle = [_dilated(layer, index) for index in range(new - 1) for layer in groups[0]]
            last = [_dilated(layer, new - 1) for layer in groups[-1]]
            return [*layers[:start], *middle, *last, *layers[start + size * old :]]
    return layers


def _is_body(group: list[str]) -> bool:
    """A layer with weights begins it: recurrent, dense, a block; the head and the embedding are never repeated."""
    return re.match(r"(?:Bidirectional|LSTM|GRU|SimpleRNN|Dense|Conv|\w*Block|\w*Layer)\(", group[0]) is not None


def _alike(layer: str) -> str:
    return re.sub(r", (?:return_sequences=True|dilation=\d+)", "", layer)


def _dilated(layer: str, level: int) -> str:
    """Each temporal block looks twice as far as the one before."""
    return re.sub(r"dilation=\d+", f"dilation={2**level}", layer)
