"""Architectures whose output is as large as their input, without the head; None where one does not fit."""

from dlcodegen.planner.image_architectures import resnet, vgg
from dlcodegen.planner.model_facts import InputKind, Layers, ModelFacts, OutputKind


def unet(facts: ModelFacts, input_kind: InputKind, output_kind: OutputKind) -> Layers | None:
    if output_kind != "map":
        return None
    return [_unet("AttentionUNet" if facts.flag("attention") else "UNet", facts)]


def attention_unet(facts: ModelFacts, input_kind: InputKind, output_kind: OutputKind) -> Layers | None:
    return [_unet("AttentionUNet", facts)] if output_kind == "map" else None


def _unet(name: str, facts: ModelFacts) -> str:
    return f"{name}(base_width={facts.integer('base_width', 32)}, depth={facts.integer('depth', 3)})"


def fcn(facts: ModelFacts, input_kind: InputKind, output_kind: OutputKind) -> Layers | None:
    """Convolutions only: a coarse map that is enlarged for images, three wide layers averaged for series."""
    if output_kind == "map":
        return vgg(facts, input_kind, output_kind)
    if input_kind != "series":
        return None
    layers: Layers = []
    for width, kernel in zip(facts.widths("filters", (64, 128, 64)), (7, 5, 3), strict=False):
        layers += [f"Conv1D({width}, kernel_size={kernel})", "BatchNormalization()", facts.activation]
    return [*layers, "GlobalAveragePooling1D()", *facts.dense(())]


def segnet(facts: ModelFacts, input_kind: InputKind, output_kind: OutputKind) -> Layers | None:
    if output_kind != "map":
        return None
    widths = facts.widths("filters", (32, 64, 128))
    layers: Layers = []
    for width in widths:
        layers += [*_convolution(width, facts), "MaxPooling2D(2)"]
    for width in reversed((widths[0], *widths[:-1])):
        layers += ["UpSampling2D(2)", *_convolution(width, facts)]
    return layers


def _convolution(width: int, facts: ModelFacts) -> Layers:
    return [f"Conv2D({width}, kernel_size=3)", "BatchNormalization()", facts.activation]


def deeplab(facts: ModelFacts, input_kind: InputKind, output_kind: OutputKind) -> Layers | None:
    backbone = resnet(facts, input_kind, output_kind) if output_kind == "map" else None
    return [*backbone, "ASPP(64)"] if backbone else None


def autoencoder(facts: ModelFacts, input_kind: InputKind, output_kind: OutputKind) -> Layers | None:
    """Images and tables that come out as they went in."""
    if input_kind == "vector" and output_kind == "vector":
        widths = facts.widths("hidden_units", (64, 32))
        widths = (*widths, facts.integer("latent_dim", 8), *reversed(widths))
        return [layer for width in widths for layer in (f"Dense({width})", facts.activation)]
    if output_kind != "map":
        return None
    widths = facts.widths("filters", (32, 64))
    layers = [layer for width in widths for layer in (f"Conv2D({width}, kernel_size=3, strides=2)", facts.activation)]
    if latent := facts.integer("latent_dim", 0):  # everything passes one vector, and grows again from 4 x 4 places
        layers += ["Flatten()", f"Dense({latent})", f"Dense({16 * widths[-1]})", f"Reshape((4, 4, {widths[-1]}))"]
    for width in reversed(widths):
        layers += [f"Conv2DTranspose({width}, kernel_size=4, strides=2)", facts.activation]
    return layers
