"""A plan's layers as the model segment of a script: the blocks they use, and `build_model`."""

import ast
import dataclasses
import re
from collections.abc import Container, Sequence
from dataclasses import dataclass

from dlcodegen.writers.block_rules import BLOCK_RULES
from dlcodegen.writers.block_source import blocks_for, imports_for
from dlcodegen.writers.convolution_rules import CONVOLUTION_RULES
from dlcodegen.writers.interface import Interface
from dlcodegen.writers.layer_calls import ACTIVATIONS, Layer, LayerError, read_layer, stacked
from dlcodegen.writers.layer_rules import PLAIN_RULES
from dlcodegen.writers.tensor_trace import Trace, shapes_of

__all__ = ["LayerError", "ModelSegment", "build_model_segment", "known_layers", "look_ahead", "split_head"]

_RULES = PLAIN_RULES | CONVOLUTION_RULES | BLOCK_RULES
_LINE_LENGTH = 120
_KEEPING = {"of length one": "UnitLength()", "coordinates in [0, 1]": "nn.Sigmoid()"}
_OUTPUT_ACTIVATIONS = {"", "nn.Sigmoid()", "nn.Tanh()", "nn.Softplus()"}
_READS_STEPS = {
    *("lstm", "gru", "simplernn", "conv1d", "maxpooling1d", "averagepooling1d", "upsampling1d"),
    *("globalaveragepooling1d", "globalmaxpooling1d", "adaptiveavgpool1d", "adaptivemaxpool1d"),
    *("multiheadattention", "attention", "positionalencoding", "transformerencoder", "transformerencoderlayer"),
    *("temporalblock", "attentionpooling"),
}
_READS_PLACES = {
    *("conv2d", "conv2dtranspose", "separableconv2d", "depthwiseconv2d", "upsampling2d"),
    *("maxpooling2d", "averagepooling2d", "globalaveragepooling2d", "globalmaxpooling2d"),
    *("residualblock", "invertedresidual", "convnextblock", "inceptionblock", "aspp", "squeezeexcitation"),
    *("denseblock", "transition", "unet", "attentionunet", "patchembedding"),
}


@dataclass(frozen=True)
class ModelSegment:
    """Source of a script's model part."""

    code: str
    """The classes and `build_model`, as `ruff format` leaves them."""
    imports: tuple[str, ...]
    """Import lines that it needs beyond `import torch` and `from torch import Tensor, nn`."""


def build_model_segment(layers: Sequence[str], interface: Interface) -> ModelSegment:
    """The model of a plan's layers, fitted to what comes in and has to go out.

    What the plan leaves out is put in: embedding, flattening, pooling, and the head. A final `Dense` or `Conv2D`
    of the plan is the head, and gets the interface's width; outputs are logits, so a final softmax or sigmoid is left
    out. The model runs for every Config: the only fields it reads are those of the interface, and of a text
    `vocab_size` and `embedding_dim`.

    Raises LayerError that names the layer that cannot be built, or the shapes that no layers lead to.
    """
    trace = Trace.of_input(interface)
    body, head = split_head(stacked(known_layers(layers, interface, _RULES)), trace)
    for position, layer in enumerate(body):
        look_ahead(trace, body[position + 1 :])
        _RULES[layer.name](trace, layer)
    if not trace.complete:
        _close(trace, head)
    if interface.kept:
        trace.emit(_KEEPING[interface.kept])
    function = _build_model(trace.modules, interface)
    classes = blocks_for(function)
    return ModelSegment("\n\n\n".join([*classes, function]) + "\n", imports_for("\n\n".join(classes)))


def known_layers(layers: Sequence[str], interface: Interface, rules: Container[str]) -> list[Layer]:
    """The layers as calls. Raises LayerError for prose and for layers that nobody knows."""
    fields = frozenset(re.findall(r"[A-Za-z_]\w*", " ".join((*interface.inputs, *interface.outputs))))
    if interface.input_kind == "tokens":
        fields |= {"vocab_size", "embedding_dim"}
    found = [read_layer(layer, fields) for layer in layers]
    for layer in found:
        if layer.name not in rules:
            layer.fail("unknown layer")
    return found


def split_head(layers: list[Layer], trace: Trace) -> tuple[list[Layer], Layer | None]:
    """The body and, if the plan has one, the head; what only shapes or squashes the outputs is dropped."""
    body = list(layers)
    while body and _shapes_outputs(body[-1], trace):
        body.pop()
    kinds = ("dense", "conv2d", "conv2dtranspose", "separableconv2d") if trace.output_kind == "map" else ("dense",)
    if not body or body[-1].name not in kinds or _is_hidden(body[-1]):
        return body, None
    head = body.pop()
    return body, dataclasses.replace(head, head_width=trace.output_width)


def _shapes_outputs(layer: Layer, trace: Trace) -> bool:
    if layer.name == "activation":
        return layer.activation(0) in _OUTPUT_ACTIVATIONS
    if layer.name in ("flatten", "reshape"):
        return trace.output_kind != "map"
    return ACTIVATIONS.get(layer.name, "none") in _OUTPUT_ACTIVATIONS


def _is_hidden(layer: Layer) -> bool:
    """`Dense(64, activation='relu')` is no head: outputs are not rectified, unless there is only one."""
    units = layer.argument(0, "units", "filters", "out_features", "out_channels")
    if isinstance(units, ast.Constant) and units.value == 1:
        return False
    return layer.activation(1 if layer.name == "dense" else None) not in _OUTPUT_ACTIVATIONS


def look_ahead(trace: Trace, following: list[Layer]) -> None:
    """Tell the trace what the layers still to come read."""
    trace.is_last = not following
    trace.reads_steps = trace.output_kind == "steps" or any(layer.name in _READS_STEPS for layer in following)
    trace.reads_places = trace.output_kind == "map" or any(layer.name in _READS_PLACES for layer in following)


def _close(trace: Trace, head: Layer | None) -> None:
    """Append the head, and bring a map back to the size of the image."""
    look_ahead(trace, [])
    wanted = {"map": "image", "steps": "series"}.get(trace.output_kind, "vector")
    trace.embed()
    if wanted == "vector":
        trace.to_vector("")
    elif trace.kind != wanted or (wanted == "series" and trace.merged_by):
        needed = "each pixel" if wanted == "image" else "each step"
        raise LayerError(f"{trace.merged_by or 'the layers'}: {needed} needs an output, and this leaves none")
    width = trace.output_width
    if wanted == "image":
        head = head or Layer("Conv2D", "conv2d", keywords={"kernel_size": ast.Constant(1)}, head_width=width)
        _RULES[head.name](trace, head)
        if trace.resized:
            trace.emit('nn.Upsample(size=(config.image_height, config.image_width), mode="bilinear")')
    else:
        trace.emit(f"nn.Linear({trace.width}, {width})")
    if trace.output_kind == "scalar":
        trace.emit("nn.Flatten(0)")


def _build_model(modules: list[str], interface: Interface) -> str:
    lines = [
        "def build_model(config: Config) -> nn.Module:",
        f'    """Shapes: {shapes_of(interface)}."""',
    ]
    if len(modules) == 1:
        return "\n".join([*lines, f"    return {modules[0]}"])
    items = [line for module in modules for line in _item(module)]
    return "\n".join([*lines, "    return nn.Sequential(", *items, "    )"])


def _item(module: str) -> list[str]:
    """One module of the list, its arguments on a line of their own where it is long."""
    line = f"        {module},"
    if len(line) <= _LINE_LENGTH:
        return [line]
    name, arguments = module[:-1].split("(", maxsplit=1)
    return [f"        {name}(", f"            {arguments}", "        ),"]
