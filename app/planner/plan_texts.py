"""What goes in and what comes out, in words: a sample's own text with the stated settings in place of its own."""

import ast
import math
import operator
import re
from collections.abc import Callable, Mapping
from typing import Any

from dlcodegen.corpus.sample import Sample
from dlcodegen.writers.interface import Interface

_INPUT_SETTINGS = (
    "window", "num_features", "sequence_length", "vocab_size", "num_users", "num_items", "sample_rate", "clip_seconds",
    "num_frames",
)  # fmt: skip
_OUTPUT_SETTINGS = (
    "num_classes",
    "horizon",
    "num_keypoints",
    "num_outputs",
    "embedding_dim",
    "sequence_length",
    "vocab_size",
)
_COLOURS = {1: "greyscale images", 3: "RGB images"}
_TIMES = {2: "twice", 3: "three times", 4: "four times"}
_OPERATORS: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Mult: operator.mul,
    ast.Div: operator.floordiv,
    ast.FloorDiv: operator.floordiv,
}


def input_text(text: str, sample: Sample, values: Mapping[str, Any], interface: Interface | None) -> str:
    """The input's description for these settings."""
    return _restated(text, sample, values, _INPUT_SETTINGS, interface.inputs if interface else ())


def output_text(text: str, sample: Sample, values: Mapping[str, Any], interface: Interface | None) -> str:
    """The output's description for these settings."""
    return _restated(text, sample, values, _OUTPUT_SETTINGS, interface.outputs if interface else ())


def preprocess_text(text: str, sample: Sample, values: Mapping[str, Any]) -> str:
    """The preprocessing's description for these settings."""
    text = re.sub(r"\b\d\d/\d\d(?:/\d\d)?\b", str(values["split"]), text) if "split" in values else text
    return _restated(text, sample, values, (*_INPUT_SETTINGS, "horizon", "scale_factor", "num_mels"), ())


def _restated(
    text: str, sample: Sample, values: Mapping[str, Any], settings: tuple[str, ...], dimensions: tuple[str, ...]
) -> str:
    """Shapes are worked out, then numbers of the words replaced; the shapes are kept out of that by their brackets."""
    parts = re.split(r"(\(N,[^)]*\)|\(nodes,[^)]*\))", text)
    words = [_words(part, sample, values, settings) for part in parts[::2]]
    shapes = [_shape(part, sample, values, settings, dimensions) for part in parts[1::2]]
    mixed = [piece for pair in zip(words, [*shapes, ""], strict=True) for piece in pair]
    return _grammatical("".join(mixed))


def _words(text: str, sample: Sample, values: Mapping[str, Any], settings: tuple[str, ...]) -> str:
    old = sample.config
    if "image_height" in old:
        text = text.replace(_size(old), _size(values))
        if scale := old.get("scale_factor"):
            text = text.replace(_size(old, int(scale)), _size(values, int(values["scale_factor"])))
            text = text.replace(_times(int(scale)), _times(int(values["scale_factor"])))
    if "channels" in old:
        text = text.replace(_colour(old["channels"]), _colour(values["channels"]))
    new = {_plain(old[name]): _plain(values[name]) for name in reversed(settings) if name in old}
    if not new:
        return text
    numbers = "|".join(sorted(map(re.escape, new), key=len, reverse=True))
    return re.sub(rf"(?<![\w.])(?:{numbers})(?![\w]|\.\d)", lambda match: new[match.group()], text)


def _shape(
    text: str, sample: Sample, values: Mapping[str, Any], settings: tuple[str, ...], dimensions: tuple[str, ...]
) -> str:
    """`(N, 3, 64, 64)`: worked out where it is the model's own shape, else number by number."""
    items = [item.strip() for item in text.strip("()").split(",") if item.strip()]
    size = ("image_height", "image_width")
    for image in (("channels", *size), (*size, "channels"), size):
        if "image_height" in sample.config and items[1:] == [dimension(name, sample.config) for name in image]:
            dimensions = image
    if dimensions and len(items) == len(dimensions) + 1 and all(item.isdigit() for item in items[1:]):
        return f"(N, {', '.join(dimension(name, values) for name in dimensions)})"
    names = [name for name in settings if name in sample.config]
    new = {_plain(sample.config[name]): _plain(values[name]) for name in reversed(names)}
    items = [new.get(item, item) for item in items]
    return f"({items[0]},)" if len(items) == 1 else f"({', '.join(items)})"


def dimension(expression: str, values: Mapping[str, Any]) -> str:
    """The size that an expression of settings stands for: `num_keypoints * 2` -> `34`; unknown names stay."""
    try:
        return _plain(_value(ast.parse(expression, mode="eval").body, values))
    except (KeyError, TypeError, SyntaxError):
        return expression


def _value(node: ast.expr, values: Mapping[str, Any]) -> Any:
    if isinstance(node, ast.BinOp):
        return _OPERATORS[type(node.op)](_value(node.left, values), _value(node.right, values))
    return values[node.id] if isinstance(node, ast.Name) else ast.literal_eval(node)


def _plain(value: Any) -> str:
    """Sizes are whole; seconds may be `1.0`."""
    return str(math.floor(value)) if isinstance(value, float) and value >= 100 else str(value)


def _size(values: Mapping[str, Any], divisor: int = 1) -> str:
    return f"{int(values['image_height']) // divisor}x{int(values['image_width']) // divisor}"


def _colour(channels: Any) -> str:
    return _COLOURS.get(channels, f"{channels}-channel images")


def _times(scale: int) -> str:
    return _TIMES.get(scale, f"{scale} times")


def _grammatical(text: str) -> str:
    """`the next 1 values` -> `the next value`, `1 features` -> `1 feature`, `2.0 second` -> `2.0 seconds`."""
    text = re.sub(r"\bthe next 1 (\w+?)s\b", r"the next \1", text)
    text = re.sub(
        r"(?<![\w.,(/])1 (feature|step|label|keypoint|target|user|item|token id|character id)s\b", r"1 \1", text
    )
    return re.sub(r"\b(?!1\.0\b)(\d+\.\d+) second\b", r"\1 seconds", text)
