"""What each plain layer becomes in Keras, given the tensor that reaches it.

Convolutions and poolings are always padded, `padding="valid"` included: no side falls below 1, whatever the input.
"""

import ast
from collections.abc import Callable

from dlcodegen.writers.keras_trace import KerasTrace
from dlcodegen.writers.layer_calls import ACTIVATIONS, Layer
from dlcodegen.writers.layer_rules import nothing
from dlcodegen.writers.module_code import call, unless

Rule = Callable[[KerasTrace, Layer], None]

_SAME = '"same"'
_NAMES = {
    **{name: f'"{name}"' for name in ("relu", "relu6", "elu", "selu", "gelu", "silu", "mish", "softplus", "tanh")},
    **{"sigmoid": '"sigmoid"', "swish": '"silu"', "hardswish": '"hard_silu"', "leakyrelu": '"leaky_relu"'},
    **{"prelu": '"leaky_relu"', "softmax": "", "logsoftmax": "", "linear": ""},  # softmax: outputs are logits
}
"""Keras's name of each activation, by its plain name; a name cannot hold PReLU's weights."""
_CLASSES = {"relu": "layers.ReLU()", "prelu": "layers.PReLU()"}
_CELLS = {"lstm": "layers.LSTM", "gru": "layers.GRU", "simplernn": "layers.SimpleRNN"}

_AUGMENTATIONS = {
    name.lower(): f"layers.{name}"
    for name in ("RandomFlip", "RandomRotation", "RandomZoom", "RandomTranslation", "RandomContrast")
}


def dense(trace: KerasTrace, layer: Layer) -> None:
    trace.embed()
    keeps_places = trace.kind == "image" and (trace.output_kind == "map" or trace.reads_places)
    if not keeps_places and not (trace.kind == "series" and trace.reads_steps):
        trace.to_vector(layer.text)
    trace.emit(_applied("layers.Dense", layer.width(0, "units", "out_features"), activation=_activation(layer, 1)))


def convolution(trace: KerasTrace, layer: Layer) -> None:
    filters = layer.width(0, "filters", "out_channels")
    _convolve(trace, layer, filters, 1, "layers.SeparableConv" if layer.name.startswith("sep") else "layers.Conv")


def depthwise_convolution(trace: KerasTrace, layer: Layer) -> None:
    _convolve(trace, layer, "", 0, "layers.DepthwiseConv")


def _convolve(trace: KerasTrace, layer: Layer, filters: str, place: int, name: str) -> None:
    stride, dilation = layer.size(place + 1, "strides", "stride"), layer.size(None, "dilation_rate", "dilation")
    if stride != 1 and dilation != 1:
        layer.fail("Keras has no convolution with both strides and dilation")
    _enter(trace, layer)
    trace.emit(
        _applied(
            f"{name}{layer.name[-2]}D",
            *filter(None, [filters]),
            kernel_size=layer.size(place, "kernel_size", default=3),
            strides=unless(stride, 1),
            padding=_SAME,
            dilation_rate=unless(dilation, 1),
            activation=_activation(layer),
            use_bias=_without_bias(layer),
        )
    )
    if stride != 1:
        trace.resize(layer)


def transposed_convolution(trace: KerasTrace, layer: Layer) -> None:
    kernel, stride = layer.size(1, "kernel_size", default=3), layer.size(2, "strides", "stride")
    trace.to_image(layer)
    trace.emit(
        _applied(
            "layers.Conv2DTranspose",
            layer.width(0, "filters", "out_channels"),
            kernel_size=kernel,
            strides=unless(stride, 1),
            padding=_SAME,
            activation=_activation(layer),
            use_bias=_without_bias(layer),
        )
    )
    trace.resize(layer)


def pooling(trace: KerasTrace, layer: Layer) -> None:
    size = layer.size(0, "pool_size", "kernel_size", default=2)
    stride = layer.size(1, "strides", "stride", default=size)
    _enter(trace, layer)
    name = "layers.MaxPooling" if layer.name.startswith("max") else "layers.AveragePooling"
    trace.emit(_applied(f"{name}{layer.name[-2]}D", size, strides=unless(stride, size), padding=_SAME))
    trace.resize(layer)


def global_pooling(trace: KerasTrace, layer: Layer) -> None:
    _enter(trace, layer)
    name = "layers.GlobalMaxPooling" if "max" in layer.name else "layers.GlobalAveragePooling"
    trace.merge(layer.text, f"{name}{layer.name[-2]}D()(x)")


def upsampling(trace: KerasTrace, layer: Layer) -> None:
    size = layer.size(0, "size", "scale_factor", default=2)
    _enter(trace, layer)
    trace.emit(_applied(f"layers.UpSampling{layer.name[-2]}D", size))
    trace.resize(layer)


def _enter(trace: KerasTrace, layer: Layer) -> None:
    """A 2D layer reads an image, a 1D layer a series."""
    if layer.name.endswith("2d"):
        trace.to_image(layer)
    else:
        trace.to_series()


def normalization(trace: KerasTrace, layer: Layer) -> None:
    trace.embed()
    if layer.name == "layernormalization":
        trace.emit(_applied("layers.LayerNormalization"))
        return
    momentum = layer.argument(None, "momentum")
    value = momentum.value if isinstance(momentum, ast.Constant) and isinstance(momentum.value, float) else None
    trace.emit(_applied("layers.BatchNormalization", momentum=value))


def dropout(trace: KerasTrace, layer: Layer) -> None:
    trace.embed()
    whole = {"image": "layers.SpatialDropout2D", "series": "layers.SpatialDropout1D"}.get(trace.kind)
    name = whole if whole and layer.name.startswith("spatial") else "layers.Dropout"
    trace.emit(_applied(name, layer.rate(0, "rate", "p", default=0.5)))


def activation(trace: KerasTrace, layer: Layer) -> None:
    trace.embed()
    slope = layer.argument(0, "negative_slope", "alpha") if layer.name == "leakyrelu" else None
    if layer.name == "leakyrelu":
        value = slope.value if isinstance(slope, ast.Constant) else 0.1
        trace.emit(_applied("layers.LeakyReLU", negative_slope=value))
    elif layer.name in _CLASSES:
        trace.emit(f"{_CLASSES[layer.name]}(x)")
    else:
        name = layer.activation_of(_NAMES, 0) if layer.name == "activation" else _NAMES[layer.name]
        trace.emit(f"layers.Activation({name})(x)" if name else "")


def embedding(trace: KerasTrace, layer: Layer) -> None:
    if trace.kind != "tokens":
        layer.fail("it needs token ids, and the input has none left" if trace.modules else "the input is no text")
    trace.embed_as(layer.width(1, "output_dim", "embedding_dim", default="config.embedding_dim"))


def recurrent(trace: KerasTrace, layer: Layer) -> None:
    """The sequence comes out when a later layer reads one, else the last state."""
    second = layer.argument(1, "num_layers")  # PyTorch's second argument; Keras has an activation in its place
    named = isinstance(second, ast.Constant) and isinstance(second.value, str)
    count = 1 if named else layer.integer(1, "num_layers")
    rate = layer.rate(None, "dropout", default=0.0)
    trace.to_series()
    for number in range(count):
        sequence = trace.reads_steps or number < count - 1
        cell = call(
            _CELLS[layer.name],
            layer.width(0, "units", "hidden_size"),
            dropout=rate or None,
            return_sequences=sequence or None,
        )
        trace.emit(f"layers.Bidirectional({cell})(x)" if layer.bidirectional else f"{cell}(x)")
    if not trace.reads_steps:
        trace.merge(layer.text)


def attention(trace: KerasTrace, layer: Layer) -> None:
    trace.to_series()
    if layer.name == "attention":
        trace.emit("layers.Attention()([x, x])")
        return
    heads = layer.integer(0, "num_heads", default=4)
    width = layer.integer(1, "key_dim", default=32)
    trace.emit(f"layers.MultiHeadAttention(num_heads={heads}, key_dim={width})(x, x)")


def noise(trace: KerasTrace, layer: Layer) -> None:
    trace.embed()
    trace.emit(_applied("layers.GaussianNoise", layer.rate(0, "stddev", default=0.1)))


def augmentation(trace: KerasTrace, layer: Layer) -> None:
    """Changes images in training only; its arguments are taken over as they stand."""
    if trace.kind != "image":
        layer.fail("it needs an image")
    stated = [*layer.positional, *layer.keywords.values()]
    if any(isinstance(node, ast.Name | ast.Attribute | ast.Call) for one in stated for node in ast.walk(one)):
        layer.fail("its arguments are not plain values")
    options = {key: ast.unparse(node) for key, node in layer.keywords.items() if key != "input_shape"}
    raw = trace.raw
    trace.emit(_applied(_AUGMENTATIONS[layer.name], *map(ast.unparse, layer.positional), **options))
    trace.raw = raw  # a dense layer behind it still reads every pixel


def flatten(trace: KerasTrace, layer: Layer) -> None:
    trace.flatten(layer.text)


def reshape(trace: KerasTrace, layer: Layer) -> None:
    """A vector inside the model becomes an image (height, width, channels) or a series (steps, features)."""
    target = layer.argument(0, "target_shape")
    sides = target.elts if isinstance(target, ast.Tuple | ast.List) else []
    shape = [side.value for side in sides if isinstance(side, ast.Constant) and isinstance(side.value, int)]
    if trace.kind != "vector" or trace.raw or len(shape) not in (2, 3) or len(shape) != len(sides):
        return  # the input has its shape already
    trace.emit(f"layers.Reshape(({', '.join(map(str, shape))}))(x)")
    trace.kind, trace.resized = "image" if len(shape) == 3 else "series", True


def _applied(name: str, *arguments: object, **options: object) -> str:
    return f"{call(name, *arguments, **options)}(x)"


def _activation(layer: Layer, position: int | None = None) -> str | None:
    return layer.activation_of(_NAMES, position) or None


def _without_bias(layer: Layer) -> bool | None:
    node = layer.argument(None, "use_bias", "bias")
    return False if isinstance(node, ast.Constant) and node.value is False and not layer.head_width else None


KERAS_RULES: dict[str, Rule] = {
    "dense": dense,
    **dict.fromkeys(("conv1d", "conv2d", "separableconv1d", "separableconv2d"), convolution),
    "depthwiseconv2d": depthwise_convolution,
    "conv2dtranspose": transposed_convolution,
    **dict.fromkeys(("maxpooling1d", "maxpooling2d", "averagepooling1d", "averagepooling2d"), pooling),
    **dict.fromkeys(("globalaveragepooling1d", "globalaveragepooling2d"), global_pooling),
    **dict.fromkeys(("globalmaxpooling1d", "globalmaxpooling2d"), global_pooling),
    **dict.fromkeys(("upsampling1d", "upsampling2d"), upsampling),
    **dict.fromkeys(("batchnormalization", "layernormalization"), normalization),
    **dict.fromkeys(("dropout", "spatialdropout1d", "spatialdropout2d"), dropout),
    **dict.fromkeys(("activation", *ACTIVATIONS), activation),
    "embedding": embedding,
    **dict.fromkeys(_CELLS, recurrent),
    **dict.fromkeys(("attention", "multiheadattention"), attention),
    "gaussiannoise": noise,
    **dict.fromkeys(_AUGMENTATIONS, augmentation),
    "flatten": flatten,
    "reshape": reshape,
    **dict.fromkeys(("input", "inputlayer", "rescaling", "normalization", "resizing"), nothing),
    **dict.fromkeys(("zeropadding1d", "zeropadding2d"), nothing),
}
