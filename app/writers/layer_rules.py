"""What each plain layer becomes in PyTorch, given the tensor that reaches it."""

import ast
from math import prod

from dlcodegen.writers.layer_calls import ACTIVATIONS, Layer
from dlcodegen.writers.module_code import call, product, unless
from dlcodegen.writers.tensor_trace import Rule, Trace


def dense(trace: Trace, layer: Layer) -> None:
    units = layer.width(0, "units", "out_features")
    trace.embed()
    if trace.kind == "image" and (trace.output_kind == "map" or trace.reads_places):
        linear = call("nn.Conv2d", trace.width, units, kernel_size=1)
    else:
        if not (trace.kind == "series" and trace.reads_steps):
            trace.to_vector(layer.text)
        linear = call("nn.Linear", trace.width, units)
    trace.widen(units, linear, layer.activation(1))


def batch_normalization(trace: Trace, layer: Layer) -> None:
    trace.embed()
    module = call("nn.BatchNorm2d" if trace.kind == "image" else "nn.BatchNorm1d", trace.width)
    trace.emit(call("ChannelsFirst", module) if trace.kind == "series" else module)


def layer_normalization(trace: Trace, layer: Layer) -> None:
    trace.embed()
    trace.emit(call("nn.GroupNorm", 1, trace.width) if trace.kind == "image" else call("nn.LayerNorm", trace.width))


def dropout(trace: Trace, layer: Layer) -> None:
    rate = layer.rate(0, "rate", "p", default=0.5)
    trace.embed()
    whole_channels = layer.name.startswith("spatial")
    if whole_channels and trace.kind == "series":
        trace.emit(call("ChannelsFirst", call("nn.Dropout1d", rate)))
    else:
        trace.emit(call("nn.Dropout2d" if whole_channels and trace.kind == "image" else "nn.Dropout", rate))


def activation(trace: Trace, layer: Layer) -> None:
    trace.embed()
    slope = layer.argument(0, "negative_slope", "alpha") if layer.name == "leakyrelu" else None
    if isinstance(slope, ast.Constant):
        trace.emit(call("nn.LeakyReLU", slope.value))
    else:
        trace.emit(layer.activation(0) if layer.name == "activation" else ACTIVATIONS[layer.name])


def embedding(trace: Trace, layer: Layer) -> None:
    if trace.kind != "tokens":
        layer.fail("it needs token ids, and the input has none left" if trace.modules else "the input is no text")
    width = layer.width(1, "output_dim", "embedding_dim", default="config.embedding_dim")
    trace.widen(width, call("nn.Embedding", "config.vocab_size", width))
    trace.kind = "series"


def recurrent(trace: Trace, layer: Layer) -> None:
    """The sequence comes out when a later layer reads one, else the last state."""
    hidden = layer.width(0, "units", "hidden_size")
    num_layers = _num_layers(layer)
    rate = layer.rate(None, "dropout", default=0.0)
    trace.to_series()
    module = call(
        "RecurrentLayer",
        {"lstm": "nn.LSTM", "gru": "nn.GRU"}.get(layer.name, "nn.RNN"),
        trace.width,
        hidden,
        num_layers=unless(num_layers, 1),
        dropout=rate if rate and num_layers > 1 else None,
        bidirectional=layer.bidirectional or None,
        sequence=trace.reads_steps or None,
    )
    if trace.reads_steps:
        trace.emit(module)
    else:
        trace.merge(layer.text, module)
    trace.width = product(hidden, 2) if layer.bidirectional else hidden
    if rate and num_layers == 1:
        trace.emit(call("nn.Dropout", rate))


def _num_layers(layer: Layer) -> int:
    """PyTorch's second argument; Keras has an activation in its place."""
    second = layer.argument(1, "num_layers")
    is_name = isinstance(second, ast.Constant) and isinstance(second.value, str)
    return 1 if is_name else layer.integer(1, "num_layers")


def flatten(trace: Trace, layer: Layer) -> None:
    trace.flatten(layer.text)


def reshape(trace: Trace, layer: Layer) -> None:
    """A vector inside the model becomes an image (height, width, channels) or a series (steps, features)."""
    target = layer.argument(0, "target_shape")
    shape = tuple(_whole(side) for side in target.elts) if isinstance(target, ast.Tuple | ast.List) else ()
    if trace.kind != "vector" or trace.raw or len(shape) not in (2, 3) or 0 in shape:
        return  # the input has its shape already
    if trace.width != str(prod(shape)):
        layer.fail(f"{trace.width} values do not make {prod(shape)}")
    trace.kind = "image" if len(shape) == 3 else "series"
    trace.steps, trace.resized = str(shape[0]), True
    trace.widen(str(shape[-1]), call("nn.Unflatten", 1, (shape[-1], *shape[:-1]) if len(shape) == 3 else shape))


def _whole(side: ast.expr) -> int:
    """A side of a shape; 0 when it is left open."""
    value = side.value if isinstance(side, ast.Constant) else 0
    return value if isinstance(value, int) else 0


def nothing(trace: Trace, layer: Layer) -> None:
    """Belongs to the data, or to Keras' way of declaring inputs."""


PLAIN_RULES: dict[str, Rule] = {
    "dense": dense,
    "batchnormalization": batch_normalization,
    "layernormalization": layer_normalization,
    "dropout": dropout,
    "spatialdropout1d": dropout,
    "spatialdropout2d": dropout,
    "activation": activation,
    **dict.fromkeys(ACTIVATIONS, activation),
    "embedding": embedding,
    "lstm": recurrent,
    "gru": recurrent,
    "simplernn": recurrent,
    "flatten": flatten,
    "reshape": reshape,
    "input": nothing,
    "inputlayer": nothing,
    "rescaling": nothing,
    "normalization": nothing,
    "resizing": nothing,
    "zeropadding1d": nothing,
    "zeropadding2d": nothing,
}
