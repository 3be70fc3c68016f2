"""Architectures of series, texts and tables as layers, without the head; None where one does not fit the input."""

from functools import partial

from dlcodegen.planner.model_facts import InputKind, Layers, ModelFacts, OutputKind


def mlp(facts: ModelFacts, input_kind: InputKind, output_kind: OutputKind) -> Layers | None:
    """Dense layers on the flattened input; on a text, on the mean of its words or on each word."""
    if output_kind == "map":
        return None
    vector: Layers = {"vector": [], "tokens": ["GlobalAveragePooling1D()"]}.get(input_kind, ["Flatten()"])
    size = facts.integer("hidden_size", 0)
    widths = facts.layer_widths("hidden_units", (size, size) if size else (128, 64))
    return [*([] if output_kind == "steps" else vector), *facts.dense(widths, dropout=0.2)]


def recurrent(
    cell: str, two_ways: bool, facts: ModelFacts, input_kind: InputKind, output_kind: OutputKind
) -> Layers | None:
    if input_kind not in ("series", "tokens"):
        return None
    layers = [recurrent_layer(cell, facts, two_ways)] * facts.integer("num_layers", 1)
    return [*layers, *_attention(facts, output_kind), *facts.dense(())]


def recurrent_layer(cell: str, facts: ModelFacts, two_ways: bool = False) -> str:
    layer = f"{cell}({facts.integer('hidden_size', 64)})"
    return f"Bidirectional({layer})" if two_ways or facts.flag("bidirectional") else layer


def _attention(facts: ModelFacts, output_kind: OutputKind) -> Layers:
    """Attention behind recurrent layers: among the steps, or as the weights of their mean."""
    if not facts.flag("attention"):
        return []
    among_steps = f"MultiHeadAttention({facts.integer('num_heads', 4)})"
    return [among_steps if output_kind == "steps" else "AttentionPooling()"]


def tcn(facts: ModelFacts, input_kind: InputKind, output_kind: OutputKind) -> Layers | None:
    """Each block looks twice as far back as the one before."""
    if input_kind not in ("series", "tokens"):
        return None
    options = f"kernel_size={facts.integer('kernel_size', 3)}, dropout={facts.share('dropout', 0.1):g}"
    widths = facts.layer_widths("filters", (facts.integer("hidden_size", 64),) * 4)
    layers = [f"TemporalBlock({width}, dilation={2**level}, {options})" for level, width in enumerate(widths)]
    mean = ["GlobalAveragePooling1D()"] if input_kind == "tokens" and output_kind != "steps" else []
    return [*layers, *mean]


def cnn_recurrent(cell: str, facts: ModelFacts, input_kind: InputKind, output_kind: OutputKind) -> Layers | None:
    """Convolutions find short patterns, a recurrent layer reads them in their order."""
    if input_kind == "vector" or output_kind == "map":
        return None
    sides = "2D" if input_kind == "image" else "1D"
    layers: Layers = []
    for width in facts.widths("filters", (32, 64) if input_kind == "image" else (64,)):
        kernel = facts.integer("kernel_size", 3)
        kernel += 1 - kernel % 2 if output_kind == "steps" else 0  # an even one would change the number of steps
        layers += [f"Conv{sides}({width}, kernel_size={kernel})", *facts.norm(), facts.activation]
        layers += [] if output_kind == "steps" else [f"MaxPooling{sides}(2)"]
    layers += [recurrent_layer(cell, facts)] * facts.integer("num_layers", 1)
    return [*layers, *_attention(facts, output_kind), *facts.dense(())]


def transformer(facts: ModelFacts, input_kind: InputKind, output_kind: OutputKind) -> Layers | None:
    """Self-attention among the steps of a sequence, the columns of a table, or the patches of an image."""
    if output_kind == "map":
        return None
    num_heads = facts.integer("num_heads", 4)
    hidden_size = facts.integer("hidden_size", -(-64 // num_heads) * num_heads)
    num_heads = max(count for count in range(1, num_heads + 1) if hidden_size % count == 0)
    first = {
        "image": [f"PatchEmbedding({facts.integer('patch_size', 8)}, {hidden_size})"],
        "vector": [f"FeatureTokens({hidden_size})"],
    }.get(input_kind, [])
    num_layers, rate = facts.integer("num_layers", 2), facts.share("dropout", 0.1)
    options = f"num_layers={num_layers}, num_heads={num_heads}, dropout={rate:g}"
    encoder = f"TransformerEncoder(hidden_size={hidden_size}, {options})"
    return [*first, encoder, *([] if output_kind == "steps" else ["GlobalAveragePooling1D()"])]


def vit(facts: ModelFacts, input_kind: InputKind, output_kind: OutputKind) -> Layers | None:
    return transformer(facts, input_kind, output_kind) if input_kind == "image" else None


lstm = partial(recurrent, "LSTM", False)
bilstm = partial(recurrent, "LSTM", True)
gru = partial(recurrent, "GRU", False)
bigru = partial(recurrent, "GRU", True)
cnn_lstm = partial(cnn_recurrent, "LSTM")
cnn_gru = partial(cnn_recurrent, "GRU")
rnn = partial(recurrent, "SimpleRNN", False)
