"""How each stated fact is looked up in a script."""

from collections.abc import Callable

from dlcodegen import vocabulary
from dlcodegen.execution.code_view import CodeView, Found
from dlcodegen.execution.judging import compare, equal, honoured, judged, present
from dlcodegen.report import Conformance, Fact

_RECURRENT = ("LSTM", "GRU", "RNN", "RecurrentLayer")
_CONVOLUTIONS = (
    "Conv1d",
    "Conv2d",
    "SeparableConv2d",
    "ResidualBlock",
    "TemporalBlock",
    "InvertedResidual",
    "ConvNeXtBlock",
)
# Where a number may stand when it is no Config field: callees whose arguments, and keywords whose value, may hold it.
_WHERE: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "hidden_size": (
        (*_RECURRENT, "Linear", "TransformerEncoderLayer", "TransformerEncoder"),
        ("hidden_size", "d_model"),
    ),
    "num_heads": (("TransformerEncoderLayer", "MultiheadAttention", "TransformerEncoder"), ("num_heads", "nhead")),
    "dropout": (("Dropout", "Dropout1d", "Dropout2d"), ("dropout", "p")),
    "embedding_dim": (("Embedding", "PatchEmbedding"), ("embedding_dim", "latent_dim")),
    "kernel_size": (("Conv1d", "Conv2d"), ("kernel_size",)),
    "patch_size": (("PatchEmbedding",), ("patch_size",)),
    "gradient_clip": (("clip_grad_norm_", "clip_grad_value_"), ("max_norm", "clip_value")),
}
_PRESENCE: dict[str, tuple[str, ...]] = {
    "early_stopping": ("patience",),
    "augmentation": ("flip", "augment", "augmented", "rot90", "RandomHorizontalFlip", "fliplr", "random_flip"),
    "batch_norm": ("BatchNorm1d", "BatchNorm2d"),
    "class_weights": ("pos_weight", "class_weights", "WeightedRandomSampler"),
}
_SCHEDULERS: dict[str, tuple[str, ...]] = {
    "cosine": ("CosineAnnealingLR", "CosineAnnealingWarmRestarts"),
    "step": ("StepLR", "MultiStepLR"),
    "one-cycle": ("OneCycleLR",),
    "plateau": ("ReduceLROnPlateau",),
    "warm-up": ("LinearLR", "LambdaLR", "OneCycleLR"),
}
_NEVER = {
    "pretrained": "no weights are downloaded: the model is trained from scratch",
    "variant": "a smaller relative of the same family is built",
}


def judge_fact(view: CodeView, values: object, fact: Fact, seen: object) -> Conformance:
    """The row of one fact. A fact that nobody knows how to look up is searched for by its name."""
    name, value = fact["name"], fact["value"]
    if name in _BY_NAME:
        return _BY_NAME[name](view, value)
    if name in _NEVER:
        return judged(name, value, "not found", _NEVER[name])
    if name in _PRESENCE:
        return present(view, name, value, *_PRESENCE[name])
    if isinstance(value, list):
        return _widths(view, name, value)
    if (field := view.config.get(name)) is not None:
        return compare(view, name, value, [field])
    callees, keywords = _WHERE.get(name, ((), (name,)))
    passed = list(view.keyword(*keywords))
    matching = [found for found in (*passed, *view.arguments(*callees)) if equal(found.value, value)]
    return compare(view, name, value, matching or [found for found in passed if found.value is not None])


def _num_classes(view: CodeView, value: object) -> Conformance:
    """A setting; or, for two classes, one logit instead of two."""
    if "num_classes" in view.config or value != 2:
        return compare(view, "num_classes", str(value), _as_text(view.config.get("num_classes")))
    one_logit = next((line for text, line in view.strings.items() if "-> (N,)" in text or "-> (N, 1" in text), None)
    line = view.first_name(*vocabulary.BINARY_CROSS_ENTROPY_CODE) or one_logit
    if line is None:
        return judged("num_classes", value, "not found", "nothing in the code sets this")
    return honoured(view, "num_classes", "2 (one logit)", line)


def _as_text(found: Found | None) -> list[Found]:
    return [Found(str(found.value), found.line)] if found else []


def _num_layers(view: CodeView, value: object) -> Conformance:
    """A setting, an argument, or that many layers of a kind built in `build_model`."""
    settings = [found for found in (view.config.get("num_layers"), view.config.get("depth")) if found]
    counts = [*settings, *(found for found in view.keyword("num_layers") if found.value is not None)]
    for kinds in (_CONVOLUTIONS, _RECURRENT, ("Linear",)):
        lines = [
            call.lineno for name, call in view.calls if name in kinds and call.lineno in view.lines_of("build_model")
        ]
        if lines:
            hidden = len(lines) - 1 if kinds == ("Linear",) else len(lines)  # the head is no hidden layer
            counts.append(Found(hidden, lines[0]))
    matching = [found for found in counts if equal(found.value, value)]
    return compare(view, "num_layers", str(value), _as_text(matching[0] if matching else next(iter(counts), None)))


def _dense_layers(view: CodeView, value: object) -> Conformance:
    """That many linear layers, the head counted or not."""
    lines = [call.lineno for name, call in view.calls if name == "Linear"]
    if value in (len(lines), len(lines) - 1):
        return honoured(view, "dense_layers", value, lines[0])
    return compare(view, "dense_layers", str(value), [Found(str(len(lines) - 1), lines[0])] if lines else [])


def _widths(view: CodeView, name: str, wanted: list[str] | list[int]) -> Conformance:
    """Widths of layers, in this order, among the arguments of the layers they belong to."""
    callees = {"hidden_units": ("Linear", "ResidualDense"), "filters": _CONVOLUTIONS}.get(name, ())
    position, line = 0, None
    for found in sorted(view.arguments(*callees), key=lambda item: item.line):
        if position < len(wanted) and equal(found.value, wanted[position]):
            position, line = position + 1, line or found.line
    if position == len(wanted) and line is not None:
        return honoured(view, name, wanted, line)
    return judged(name, wanted, "not found", f"no layers of these widths ({position} of {len(wanted)} found)")


def _architecture(view: CodeView, value: object) -> Conformance:
    term = vocabulary.term(vocabulary.ARCHITECTURES, str(value))
    title = view.text(1).strip('"')
    if term is None or not term.code:  # a style of stacking layers has no name in code but the script's title
        return judged("architecture", value, "honoured" if term and term.search(title) else "not found", title, 1)
    found = present(view, "architecture", value, *term.code)
    if found["verdict"] == "honoured":
        return found
    other = next((entry for entry in vocabulary.ARCHITECTURES if entry.code and view.first_name(*entry.code)), None)
    return judged("architecture", value, "contradicted", f"the code has {other.name} instead") if other else found


def _scheduler(view: CodeView, value: object) -> Conformance:
    return present(view, "scheduler", value, *_SCHEDULERS.get(str(value), (str(value),)))


def _framework(view: CodeView, value: object) -> Conformance:
    used = "keras" if "keras" in view.names else "pytorch"
    line = view.first_name("keras", "torch") or 1
    if used == value:
        return honoured(view, "framework", value, line)
    return judged("framework", value, "contradicted", f"written with {used}", line)


def _split(view: CodeView, value: object) -> Conformance:
    line = view.first_name("load_data")
    if value == "70/15/15" and line is not None:
        return honoured(view, "split", value, line)
    return judged("split", value, "contradicted", "the data is split 70/15/15 into training, validation and test", line)


def _activation(view: CodeView, value: object) -> Conformance:
    return present(view, "activation", value, str(value), str(value).replace("_", ""))


def _bidirectional(view: CodeView, value: object) -> Conformance:
    return compare(view, "bidirectional", True, list(view.keyword("bidirectional")))


def _attention(view: CodeView, value: object) -> Conformance:
    """Any name that speaks of attention."""
    lines = [line for name, line in view.names.items() if "attention" in name.lower()]
    if not lines:
        return judged("attention", value, "not found", "nothing in the code does this")
    return honoured(view, "attention", value, min(lines))


def _betas(view: CodeView, value: object) -> Conformance:
    wanted = str(value).replace(" ", "")
    passed = [Found(text.strip("()").replace(" ", ""), line) for text, line in view.keyword_texts("betas")]
    return compare(view, "betas", wanted, passed)


_BY_NAME: dict[str, Callable[[CodeView, object], Conformance]] = {
    "activation": _activation,
    "architecture": _architecture,
    "attention": _attention,
    "betas": _betas,
    "dense_layers": _dense_layers,
    "bidirectional": _bidirectional,
    "framework": _framework,
    "num_classes": _num_classes,
    "num_layers": _num_layers,
    "scheduler": _scheduler,
    "split": _split,
}
