"""How a script trains its model: optimizer, learning rate, batch size, epochs, loss, metric, as its code states them.

The checks of plan conformance say what counts; here are only the values that are put before them.
"""

import ast
import re
from collections.abc import Callable, Iterable, Iterator
from typing import TypeGuard

from dlcodegen import vocabulary
from dlcodegen.corpus.importing.findings import Finding
from dlcodegen.execution.code_view import CodeView, Found, callee
from dlcodegen.execution.conformance.loss import judge_loss
from dlcodegen.execution.conformance.optimizer import judge_optimizer, rates
from dlcodegen.execution.conformance.terms import KERAS_METRICS, all_losses, metric_of, plain
from dlcodegen.execution.conformance.training import judge_batch_size, judge_epochs
from dlcodegen.execution.conformance.values import Values
from dlcodegen.report import Conformance, Seen

_BATCH_NAMES = frozenset({"batchsize", "batch", "bs", "trainbatchsize", "batchsz", "batchsizetrain", "trbatchsize"})
_EPOCH_NAMES = frozenset(
    {"epochs", "epoch", "numepochs", "nepochs", "maxepochs", "nbepoch", "nbepochs", "totalepochs", "nepoch", "numepoch",
     "trainepochs", "epochnum", "epochsnum", "numtrainepochs"}
)  # fmt: skip
_RATE_NAMES = frozenset({"lr", "learningrate", "baselr", "initiallr", "initlr", "lr0", "initiallearningrate", "lrate"})
_LOADERS = ("DataLoader", "fit", "batch", "BatchSampler", "flow", "flow_from_directory")
_STATED = ("momentum", "nesterov", "weight_decay", "betas")
_OWN_METRICS = {
    "image-segmentation": ("dice", "iou"),
    "text-classification": ("f1",),
    "token-classification": ("f1",),
    "tabular-regression": ("r2",),
    "translation": ("bleu",),
    "image-to-text": ("bleu",),
    "text-generation": ("perplexity",),
    "anomaly-detection": ("roc_auc",),
    "object-detection": ("map_50",),
    "keypoint-detection": ("pck",),
}
"""What is usual for a task, where a script reports several."""
_REPORTING = ("compute_metrics", "evaluate", "test", "validate", "calculate_metrics", "main")


def batch_size(view: CodeView, values: Values) -> Finding | None:
    """Of the training's loader."""
    named, passed = _named(view, values, _BATCH_NAMES), _passed(view, values, _LOADERS)
    return _first(named, passed, lambda value: judge_batch_size(view, values, value), "batch size")


def epochs(view: CodeView, values: Values) -> Finding | None:
    """How often the training's loop, or `fit`, goes through the data."""
    loops = [node for node in view.nodes if isinstance(node, ast.For) and "epoch" in ast.dump(node.target).lower()]
    counted = [found for loop in loops for found in _in(view, values, loop.iter)]
    counted += [Found(found.value - 1, found.line) for found in counted if isinstance(found.value, int)]  # range(1, 21)
    named = _named(view, values, _EPOCH_NAMES)
    return _first(named, counted, lambda value: judge_epochs(view, values, value), "epochs")


def _first(named: list[Found], further: list[Found], judge: Callable[[int], Conformance], name: str) -> Finding | None:
    """The first number that the check finds where it counts; else the first that bears the name."""
    counts: dict[int, int] = {}
    for found in (*named, *further):
        if _is_count(found.value):
            counts.setdefault(found.value, found.line)
    of_name = next((found for found in named if _is_count(found.value)), None)
    for value, line in counts.items():
        if judge(value)["verdict"] == "honoured":
            return Finding(name, str(value), line)
    return Finding(name, str(of_name.value), of_name.line) if of_name else None


def _is_count(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 10**7


def learning_rate(view: CodeView, values: Values) -> Finding | None:
    """What the first optimizer is built with, its default where nothing is passed; else a number of that name."""
    for possible, line in rates(view, values):
        if _is_rate(possible.only):
            return Finding("learning rate", f"{possible.only:g}", line)
    named = (found for found in _named(view, values, _RATE_NAMES) if _is_rate(found.value))
    found = next(named, None)
    return Finding("learning rate", f"{found.value:g}", found.line) if found else None


def _is_rate(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1000


def optimizer(view: CodeView, values: Values) -> Finding | None:
    """The first that is built, with the settings that are known: `SGD(momentum=0.9)`."""
    by_code = {code: term.name for term in vocabulary.OPTIMIZERS for code in term.code}
    for call in view.calls_of(*by_code):
        passed = {item.arg: values.of(item.value).only for item in call.keywords if item.arg in _STATED}
        said = [f"{name}={value!r}" for name, value in passed.items() if value not in (None, False, 0)]
        name = by_code[callee(call)]
        return Finding("optimizer", f"{name}({', '.join(said)})" if said else name, call.lineno)
    for written, line in _compiled(view, values, 0, "optimizer"):
        if named := vocabulary.find(vocabulary.OPTIMIZERS, written):
            return Finding("optimizer", named.name, line)
    for term in vocabulary.OPTIMIZERS:
        row = judge_optimizer(view, values, term.name, Seen())
        if row["verdict"] == "honoured" and row["line"]:
            return Finding("optimizer", term.name, row["line"])
    return None


def loss(view: CodeView, values: Values) -> Finding | None:
    """The loss, or what is added up: those whose names the code trains with."""
    found: dict[int, str] = {}
    for term in vocabulary.LOSSES:
        row = judge_loss(view, term.name, Seen())
        if row["verdict"] == "honoured" and row["line"] is not None:
            own = any(code.lower() in view.text(row["line"]).lower() for code in term.code[:1])
            if own or row["line"] not in found:
                found[row["line"]] = term.name
            if "+" in term.name:
                return Finding("loss function", term.name, row["line"])
    names = list(dict.fromkeys(found.values()))[:3]
    if names:
        return Finding("loss function", " + ".join(names), min(found))
    compiled = next(_compiled(view, values, 1, "loss"), None)
    if compiled is not None:
        text = compiled[0].replace("_", " ")
        known = vocabulary.find(vocabulary.LOSSES, text)
        return Finding("loss function", known.name if known else text, compiled[1])
    return _by_its_own_name(view)


def _compiled(view: CodeView, values: Values, place: int, name: str) -> Iterator[tuple[str, int]]:
    """What `compile` gets by place or name: a text, or a function's name."""
    for call in view.calls_of("compile"):
        node = next((item.value for item in call.keywords if item.arg == name), None)
        node = node or (call.args[place] if place < len(call.args) else None)
        only = values.of(node).only if node is not None else None
        said = only if isinstance(only, str) else getattr(node, "attr", getattr(node, "id", None))
        if isinstance(said, str) and said.strip():
            yield said.strip()[:60], call.lineno


def _by_its_own_name(view: CodeView) -> Finding | None:
    """A loss of no known kind: `CTCLoss()`, `nt_xent_loss(...)`."""
    for name, call in view.calls:
        bare = plain(name)
        if bare.endswith("loss") and len(bare) > 5 and bare not in ("buildloss", "getloss", "computeloss", "calcloss"):
            said = re.sub(r"[_ ]?loss$", "", name, flags=re.IGNORECASE)
            return Finding(
                "loss function",
                said if said.isupper() else f"{said.upper() if len(said) < 4 else said} loss",
                call.lineno,
            )
    return None


def metric(view: CodeView, category: str) -> Finding | None:
    """The metric that is usual for the task among those reported; else the first of them."""
    reported = list(_reported(view))
    usual = [entry for entry in reported if entry[0] in _OWN_METRICS.get(category, ())]
    if usual or reported:
        return Finding("evaluation metric", *(usual or reported)[0])
    return next((Finding("evaluation metric", key, line) for key, line in _keys(view)), None)


def _keys(view: CodeView) -> Iterator[tuple[str, int]]:
    """The keys of what functions that measure give."""
    for node in view.nodes:
        if isinstance(node, ast.FunctionDef) and node.name in _REPORTING:
            for inner in view.inside(node):
                for key in inner.keys if isinstance(inner, ast.Dict) else ():
                    if isinstance(key, ast.Constant) and isinstance(key.value, str) and key.value.isidentifier():
                        yield key.value, key.lineno


def _reported(view: CodeView) -> Iterator[tuple[str, int]]:
    """Keys where metrics are computed, what `compile` gets, calls of metrics, and names of variables, in this order."""
    yield from _known(_keys(view))
    for call in view.calls_of("compile"):
        for item in call.keywords:
            inner = view.inside(item.value) if item.arg == "metrics" else []
            yield from _known((part.value, part.lineno) for part in inner if isinstance(part, ast.Constant))
            yield from _known((part.attr, part.lineno) for part in inner if isinstance(part, ast.Attribute))
    yield from _known(
        (name, call.lineno) for name, call in view.calls if name in KERAS_METRICS or name.endswith("_score")
    )
    losses = all_losses()
    yield from _known((name, line) for name, line in view.names.items() if plain(name) not in losses)
    yield from _known((name, line) for name, line in view.terms.items() if plain(name) not in losses)


def _known(names: Iterable[tuple[object, int]]) -> Iterator[tuple[str, int]]:
    for name, line in names:
        known = metric_of(name) or metric_of(name.removesuffix("_score")) if isinstance(name, str) else ""
        if known:
            yield known, line


def _named(view: CodeView, values: Values, names: frozenset[str]) -> list[Found]:
    """Numbers that bear one of these names: settings, variables, arguments that are passed, defaults, keys."""
    found = [setting for name, setting in view.config.items() if plain(name) in names]
    pairs: list[tuple[str | None, ast.expr]] = []
    for node in view.nodes:
        match node:
            case ast.Assign(targets=[ast.Name(id=name) | ast.Attribute(attr=name)], value=value):
                pairs.append((name, value))
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                pairs.append((name, value))
            case ast.keyword(arg=name, value=value):
                pairs.append((name, value))
            case ast.Dict(keys=keys, values=items):
                pairs += [(getattr(key, "value", None), item) for key, item in zip(keys, items, strict=True)]
            case ast.arguments(args=arguments, defaults=defaults):
                pairs += [(one.arg, item) for one, item in zip(reversed(arguments), reversed(defaults), strict=False)]
    for name, value in pairs:
        if isinstance(name, str) and plain(name) in names and (only := values.of(value).only) is not None:
            found.append(Found(only, value.lineno))
    return found


def _passed(view: CodeView, values: Values, callees: tuple[str, ...]) -> list[Found]:
    return [found for call in view.calls_of(*callees) for found in _in(view, values, call)]


def _in(view: CodeView, values: Values, node: ast.expr) -> list[Found]:
    """What an expression's own parts are worth."""
    parts = node.args if isinstance(node, ast.Call) else [node]
    inner = [part for outer in parts for part in (outer.args if isinstance(outer, ast.Call) else [outer])]
    return [Found(only, part.lineno) for part in inner if (only := values.of(part).only) is not None]
