"""What each block of our own is called with, given the tensor that reaches it; the classes lie in `blocks/`."""

from functools import partial

from dlcodegen.writers.layer_calls import Layer
from dlcodegen.writers.module_code import call, unless
from dlcodegen.writers.tensor_trace import Rule, Trace


def image_block(class_name: str, trace: Trace, layer: Layer) -> None:
    """A block of (in_channels, out_channels) that keeps height and width."""
    trace.to_image(layer)
    width = _filters(trace, layer)
    trace.widen(width, call(class_name, trace.width, width))


def residual_block(trace: Trace, layer: Layer) -> None:
    stride = _stride(trace, layer)
    width = _filters(trace, layer)
    trace.widen(width, call("ResidualBlock", trace.width, width, stride=unless(stride, 1)))


def inverted_residual(trace: Trace, layer: Layer) -> None:
    stride = _stride(trace, layer)
    width = _filters(trace, layer)
    module = call(
        "InvertedResidual",
        trace.width,
        width,
        stride=unless(stride, 1),
        expansion=unless(layer.integer(2, "expansion", default=4), 4),
        squeeze=layer.flag("squeeze") or None,
    )
    trace.widen(width, module)


def _filters(trace: Trace, layer: Layer) -> str:
    return layer.width(0, "out_channels", "channels", "filters", default=trace.width)


def _stride(trace: Trace, layer: Layer) -> int:
    stride = layer.integer(1, "stride", "strides")
    if stride > 4:
        layer.fail(f"a stride of {stride} leaves nothing of the image")
    trace.to_image(layer)
    if stride > 1:
        trace.resize(layer)
    return stride


def squeeze_excitation(trace: Trace, layer: Layer) -> None:
    trace.to_image(layer)
    reduction = layer.integer(None, "reduction", "ratio", default=4)
    trace.emit(call("SqueezeExcitation", trace.width, reduction=unless(reduction, 4)))


def dense_block(trace: Trace, layer: Layer) -> None:
    num_layers, growth = layer.integer(0, "num_layers", default=4), layer.integer(1, "growth", default=16)
    trace.to_image(layer)
    added = num_layers * growth
    width = str(int(trace.width) + added) if trace.width.isdigit() else f"({trace.width} + {added})"
    trace.widen(width, call("DenseBlock", trace.width, num_layers=num_layers, growth=growth))


def transition(trace: Trace, layer: Layer) -> None:
    trace.to_image(layer)
    width = str(max(1, int(trace.width) // 2)) if trace.width.isdigit() else trace.width
    trace.widen(width, call("Transition", trace.width, width))
    trace.resize(layer)


def unet(class_name: str, trace: Trace, layer: Layer) -> None:
    """As the last layer it has the model's head in itself."""
    base_width = layer.width(0, "base_width", "filters", default="32")
    depth = layer.integer(1, "depth", default=4)
    trace.to_image(layer)
    trace.complete = trace.is_last and trace.output_kind == "map" and not trace.resized
    width = trace.output_width if trace.complete else base_width
    trace.widen(width, call(class_name, trace.width, width, base_width, depth))


def patch_embedding(trace: Trace, layer: Layer) -> None:
    patch_size = layer.integer(0, "patch_size", default=8)
    width = layer.width(1, "hidden_size", "embed_dim", default="64")
    trace.to_image(layer)
    trace.widen(width, call("PatchEmbedding", trace.width, patch_size, width))
    trace.kind, trace.steps = "series", ""


def feature_tokens(trace: Trace, layer: Layer) -> None:
    width = layer.width(0, "hidden_size", "embed_dim", default="32")
    trace.to_vector(layer.text)
    trace.steps = trace.width
    trace.widen(width, call("FeatureTokens", trace.width, width))
    trace.kind = "series"


def residual_dense(trace: Trace, layer: Layer) -> None:
    width = layer.width(0, "units", "out_features", default="64")
    rate = layer.rate(1, "dropout", default=0.1)
    trace.embed()
    if not (trace.kind == "series" and trace.reads_steps):
        trace.to_vector(layer.text)
    trace.widen(width, call("ResidualDense", trace.width, width, dropout=None if rate == 0.1 else rate))


def transformer_encoder(trace: Trace, layer: Layer) -> None:
    num_layers = layer.integer(1, "num_layers", default=2)
    num_heads = layer.integer(2, "num_heads", "nhead", default=4)
    _encode(trace, layer, num_layers, num_heads, layer.rate(3, "dropout", default=0.1))


def transformer_layer(trace: Trace, layer: Layer) -> None:
    """PyTorch's and Keras' spelling, (width, heads); layers in a row have been joined into one encoder."""
    num_layers = layer.integer(None, "num_layers")
    num_heads = layer.integer(1, "num_heads", "nhead", default=4)
    _encode(trace, layer, num_layers, num_heads, layer.rate(None, "dropout", "rate", default=0.1))


def _encode(trace: Trace, layer: Layer, num_layers: int, num_heads: int, rate: float) -> None:
    width = layer.width(0, "hidden_size", "d_model", "embed_dim", default="64")
    if width.isdigit() and int(width) % num_heads:
        layer.fail(f"a width of {width} cannot be shared among {num_heads} heads")
    trace.to_series()
    options = {"num_layers": num_layers, "num_heads": num_heads, "dropout": None if rate == 0.1 else rate}
    trace.widen(width, call("TransformerEncoder", trace.width, width, **options))


def temporal_block(trace: Trace, layer: Layer) -> None:
    width = layer.width(0, "filters", "out_features", default="64")
    rate = layer.rate(None, "dropout", default=0.1)
    trace.to_series()
    module = call(
        "TemporalBlock",
        trace.width,
        width,
        dilation=unless(layer.integer(1, "dilation", "dilation_rate"), 1),
        kernel_size=unless(layer.integer(2, "kernel_size", default=3), 3),
        dropout=None if rate == 0.1 else rate,
    )
    trace.widen(width, module)


def attention_pooling(trace: Trace, layer: Layer) -> None:
    trace.to_series()
    trace.merge(layer.text, call("AttentionPooling", trace.width))


def positional_encoding(trace: Trace, layer: Layer) -> None:
    trace.to_series()
    trace.emit("PositionalEncoding()")


def multi_head_attention(trace: Trace, layer: Layer) -> None:
    num_heads = layer.integer(0, "num_heads", default=4)
    has_size = layer.argument(1, "key_dim") is not None
    head_size = layer.integer(1, "key_dim") if has_size else None
    trace.to_series()
    trace.emit(call("SelfAttention", trace.width, num_heads=num_heads, head_size=head_size))


def attention(trace: Trace, layer: Layer) -> None:
    trace.to_series()
    trace.emit(call("SelfAttention", trace.width))


BLOCK_RULES: dict[str, Rule] = {
    "residualblock": residual_block,
    "invertedresidual": inverted_residual,
    "convnextblock": partial(image_block, "ConvNeXtBlock"),
    "inceptionblock": partial(image_block, "InceptionBlock"),
    "aspp": partial(image_block, "ASPP"),
    "squeezeexcitation": squeeze_excitation,
    "denseblock": dense_block,
    "transition": transition,
    "unet": partial(unet, "UNet"),
    "attentionunet": partial(unet, "AttentionUNet"),
    "patchembedding": patch_embedding,
    "featuretokens": feature_tokens,
    "residualdense": residual_dense,
    "transformerencoder": transformer_encoder,
    "transformerencoderlayer": transformer_layer,
    "temporalblock": temporal_block,
    "attentionpooling": attention_pooling,
    "positionalencoding": positional_encoding,
    "multiheadattention": multi_head_attention,
    "attention": attention,
}
