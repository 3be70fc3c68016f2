"""What convolutions and poolings become in PyTorch, given the tensor that reaches them.

They are always padded, Keras' `padding="valid"` included: a side never falls below 1, whatever the size of the input.
"""

from collections.abc import Callable

from dlcodegen.writers.layer_calls import Layer, Size
from dlcodegen.writers.module_code import call, unless
from dlcodegen.writers.tensor_trace import Rule, Trace


def convolution(trace: Trace, layer: Layer) -> None:
    filters = layer.width(0, "filters", "out_channels")
    _convolve(trace, layer, filters, layer.size(1, "kernel_size", default=3), layer.size(2, "strides", "stride"))


def separable_convolution(trace: Trace, layer: Layer) -> None:
    filters = layer.width(0, "filters", "out_channels")
    _convolve(trace, layer, "", layer.size(1, "kernel_size", default=3), layer.size(2, "strides", "stride"))
    trace.widen(filters, call("nn.Conv2d", trace.width, filters, kernel_size=1), layer.activation())


def depthwise_convolution(trace: Trace, layer: Layer) -> None:
    _convolve(trace, layer, "", layer.size(0, "kernel_size", default=3), layer.size(1, "strides", "stride"))
    trace.emit(layer.activation())


def _convolve(trace: Trace, layer: Layer, filters: str, kernel: Size, stride: Size) -> None:
    """The convolution; without `filters`, one of each channel on its own."""
    dilation = layer.size(None, "dilation_rate", "dilation")
    _enter(trace, layer)
    padding = each(lambda k, d: d * (k // 2), kernel, dilation)
    options = {
        "kernel_size": kernel,
        "stride": unless(stride, 1),
        "padding": unless(padding, 0),
        "dilation": unless(dilation, 1),
        "groups": None if filters else trace.width,
    }
    width, activation = filters or trace.width, layer.activation() if filters else ""
    if trace.kind == "image":
        trace.widen(width, call("nn.Conv2d", trace.width, width, **options), activation)
    else:
        inner = [call("nn.Conv1d", trace.width, width, **options), activation]
        trace.widen(width, call("ChannelsFirst", *filter(None, inner)))
    if stride != 1 or each(lambda k: k % 2, kernel) != 1:
        trace.resize(layer)


def transposed_convolution(trace: Trace, layer: Layer) -> None:
    filters = layer.width(0, "filters", "out_channels")
    kernel, stride = layer.size(1, "kernel_size", default=3), layer.size(2, "strides", "stride")
    trace.to_image(layer)
    # Sides become exactly `stride` times as long (PyTorch's own default would add a border).
    padding = each(lambda k, s: max(0, (k - s + (s > 1)) // 2), kernel, stride)
    extra = each(lambda k, s, p: max(0, s - k + 2 * p), kernel, stride, padding)
    module = call(
        "nn.ConvTranspose2d",
        trace.width,
        filters,
        kernel_size=kernel,
        stride=unless(stride, 1),
        padding=unless(padding, 0),
        output_padding=unless(extra, 0),
    )
    trace.widen(filters, module, layer.activation())
    trace.resize(layer)


def pooling(trace: Trace, layer: Layer) -> None:
    window = layer.size(0, "pool_size", "kernel_size", default=2)
    stride = layer.size(1, "strides", "stride", default=window)
    _enter(trace, layer)
    kind = "Max" if layer.name.startswith("max") else "Avg"
    padding = each(lambda k, s: max(0, (k - s + 1) // 2), window, stride)
    sides = "2d" if trace.kind == "image" else "1d"
    options = {"stride": unless(stride, window), "padding": unless(padding, 0), "ceil_mode": True}
    module = call(f"nn.{kind}Pool{sides}", window, **options)
    trace.emit(module if trace.kind == "image" else call("ChannelsFirst", module))
    trace.resize(layer)


def global_pooling(trace: Trace, layer: Layer) -> None:
    if layer.name.startswith("adaptive") and layer.size(0, "output_size") != 1:
        return  # whatever flattens the image brings it to a fixed size itself
    kind = "Max" if "max" in layer.name else "Avg"
    trace.embed()
    if trace.kind == "image":
        trace.merge(layer.text, f"nn.Adaptive{kind}Pool2d(1)", "nn.Flatten()")
    elif trace.kind == "series":
        trace.merge(layer.text, "MaxOverSteps()" if kind == "Max" else "MeanOverSteps()")


def upsampling(trace: Trace, layer: Layer) -> None:
    factor = layer.size(0, "size", "scale_factor", default=2)
    _enter(trace, layer)
    module = call("nn.Upsample", scale_factor=factor)
    trace.emit(module if trace.kind == "image" else call("ChannelsFirst", module))
    trace.resize(layer)


def _enter(trace: Trace, layer: Layer) -> None:
    """Make the tensor what a 1-D or 2-D layer works on."""
    if layer.name.endswith("1d"):
        trace.to_series()
    else:
        trace.to_image(layer)


def each(rule: Callable[..., int], *sizes: Size) -> Size:
    """`rule` for each side of the sizes; one number when the sides agree."""
    sides = max((len(size) for size in sizes if isinstance(size, tuple)), default=1)
    columns = ((size[:sides] if isinstance(size, tuple) else (size,) * sides) for size in sizes)
    values = tuple(rule(*row) for row in zip(*columns, strict=True))
    return values[0] if len(set(values)) == 1 else values


CONVOLUTION_RULES: dict[str, Rule] = {
    "conv1d": convolution,
    "conv2d": convolution,
    "conv2dtranspose": transposed_convolution,
    "separableconv2d": separable_convolution,
    "depthwiseconv2d": depthwise_convolution,
    "maxpooling1d": pooling,
    "maxpooling2d": pooling,
    "averagepooling1d": pooling,
    "averagepooling2d": pooling,
    "globalaveragepooling1d": global_pooling,
    "globalaveragepooling2d": global_pooling,
    "globalmaxpooling1d": global_pooling,
    "globalmaxpooling2d": global_pooling,
    "adaptiveavgpool1d": global_pooling,
    "adaptiveavgpool2d": global_pooling,
    "adaptivemaxpool1d": global_pooling,
    "adaptivemaxpool2d": global_pooling,
    "upsampling1d": upsampling,
    "upsampling2d": upsampling,
}
