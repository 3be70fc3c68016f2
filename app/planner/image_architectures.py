"""Architectures of images as layers, without the head; None where one does not fit the input or the output.

For a map (segmentation, depth), a backbone made for classification ends in its last map, which is enlarged.
"""

from itertools import pairwise

from dlcodegen.planner.model_facts import InputKind, Layers, ModelFacts, OutputKind

_MAX_POOLINGS = 4  # deeper networks go on at that resolution


def cnn(facts: ModelFacts, input_kind: InputKind, output_kind: OutputKind) -> Layers:
    """Plain convolutions, along images, series, texts, and the columns of a table."""
    sides = "2D" if input_kind == "image" else "1D"
    kernel = facts.integer("kernel_size", 3)
    kernel += 1 - kernel % 2 if output_kind == "steps" else 0  # an even one would change the number of steps
    layers: Layers = []
    for level, width in enumerate(facts.layer_widths("filters", (32, 64, 128) if sides == "2D" else (64, 64))):
        layers += [f"Conv{sides}({width}, kernel_size={kernel})", *facts.norm(default=True), facts.activation]
        layers += ["SqueezeExcitation()"] if facts.flag("attention") and sides == "2D" else []
        pools = output_kind not in ("map", "steps") and level < _MAX_POOLINGS
        layers += [f"MaxPooling{sides}(2)"] if pools else []
    if facts.flag("attention") and sides == "1D":
        layers.append(f"MultiHeadAttention({facts.integer('num_heads', 4)})")
    if output_kind in ("map", "steps"):
        return [*layers, *facts.dropout()]
    pool = "GlobalMaxPooling1D()" if input_kind == "tokens" else f"GlobalAveragePooling{sides}()"
    return [*layers, pool, *facts.dense((64,), dropout=0.3)]


def lenet(facts: ModelFacts, input_kind: InputKind, output_kind: OutputKind) -> Layers | None:
    if input_kind != "image" or output_kind == "map":
        return None
    layers: Layers = []
    for width in facts.widths("filters", (6, 16)):
        convolution = f"Conv2D({width}, kernel_size={facts.integer('kernel_size', 5)})"
        layers += [convolution, *facts.norm(), facts.activation, "AveragePooling2D(2)"]
    return [*layers, "Flatten()", *facts.dense((120, 84))]


def alexnet(facts: ModelFacts, input_kind: InputKind, output_kind: OutputKind) -> Layers | None:
    if input_kind != "image" or output_kind == "map":
        return None
    layers: Layers = []
    for level, width in enumerate(facts.widths("filters", (32, 64, 96, 96, 64))):
        layers += [f"Conv2D({width}, kernel_size={5 if level < 2 else 3})", *facts.norm(default=True), facts.activation]
        layers += ["MaxPooling2D(3, strides=2)"] if level in (0, 1, 4) else []
    return [*layers, "Flatten()", *facts.dense((128, 64), dropout=0.5)]


def vgg(facts: ModelFacts, input_kind: InputKind, output_kind: OutputKind) -> Layers | None:
    if input_kind != "image":
        return None
    layers: Layers = []
    for width in facts.widths("filters", (32, 64, 128)):
        layers += [f"Conv2D({width}, kernel_size=3)", *facts.norm(default=True), facts.activation] * 2
        layers.append("MaxPooling2D(2)")
    return layers if output_kind == "map" else [*layers, "Flatten()", *facts.dense((64,), dropout=0.5)]


def resnet(facts: ModelFacts, input_kind: InputKind, output_kind: OutputKind) -> Layers | None:
    """Residual blocks of convolutions on images, series and texts, of dense layers on tables."""
    if input_kind == "vector":
        widths = facts.layer_widths("hidden_units", (facts.integer("hidden_size", 128),) * 3)
        return [f"ResidualDense({width}, dropout={facts.share('dropout', 0.1):g})" for width in widths]
    if input_kind != "image":
        blocks = [f"TemporalBlock({width})" for width in facts.layer_widths("filters", (64, 64, 64))]
        return blocks if output_kind == "steps" else [*blocks, "GlobalAveragePooling1D()", *facts.dense(())]
    widths = facts.widths("filters", (32, 64, 128))
    layers = [f"Conv2D({widths[0]}, kernel_size=3)", "BatchNormalization()", facts.activation]
    count = _blocks(facts.integer("num_layers", len(widths)), len(widths))
    stages = [position * len(widths) // count for position in range(count)]
    for before, stage in pairwise([0, *stages]):
        layers.append(f"ResidualBlock({widths[stage]}{', stride=2' if stage > before else ''})")
    return _averaged(layers, facts, output_kind)


def _blocks(num_layers: int, stages: int) -> int:
    """Blocks of a ResNet: a small number counts blocks, a large one the convolutions (ResNet-18 has 8 blocks)."""
    return max(stages, min(16, num_layers if num_layers <= 12 else (num_layers - 2) // 2))


def mobilenet(facts: ModelFacts, input_kind: InputKind, output_kind: OutputKind) -> Layers | None:
    return _inverted_residuals("", facts, output_kind) if input_kind == "image" else None


def efficientnet(facts: ModelFacts, input_kind: InputKind, output_kind: OutputKind) -> Layers | None:
    return _inverted_residuals(", squeeze=True", facts, output_kind) if input_kind == "image" else None


def _inverted_residuals(option: str, facts: ModelFacts, output_kind: OutputKind) -> Layers:
    layers = ["Conv2D(16, kernel_size=3, strides=2)", "BatchNormalization()", "SiLU()"]
    for width in facts.widths("filters", (24, 48, 96)):
        layers += [f"InvertedResidual({width}, stride=2{option})", f"InvertedResidual({width}{option})"]
    return _averaged(layers, facts, output_kind)


def densenet(facts: ModelFacts, input_kind: InputKind, output_kind: OutputKind) -> Layers | None:
    if input_kind != "image":
        return None
    block = "DenseBlock(num_layers=4, growth=16)"
    layers = ["Conv2D(32, kernel_size=3)", block, "Transition()", block, "Transition()", block]
    return _averaged([*layers, "BatchNormalization()", facts.activation], facts, output_kind)


def inception(facts: ModelFacts, input_kind: InputKind, output_kind: OutputKind) -> Layers | None:
    if input_kind != "image":
        return None
    layers = ["Conv2D(32, kernel_size=3)", "BatchNormalization()", facts.activation]
    for width in facts.widths("filters", (64, 128, 128)):
        layers += ["MaxPooling2D(3, strides=2)", f"InceptionBlock({width})"]
    return _averaged(layers, facts, output_kind)


def xception(facts: ModelFacts, input_kind: InputKind, output_kind: OutputKind) -> Layers | None:
    if input_kind != "image":
        return None
    layers = ["Conv2D(32, kernel_size=3)", "BatchNormalization()", facts.activation]
    for width in facts.widths("filters", (64, 128, 256)):
        layers += [f"SeparableConv2D({width}, kernel_size=3)", "BatchNormalization()", facts.activation] * 2
        layers.append("MaxPooling2D(3, strides=2)")
    return _averaged(layers, facts, output_kind)


def convnext(facts: ModelFacts, input_kind: InputKind, output_kind: OutputKind) -> Layers | None:
    if input_kind != "image":
        return None
    layers: Layers = []
    for level, width in enumerate(facts.widths("filters", (32, 64, 128))):
        side = 2 if level else 4
        layers += [f"Conv2D({width}, kernel_size={side}, strides={side})", "LayerNormalization()"]
        layers.append(f"ConvNeXtBlock({width})")
    return _averaged(layers, facts, output_kind)


def _averaged(layers: Layers, facts: ModelFacts, output_kind: OutputKind) -> Layers:
    """A backbone, averaged over the image unless each pixel needs an output, and the dense layers that are stated."""
    return layers if output_kind == "map" else [*layers, "GlobalAveragePooling2D()", *facts.dense(())]
