"""Layers that a model wrote, held to what the requirement states of them."""

import re
from collections.abc import Mapping
from typing import Any

from dlcodegen import vocabulary
from dlcodegen.plan import layer_name

_WITHOUT_BODY = re.compile(
    r"Dense|Embedding|Flatten|Reshape|Softmax|\w*Dropout\w*|\w*Pool\w*|\w*Norm\w*|\w*ReLU|[GS]i?[EL]LU|\w*Embedding"
)
"""Names of layers that are not what an architecture is told by."""
_SHOWN_BY = {"batch_norm": "BatchNorm", "bidirectional": "Bidirectional", "attention": "Attention"}
"""Facts that are yes or no -> what stands in the layers where they are yes."""


def grounded_layers(written: list[str], own: list[str], stated: Mapping[str, Any]) -> list[str]:
    """The written layers with head, dropout and kernels as stated; `own` where they still contradict what is stated.

    `own` are the layers of the nearest sample with the facts set: they tell how a stated value is spelt.
    """
    layers = _with_kernel(_with_dropout(_with_head(written, own), stated), stated)
    return layers if _holds(layers, own, stated) else own


def _with_head(written: list[str], own: list[str]) -> list[str]:
    """With the sample's last layer, which has the stated outputs, where the written one is of the same kind."""
    if layer_name(written[-1]) != layer_name(own[-1]):
        return written
    width = re.search(r"\((\d+)", own[-1])
    return [*written[:-1], re.sub(r"\(\d+", f"({width[1]}", written[-1], count=1) if width else written[-1]]


def _with_dropout(layers: list[str], stated: Mapping[str, Any]) -> list[str]:
    """Every rate of dropout as stated, before the last layer where there is none at all; no dropout where it is 0."""
    if "dropout" not in stated:
        return layers
    rate = stated["dropout"]
    if not rate:
        return [layer for layer in layers if "Dropout" not in layer_name(layer)]
    changed = [
        re.sub(r"(?i)(\w*dropout(?:\dd)?(?:\((?:rate=)?|=))\d*\.?\d+", rf"\g<1>{rate}", layer) for layer in layers
    ]
    return (
        changed
        if any("dropout" in layer.lower() for layer in layers)
        else [*layers[:-1], f"Dropout({rate})", layers[-1]]
    )


def _with_kernel(layers: list[str], stated: Mapping[str, Any]) -> list[str]:
    """Kernels of the stated size; those of 1 mix channels and stay."""
    if "kernel_size" not in stated:
        return layers
    return [
        re.sub(r"kernel_size=(?:(?!1\b)\d+|[(\[][\d, ]+[)\]])", f"kernel_size={stated['kernel_size']}", layer)
        for layer in layers
    ]


def _holds(written: list[str], own: list[str], stated: Mapping[str, Any]) -> bool:
    """Whether the layers say all that `own` says of the stated facts."""
    text, own_text = " ".join(written), " ".join(own)
    values = {name: value for name, value in stated.items() if name not in ("num_layers", "dropout", "architecture")}
    said = all(
        wanted not in _words(own_text) or wanted in _words(text)
        for name, value in values.items()
        for wanted in _spelt(name, value)
    )
    shown = all((word in own_text) == (word in text) for name, word in _SHOWN_BY.items() if name in stated)
    return said and shown and _is_of_architecture(written, own, stated) and _is_as_deep(written, own, stated)


def _is_of_architecture(written: list[str], own: list[str], stated: Mapping[str, Any]) -> bool:
    """Whether the stated architecture is named, or all kinds of layers that it consists of are there."""
    term = next((term for term in vocabulary.ARCHITECTURES if term.name == stated.get("architecture")), None)
    if term is None or any(term.search(layer) or layer_name(layer) in term.code for layer in written):
        return True
    kinds = _body(own)
    return bool(kinds) and set(kinds) <= set(_body(written))


def _is_as_deep(written: list[str], own: list[str], stated: Mapping[str, Any]) -> bool:
    if "dense_layers" in stated and _count(written, "Dense") != _count(own, "Dense"):
        return False
    if "num_layers" not in stated:
        return True
    argument = f"num_layers={stated['num_layers']}"
    if argument in " ".join(own):
        return argument in " ".join(written)
    kinds = {kind for kind in _body(own) if _count(own, kind) == stated["num_layers"]}
    return all(_count(written, kind) == _count(own, kind) for kind in kinds)


def _count(layers: list[str], kind: str) -> int:
    return sum(layer_name(layer) == kind for layer in layers)


def _body(layers: list[str]) -> list[str]:
    names = map(layer_name, layers)
    return [name for name in names if not _WITHOUT_BODY.fullmatch(name)]


def _spelt(name: str, value: Any) -> set[str]:
    if isinstance(value, list):
        return {spelt for item in value for spelt in _spelt(name, item)}
    return {f"kernel_size={value}"} if name == "kernel_size" else {str(value).lower()}


def _words(text: str) -> set[str]:
    return set(re.findall(r"kernel_size=\d+|\d+(?:\.\d+)?|[^\W\d_]+", text.lower())) | set(re.findall(r"\d+", text))
