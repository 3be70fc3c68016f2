"""A plan's layers as the model segment of a Keras script: one functional `build_model`."""

import ast
import dataclasses
from collections.abc import Sequence

from dlcodegen.syntax_tree import parse
from dlcodegen.writers.interface import Interface
from dlcodegen.writers.keras_rules import KERAS_RULES
from dlcodegen.writers.keras_trace import KerasTrace
from dlcodegen.writers.layer_calls import Layer, LayerError
from dlcodegen.writers.layers import ModelSegment, known_layers, look_ahead, split_head
from dlcodegen.writers.tensor_trace import batch_shape, shapes_of

_PLACES = ("image_height", "image_width")
_OF_EVERY_MODEL = {"compile", "fit", "evaluate", "predict", "save_weights", "load_weights", "summary", "count_params"}
_SHAPE_KEEPING = {"dropout", "spatialdropout1d", "layernormalization", "activation", "embedding"}
_KEEPING = {
    "of length one": "layers.UnitNormalization()(x)",
    "coordinates in [0, 1]": 'layers.Activation("sigmoid")(x)',
}
_MASKED = {"lstm", "gru", "simplernn", "globalaveragepooling1d", "dense"}


def build_keras_segment(layers: Sequence[str], interface: Interface, script: str) -> ModelSegment:
    """The model of a plan's layers in Keras, for this script in place of its own.

    As `build_model_segment` does, it puts in what the plan leaves out, and leaves out a final softmax or sigmoid.
    Raises LayerError that names the layer that Keras has not, the shapes that no layers lead to, or what the script
    reads of its own model.
    """
    _refuse_own_parts(script)
    trace = KerasTrace.of_input(_channels_first(interface))
    body, head = split_head(known_layers(layers, interface, KERAS_RULES), trace)
    trace.masks_padding = "mask_zero=True" in script and _passes_over_padding(body)
    for position, layer in enumerate(body):
        look_ahead(trace, body[position + 1 :])
        KERAS_RULES[layer.name](trace, layer)
    _close(trace, head)
    if interface.kept:
        trace.emit(_KEEPING[interface.kept])
    return ModelSegment(_build_model(trace, interface), ("from keras import layers",))


def _channels_first(interface: Interface) -> Interface:
    """The same interface with an image's channels in front, where the kinds of inputs and outputs are told apart."""
    if "channels" in interface.inputs[:1]:
        raise LayerError(f"no list of Keras layers leads from {batch_shape(interface.inputs)}: channels come last")
    return dataclasses.replace(interface, inputs=_rolled(interface.inputs), outputs=_rolled(interface.outputs))


def _rolled(dimensions: tuple[str, ...]) -> tuple[str, ...]:
    return (
        (dimensions[2], *_PLACES) if dimensions[:2] == _PLACES and len(dimensions) == len(_PLACES) + 1 else dimensions
    )


def _refuse_own_parts(script: str) -> None:
    """A script that reads a layer or a part of its model by name works with no other model."""
    for function in parse(script).body:
        if not isinstance(function, ast.FunctionDef) or function.name == "build_model":
            continue
        for node in ast.walk(function):
            if not isinstance(node, ast.Attribute) or ast.unparse(node.value) != "model":
                continue
            if node.attr not in _OF_EVERY_MODEL:
                raise LayerError(f"{function.name} reads model.{node.attr}")


def _passes_over_padding(body: list[Layer]) -> bool:
    """Whether what first reads the steps passes over padding; a convolution cannot, and says so at run time."""
    reader = next((layer.name for layer in body if layer.name not in _SHAPE_KEEPING), "dense")
    return reader in _MASKED and "attention" not in {layer.name for layer in body}


def _close(trace: KerasTrace, head: Layer | None) -> None:
    """Append the head, and bring a map back to the size of the image."""
    look_ahead(trace, [])
    wanted = {"map": "image", "steps": "series"}.get(trace.output_kind, "vector")
    trace.embed()
    if wanted == "vector":
        trace.to_vector("")
    elif trace.kind != wanted or (wanted == "series" and trace.merged_by):
        needed = "each pixel" if wanted == "image" else "each step"
        raise LayerError(f"{trace.merged_by or 'the layers'}: {needed} needs an output, and this leaves none")
    if wanted != "image":
        trace.emit(f"layers.Dense({trace.output_width})(x)")
    else:
        usual = Layer("Conv2D", "conv2d", keywords={"kernel_size": ast.Constant(1)}, head_width=trace.output_width)
        head = dataclasses.replace(head, head_width=trace.output_width) if head else usual
        KERAS_RULES[head.name](trace, head)
        if trace.resized:
            trace.emit("keras.ops.image.resize(x, (config.image_height, config.image_width))")
    if trace.output_kind == "scalar":
        trace.emit("keras.ops.squeeze(x, axis=-1)")


def _build_model(trace: KerasTrace, interface: Interface) -> str:
    shape = ", ".join(f"config.{name}" for name in interface.inputs)
    options = ', dtype="int64"' if interface.inputs == ("sequence_length",) else ""
    return "\n".join(
        [
            "def build_model(config: Config) -> keras.Model:",
            f'    """Shapes: {shapes_of(interface)}."""',
            f"    inputs = x = keras.Input(({shape}{',' if len(interface.inputs) == 1 else ''}){options})",
            *(f"    x = {step}" for step in trace.modules),
            "    return keras.Model(inputs, x)\n",
        ]
    )
