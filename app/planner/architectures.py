"""Named architectures as layers: what a ResNet, a U-Net or a TCN is made of, at a size that trains on a CPU.

The builders lie in `image_architectures`, `map_architectures` and `sequence_architectures`.
"""

from collections.abc import Callable, Mapping

from dlcodegen.planner import image_architectures, map_architectures, sequence_architectures
from dlcodegen.planner.model_facts import InputKind, Layers, ModelFacts, OutputKind

Builder = Callable[[ModelFacts, InputKind, OutputKind], Layers | None]
"""From what is stated to the layers before the head; None where the architecture does not fit."""


def layers_for(
    architecture: str, input_kind: InputKind, output_kind: OutputKind, facts: Mapping[str, object], width: str = ""
) -> list[str] | None:
    """The layers of an architecture for this kind of input and output; None when it does not fit them.

    `facts` may state num_layers, hidden_size, hidden_units, filters, kernel_size, num_heads, dropout, bidirectional,
    attention, embedding_dim, patch_size, batch_norm, activation, base_width, depth and latent_dim. The last layer is
    the head, its width a number or a field of Config: `Dense(num_classes)`. `width`: that of an output which is a
    vector, where it is known.
    """
    fits = {"map": input_kind == "image", "steps": input_kind == "tokens"}.get(output_kind, True)
    builder = BUILDERS.get(architecture)
    stated = ModelFacts(facts)
    body = builder(stated, input_kind, output_kind) if builder and fits else None
    if body is None:
        return None
    embedding = [stated.embedding] if input_kind == "tokens" else []
    return [*embedding, *body, _head(architecture, input_kind, output_kind, facts, width)]


def _head(
    architecture: str, input_kind: InputKind, output_kind: OutputKind, facts: Mapping[str, object], known: str
) -> str:
    if output_kind == "scalar":
        return "Dense(1)"
    if output_kind == "vector" and known:
        return f"Dense({known})"
    if architecture == "autoencoder":
        return "Conv2D(channels, kernel_size=1)" if output_kind == "map" else "Dense(num_features)"
    usual = "horizon" if input_kind == "series" else "num_classes"
    width = next((name for name in ("num_classes", "horizon", "num_outputs") if name in facts), usual)
    return f"Conv2D({width}, kernel_size=1)" if output_kind == "map" else f"Dense({width})"


BUILDERS: dict[str, Builder] = {
    "cnn": image_architectures.cnn,
    "lenet": image_architectures.lenet,
    "alexnet": image_architectures.alexnet,
    "vgg": image_architectures.vgg,
    "resnet": image_architectures.resnet,
    "mobilenet": image_architectures.mobilenet,
    "efficientnet": image_architectures.efficientnet,
    "densenet": image_architectures.densenet,
    "inception": image_architectures.inception,
    "xception": image_architectures.xception,
    "convnext": image_architectures.convnext,
    "vit": sequence_architectures.vit,
    "mlp": sequence_architectures.mlp,
    "unet": map_architectures.unet,
    "attention-unet": map_architectures.attention_unet,
    "fcn": map_architectures.fcn,
    "segnet": map_architectures.segnet,
    "deeplab": map_architectures.deeplab,
    "lstm": sequence_architectures.lstm,
    "bilstm": sequence_architectures.bilstm,
    "gru": sequence_architectures.gru,
    "bigru": sequence_architectures.bigru,
    "rnn": sequence_architectures.rnn,
    "tcn": sequence_architectures.tcn,
    "cnn-lstm": sequence_architectures.cnn_lstm,
    "cnn-gru": sequence_architectures.cnn_gru,
    "transformer": sequence_architectures.transformer,
    "autoencoder": map_architectures.autoencoder,
}
"""Every architecture by its canonical name."""
