"""What became of the plan in the code: each field and each stated fact honoured, contradicted or not found."""

from collections.abc import Callable
from math import isclose

from dlcodegen import vocabulary
from dlcodegen.execution.code_view import CodeView, Found, Value, dotted
from dlcodegen.execution.layer_names import LAYER_CODE
from dlcodegen.plan import SolutionPlan, layer_call, layer_name
from dlcodegen.report import Conformance, Fact, Verdict


def conformance(code: str, plan: SolutionPlan, facts: list[Fact]) -> list[Conformance]:
    """One row for each field of the plan that code can show, then one for each stated fact that has none yet.

    By syntax tree alone, nothing is executed. Raises SyntaxError when the code does not parse.
    """
    view = CodeView(code)
    hyper = plan.hyperparameters
    stated = {fact["name"]: fact for fact in facts}
    rows = [
        _number(view, "learning_rate", hyper.learning_rate),
        _number(view, "batch_size", hyper.batch_size),
        _number(view, "epochs", hyper.epochs),
        _optimizer(view, hyper.optimizer),
        _loss(view, hyper.loss_function),
        *(_metric(view, name) for name in _metric_names(plan, stated)),
        *(_layer(view, layer) for layer in plan.layers),
    ]
    covered = {row["name"] for row in rows} | {"metric"}
    rows += [_fact(view, fact) for fact in facts if fact["name"] not in covered]
    return rows


def _row(name: str, expected: object, verdict: Verdict, evidence: str = "", line: int | None = None) -> Conformance:
    return Conformance(name=name, expected=str(expected), verdict=verdict, evidence=evidence, line=line)


def _honoured(view: CodeView, name: str, expected: object, line: int) -> Conformance:
    return _row(name, expected, "honoured", view.text(line), line)


def _compare(view: CodeView, name: str, expected: Value, found: list[Found]) -> Conformance:
    """Honoured where one of the values found equals; contradicted where there are only others."""
    for item in found:
        if _equal(item.value, expected):
            return _honoured(view, name, expected, item.line)
    if found:
        return _row(name, expected, "contradicted", view.text(found[0].line), found[0].line)
    return _row(name, expected, "not found", "nothing in the code sets this")


def _equal(a: object, b: object) -> bool:
    if (
        isinstance(a, int | float)
        and isinstance(b, int | float)
        and not isinstance(a, bool)
        and not isinstance(b, bool)
    ):
        return isclose(a, b, rel_tol=1e-9)
    return a == b


def _number(view: CodeView, name: str, expected: Value) -> Conformance:
    """A Config field, or a keyword argument of that name."""
    field = view.config.get(name)
    spellings = {"learning_rate": ("lr",), "batch_size": ("batch_size",)}.get(name, (name,))
    return _compare(
        view, name, expected, [field] if field else [f for f in view.keyword(*spellings) if f.value is not None]
    )


def _optimizer(view: CodeView, expected: str) -> Conformance:
    term = vocabulary.find(vocabulary.OPTIMIZERS, expected)
    names = term.code if term else (layer_name(expected),)
    used = [
        Found(callee, call.lineno)
        for callee, call in view.calls
        if dotted(call.func).startswith("torch.optim.") or callee in _ALL_OPTIMIZERS
    ]
    used = [found for found in used if found.value in _ALL_OPTIMIZERS]
    row = _compare(view, "optimizer", names[0], used)
    call = layer_call(expected)
    if row["verdict"] == "honoured" and call and call.keywords:
        row["expected"] = expected
        for keyword in call.keywords:
            wanted = view.literal(keyword.value)
            values = [found.value for found in view.keyword(str(keyword.arg))]
            if wanted is not None and not any(_equal(value, wanted) for value in values):
                return _row("optimizer", expected, "contradicted", row["evidence"], row["line"])
    return row


_ALL_OPTIMIZERS = {name for term in vocabulary.OPTIMIZERS for name in term.code}


def _loss(view: CodeView, expected: str) -> Conformance:
    term = vocabulary.find(vocabulary.LOSSES, expected)
    if term is None:
        return _row("loss", expected, "not found", "a loss with no name of its own")
    names = term.code
    if term.name == "binary cross-entropy":
        names = vocabulary.BINARY_CROSS_ENTROPY_CODE
    elif term.name == "cross-entropy":
        names = (*names, *vocabulary.BINARY_CROSS_ENTROPY_CODE)  # the same loss for two classes
    elif (
        term.name == "binary cross-entropy + Dice"
        and view.first_name("DiceLoss")
        and view.first_name("BCEWithLogitsLoss")
    ):
        names = ("DiceLoss",)
    line = view.first_name(*names)
    if line is not None:
        return _honoured(view, "loss", term.name, line)
    others = [name for other in vocabulary.LOSSES for name in other.code]
    line = view.first_name(*others, *vocabulary.BINARY_CROSS_ENTROPY_CODE)
    if line is not None:
        return _row("loss", term.name, "contradicted", view.text(line), line)
    return _row("loss", term.name, "not found", "no such loss in the code")


def _metric_names(plan: SolutionPlan, stated: dict[str, Fact]) -> list[str]:
    if "metric" in stated and isinstance(stated["metric"]["value"], list):
        return [str(name) for name in stated["metric"]["value"]]
    term = vocabulary.find(vocabulary.METRICS, plan.hyperparameters.evaluation_metric)
    return [term.name if term else plan.hyperparameters.evaluation_metric]


def _metric(view: CodeView, name: str) -> Conformance:
    """A key of the metrics that the code reports."""
    wanted = name.lower().replace("_", "").replace(" ", "").replace("-", "")
    for text, line in view.strings.items():
        if text.lower().replace("_", "").replace("-", "") == wanted:
            return _honoured(view, "metric", name, line)
    return _row("metric", name, "not found", "the code does not report it")


def _layer(view: CodeView, layer: str) -> Conformance:
    """The layer's class is used; where its first number can be followed in the code, that number too."""
    name = layer_name(layer)
    codes = LAYER_CODE.get(name.lower(), (name,))
    uses = [call for callee, call in view.calls if callee in codes]
    line = uses[0].lineno if uses else view.first_name(*codes)
    if line is None:
        return _row("layer", layer, "not found", f"no {' or '.join(codes)} in the code")
    call = layer_call(layer)
    width = view.literal(call.args[0]) if call and call.args else None
    if isinstance(width, int) and uses:
        for use in uses:
            values = [view.literal(arg) for arg in (*use.args, *(keyword.value for keyword in use.keywords))]
            if width in values:
                return _honoured(view, "layer", layer, use.lineno)
    return _honoured(view, "layer", layer, line)


def _fact(view: CodeView, fact: Fact) -> Conformance:
    name, value = fact["name"], fact["value"]
    if name in _BY_NAME:
        return _BY_NAME[name](view, value)
    if name == "num_classes" and value == 2 and "num_classes" not in view.config:
        line = view.first_name(*vocabulary.BINARY_CROSS_ENTROPY_CODE)
        if line is not None:
            return _honoured(view, name, "2 (one logit)", line)
    if isinstance(value, list):
        return _list(view, name, value)
    field = view.config.get(name)
    if field is not None:
        return _compare(view, name, value, [field])
    callees, keywords = _WHERE.get(name, ((), (name,)))
    found = [*view.keyword(*keywords), *view.arguments(*callees)]
    return _compare(
        view, name, value, [item for item in found if _equal(item.value, value)] or list(view.keyword(*keywords))
    )


# Where a number may stand when it is no Config field: callees whose arguments, and keywords whose value, may hold it.
_WHERE: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "hidden_size": (
        ("LSTM", "GRU", "RNN", "Linear", "TransformerEncoderLayer", "TransformerEncoder", "RecurrentLayer"),
        ("hidden_size", "d_model"),
    ),
    "num_layers": (("TransformerEncoder", "RecurrentLayer"), ("num_layers",)),
    "num_heads": (("TransformerEncoderLayer", "MultiheadAttention", "TransformerEncoder"), ("num_heads", "nhead")),
    "dropout": (("Dropout", "Dropout1d", "Dropout2d"), ("dropout", "p")),
    "embedding_dim": (("Embedding", "PatchEmbedding"), ("embedding_dim",)),
    "kernel_size": (("Conv1d", "Conv2d"), ("kernel_size",)),
    "patch_size": (("PatchEmbedding",), ("patch_size",)),
    "gradient_clip": (("clip_grad_norm_", "clip_grad_value_"), ("max_norm", "clip_value")),
    "label_smoothing": ((), ("label_smoothing",)),
    "momentum": ((), ("momentum",)),
    "weight_decay": ((), ("weight_decay",)),
}


def _list(view: CodeView, name: str, wanted: list[str] | list[int]) -> Conformance:
    """Widths of layers, in this order, among the arguments of the layers they belong to."""
    callees = {
        "hidden_units": ("Linear", "ResidualDense"),
        "filters": ("Conv1d", "Conv2d", "ResidualBlock", "TemporalBlock"),
    }.get(name, ())
    found = list(view.arguments(*callees))
    position, line = 0, None
    for item in sorted(found, key=lambda entry: entry.line):
        if position < len(wanted) and item.value == wanted[position]:
            position, line = position + 1, line or item.line
    if position == len(wanted) and line is not None:
        return _honoured(view, name, wanted, line)
    return _row(name, wanted, "not found", f"no layers of these widths in the code ({position} of {len(wanted)} found)")


def _named(name: str, *codes: str) -> Callable[[CodeView, object], Conformance]:
    """A fact that is honoured by the mere presence of one of these names."""

    def judge(view: CodeView, value: object) -> Conformance:
        line = view.first_name(*codes)
        if line is None:
            return _row(name, value, "not found", "nothing in the code does this")
        return _honoured(view, name, value, line)

    return judge


def _architecture(view: CodeView, value: object) -> Conformance:
    term = vocabulary.term(vocabulary.ARCHITECTURES, str(value))
    if term is None or not term.code:
        title = view.text(1).strip('"')
        verdict: Verdict = "honoured" if term and term.search(title) else "not found"
        return _row("architecture", value, verdict, title, 1)
    row = _named("architecture", *term.code)(view, value)
    if row["verdict"] == "not found":
        other = next((entry for entry in vocabulary.ARCHITECTURES if entry.code and view.first_name(*entry.code)), None)
        if other is not None:
            return _row("architecture", value, "contradicted", f"the code has {other.name} instead")
    return row


def _scheduler(view: CodeView, value: object) -> Conformance:
    codes = {
        "cosine": ("CosineAnnealingLR", "CosineAnnealingWarmRestarts"),
        "step": ("StepLR", "MultiStepLR"),
        "one-cycle": ("OneCycleLR",),
        "plateau": ("ReduceLROnPlateau",),
        "warm-up": ("LinearLR", "LambdaLR", "OneCycleLR"),
    }[str(value)]
    return _named("scheduler", *codes)(view, value)


def _framework(view: CodeView, value: object) -> Conformance:
    used = "keras" if "keras" in view.names else "pytorch"
    line = view.first_name("keras", "torch") or 1
    return (
        _honoured(view, "framework", value, line)
        if used == value
        else _row("framework", value, "contradicted", f"written with {used}", line)
    )


def _split(view: CodeView, value: object) -> Conformance:
    if value == "70/15/15":
        return _named("split", "random_split", "train_set", "train_loader")(view, value)
    return _row("split", value, "contradicted", "the data is split 70/15/15 into training, validation and test")


def _activation(view: CodeView, value: object) -> Conformance:
    return _named("activation", str(value), str(value).replace("_", ""))(view, value)


def _bidirectional(view: CodeView, value: object) -> Conformance:
    return _compare(view, "bidirectional", True, [found for found in view.keyword("bidirectional")])


def _betas(view: CodeView, value: object) -> Conformance:
    for name, call in view.calls:
        for keyword in call.keywords:
            if keyword.arg == "betas" and name in _ALL_OPTIMIZERS:
                return _honoured(view, "betas", value, call.lineno)
    return _row("betas", value, "not found", "the optimizer's default betas are used")


def _never(name: str, why: str) -> Callable[[CodeView, object], Conformance]:
    def judge(view: CodeView, value: object) -> Conformance:
        return _row(name, value, "not found", why)

    return judge


_BY_NAME: dict[str, Callable[[CodeView, object], Conformance]] = {
    "architecture": _architecture,
    "scheduler": _scheduler,
    "framework": _framework,
    "split": _split,
    "activation": _activation,
    "bidirectional": _bidirectional,
    "betas": _betas,
    "attention": _named("attention", "AttentionPooling", "Attention", "MultiheadAttention", "AdditiveAttention", "AttentionGate", "attention"),
    "early_stopping": _named("early_stopping", "patience"),
    "augmentation": _named("augmentation", "flip", "augment", "rot90", "RandomHorizontalFlip", "fliplr", "random_flip"),
    "batch_norm": _named("batch_norm", "BatchNorm1d", "BatchNorm2d"),
    "class_weights": _named("class_weights", "pos_weight", "class_weights", "WeightedRandomSampler"),
    "pretrained": _never("pretrained", "no weights are downloaded: the model is trained from scratch"),
    "variant": _never("variant", "a smaller relative of the same family is built"),
}  # fmt: skip
