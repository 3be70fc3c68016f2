"""Layers in a plan's spelling: Keras's names and arguments for plain ones, the class's own name for the rest."""

import ast
import re
from typing import Any

from dlcodegen.corpus.importing.built_parts import Chain, Layer, Own, Settings, Unknown
from dlcodegen.execution.conformance.layer_names import ALIASES, LAYER_CODE, TORCH_SPELLING
from dlcodegen.execution.conformance.wanted import positions

_KINDS = {code: kind for kind, codes in reversed(LAYER_CODE.items()) for code in reversed(codes)} | {
    codes[0]: kind for kind, codes in LAYER_CODE.items()
}
"""Name in code -> kind of layer; where several kinds share a name, the first."""
_OUT_WIDTHS = (
    *("out_channels", "out_features", "out_ch", "out_dim", "out_planes", "filters", "units", "planes", "width"),
    *("channels", "features", "dim", "size", "hidden"),
)
_OF_DATA = re.compile(
    r"^(?:in|out)_|^(?:in|out|n)ch|input|channels$|image|height|^width$|classes|outputs|features$|device"
)
_OF_SHAPE = re.compile(r"base_width|depth|latent|hidden|heads|layers|patch|dropout|num_steps|embedding_dim")
"""Settings that say what a model of a known architecture is like."""
_KEYWORDS = {"kernel": "kernel_size", "stride": "strides", "dilation": "dilation_rate", "heads": "num_heads"}
_KERAS_NOISE = re.compile(
    r"name|dtype|trainable|\w*initializer|\w*regularizer|\w*constraint|(?:batch_)?input_shape|weights"
)
OPEN = "unknown"
"""Stands for an argument whose value cannot be followed, so that those behind it keep their places."""
_DEEPEST = 3
"""Layers inside of layers that are written out."""
_PLACES: dict[str, tuple[str, ...]] = {
    "dense": ("units",),
    "embedding": ("vocab", "width"),
    "multiheadattention": ("heads",),
    "transformerencoderlayer": ("width",),
    "transformerdecoderlayer": ("width",),
}
"""What stands by place in the plan's spelling; else units, kernel, rate or size, whichever the layer has first."""
_FURTHER = {
    "transformerencoderlayer": ("heads", "feed_forward", "dropout"),
    "transformerdecoderlayer": ("heads", "feed_forward", "dropout"),
}


def layer_text(layer: Layer) -> list[str]:
    """A layer of a framework as the plan spells it; an LSTM of two layers is two."""
    if layer.is_model:
        return [f"{layer.name}()", *(text for part in layer.replaced for text in _replaced(part))]
    if layer.keras:
        return [_as_it_stands(layer)]
    return _respelt(layer)


def _replaced(part: Any) -> list[str]:
    """What stands in for a part of a library's model: a layer, a row of them, a module of the script."""
    if isinstance(part, Chain):
        return [text for child in part.children if not isinstance(child, Chain) for text in _replaced(child)]
    if isinstance(part, Own):
        return [own_text(part)]
    return layer_text(part) if isinstance(part, Layer) and not part.is_model else []


def own_text(module: Own) -> str:
    """A module of the script: `ResidualBlock(64, stride=2)`: its width first, then its other numbers by name."""
    numbers = {name: value for name, value in module.passed.items() if _is_number(value)}
    width = next((name for name in _OUT_WIDTHS if name in numbers), None)
    parts = [str(numbers.pop(width))] if width else []
    further = {name: value for name, value in numbers.items() if not _OF_DATA.search(name)}
    further.pop("dropout", None)  # every block may have it
    usual = {"stride": 1, "dilation": 1, "groups": 1}
    parts += [f"{name}={value}" for name, value in further.items() if usual.get(name) != value or name == "dilation"]
    return f"{module.definition.name}({', '.join(parts)})"


def model_text(module: Own, settings: dict[str, Any]) -> str:
    """A whole model by its class's name: `UNet(base_width=32, depth=4)`, with what it takes from the settings."""
    numbers = {name: value for name, value in module.passed.items() if _is_number(value)}
    if any(isinstance(value, Settings) for value in module.passed.values()):
        read = {node.attr for node in ast.walk(module.definition) if isinstance(node, ast.Attribute)}
        numbers |= {name: value for name, value in settings.items() if name in read and _OF_SHAPE.search(name)}
    parts = [f"{name}={value}" for name, value in numbers.items() if _is_number(value) and not _OF_DATA.search(name)]
    return f"{module.definition.name}({', '.join(parts)})"


def _as_it_stands(layer: Layer, depth: int = 0) -> str:
    """A Keras layer with the arguments that the script passes, as far as they are known."""
    parts = [_value(argument, depth) or OPEN for argument in layer.arguments]
    keywords = {name: value for name, value in layer.keywords.items() if not _KERAS_NOISE.fullmatch(name)}
    parts += [f"{name}={said}" for name, value in keywords.items() if (said := _value(value, depth))]
    return f"{layer.name}({', '.join(parts)})"


def _value(value: Any, depth: int = 0) -> str:
    """A number, text or tuple as code; a layer inside a wrapper as its call; what is not known by its name."""
    if isinstance(value, Layer):
        return _as_it_stands(value, depth + 1) if depth < _DEEPEST else ""
    if isinstance(value, Unknown):
        return value.text if value.text.isidentifier() else ""
    if isinstance(value, bool | int | float):
        return repr(value)
    if isinstance(value, str):
        return repr(value[:60])
    if isinstance(value, list | tuple) and value and all(isinstance(item, int | float) for item in value):
        return repr(tuple(value))
    return ""


def _respelt(layer: Layer) -> list[str]:
    """PyTorch's layer by Keras's name."""
    kind = TORCH_SPELLING.get(layer.name.lower(), layer.name.lower())
    kind = kind if kind in LAYER_CODE else _KINDS.get(layer.name, "")
    settings = _settings(layer)
    if re.fullmatch(r"(?i)adaptive_?(?:avg|max)_?pool\dd", layer.name):
        return [_adaptive(layer.name, settings)]
    if kind not in LAYER_CODE:
        return [_foreign(layer)]
    name = LAYER_CODE[kind][0]
    count = settings.get("num_layers")
    text = f"{name}({', '.join(_arguments(kind, settings))})"
    if layer.keywords.get("bidirectional") is True:
        text = f"Bidirectional({text})"
    if kind in ("transformerencoder", "transformerdecoder"):
        return [_stack(name, layer)]
    return [text] * (count if isinstance(count, int) and 1 <= count <= 24 else 1)


def _settings(layer: Layer) -> dict[str, Any]:
    """What the arguments stand for -> their values."""
    places = positions(layer.name, layer.keras) or []
    if layer.name[:1].islower() and places[:1] == ["x"]:
        places = places[1:]  # the tensor itself
    found = dict(zip(places, layer.arguments, strict=False)) | layer.keywords
    return {ALIASES.get(name, name): value for name, value in found.items()}


def _arguments(kind: str, settings: dict[str, Any]) -> list[str]:
    first = next((name for name in ("units", "kernel", "rate", "size") if name in settings), "")
    places = _PLACES.get(kind, (first,) if first else ())
    parts = [_value(_even(settings[name])) or OPEN for name in places if name in settings]
    further = _FURTHER.get(kind, () if first == "rate" else ("kernel", "stride", "dilation"))
    for name in further:
        value = _even(settings.get(name))
        if name in places or value is None or (name in ("stride", "dilation") and value == 1):
            continue
        if name == "stride" and value == _even(settings.get("kernel")) and first == "kernel":
            continue  # a pooling's stride is its size where nothing else is said
        if said := _value(value):
            parts.append(f"{_KEYWORDS.get(name, name)}={said}")
    return parts


def _even(value: Any) -> Any:
    """`(3, 3)` is 3."""
    if isinstance(value, list | tuple) and value and all(item == value[0] for item in value):
        return value[0]
    return value


def _adaptive(name: str, settings: dict[str, Any]) -> str:
    """`AdaptiveAvgPool2d(1)` is global pooling."""
    kind = "Max" if "max" in name.lower() else "Average"
    size, dimensions = _even(settings.get("size", 1)), re.search(r"\d", name)
    sides = f"{dimensions[0] if dimensions else 2}D"
    return f"Global{kind}Pooling{sides}()" if size == 1 else f"Adaptive{kind}Pooling{sides}({_value(size)})"


def _stack(name: str, layer: Layer) -> str:
    """`nn.TransformerEncoder(layer, 2)` with what its layers are like."""
    inner = next((part for part in [*layer.arguments, *layer.keywords.values()] if isinstance(part, Layer)), None)
    count = layer.keywords.get("num_layers", layer.arguments[1] if len(layer.arguments) > 1 else None)
    like = _settings(inner) if inner else {}
    numbers = {"num_layers": count, "num_heads": like.get("heads"), "hidden_size": like.get("width")}
    said = [f"{key}={_value(value)}" for key, value in numbers.items() if isinstance(value, int)]
    return f"{name}({', '.join(said)})"


def _foreign(layer: Layer) -> str:
    """A layer of no kind we know, its numbers as they stand."""
    numbers = [_value(_even(value)) for value in layer.arguments if _is_number(_even(value))]
    return f"{layer.name}({', '.join(numbers)})"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def width_of(layer: Layer) -> Any:
    """The number of units or filters that a layer gives; None where it has none, or none that is known."""
    settings = _settings(layer)
    return _even(settings.get("units", settings.get("width")))
