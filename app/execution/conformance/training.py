"""How the model is trained: optimizer and its settings, learning rate, batch size, epochs."""

import ast
from collections.abc import Iterable, Iterator

from dlcodegen.execution.code_view import CodeView, callee
from dlcodegen.execution.conformance.optimizer import rates
from dlcodegen.execution.conformance.values import Possible, Values
from dlcodegen.execution.conformance.verdicts import close, compare, equal, honoured, judged
from dlcodegen.report import Conformance, Seen, Verdict

_BATCH_FIELDS = ("batch_size", "batch", "train_batch_size")
_EPOCH_FIELDS = ("epochs", "num_epochs", "n_epochs", "max_epochs")
_RATE_FIELDS = ("learning_rate", "lr")
_RATE_KEYWORDS = ("lr", "learning_rate", "initial_learning_rate", "max_lr")


def judge_learning_rate(view: CodeView, values: Values, expected: float, seen: Seen) -> Conformance:
    """What the optimizers are built with; the running optimizer only where no schedule may have changed it."""
    passed = list(rates(view, values)) or list(_keywords(values, _RATE_KEYWORDS))
    row = _number(view, "learning_rate", expected, _RATE_FIELDS, passed)
    for optimizer in seen.get("optimizers", []):
        settings = optimizer["settings"]
        before_schedule = [settings[name] for name in ("initial_lr", "max_lr") if name in settings]
        now = [settings[name] for name in ("lr", "learning_rate") if name in settings]
        running = before_schedule or (now if row["verdict"] == "not found" else [])
        if any(close(rate, expected) for rate in running):
            return row if row["verdict"] == "honoured" else _by_run(expected, "honoured", optimizer["name"], expected)
        if running and "max_lr" not in settings and len(seen.get("optimizers", [])) == 1:
            return _by_run(expected, "contradicted", optimizer["name"], running[0])
    return row


def judge_batch_size(view: CodeView, values: Values, expected: int) -> Conformance:
    """What the loaders are built with, those that shuffle (the training's) before others; never by a smoke run."""
    loaders = view.calls_of("DataLoader", "fit", "batch", "image_dataset_from_directory", "BatchSampler")
    shuffling = [call for call in loaders if any(map(_shuffles, call.keywords))]
    passed = list(_batches(values, shuffling or loaders)) or list(_batches(values, loaders))
    others = [call for _, call in view.calls if callee(call) != "replace"]  # which is smoke mode's way to lower it
    return _number(
        view, "batch_size", expected, _BATCH_FIELDS, passed or list(_keywords(values, ("batch_size",), others))
    )


def judge_epochs(view: CodeView, values: Values, expected: int) -> Conformance:
    """How long the training's loop, or `fit`, goes; never by a smoke run."""
    passed = list(_keywords(values, ("epochs", "num_epochs", "max_epochs"), view.calls_of("fit", "Trainer", "train")))
    for node in view.nodes:
        if isinstance(node, ast.For) and _counts_epochs(view.inside(node.target)) and isinstance(node.iter, ast.Call):
            passed += _range(values, node.iter)
    return _number(view, "epochs", expected, _EPOCH_FIELDS, passed)


def _number(
    view: CodeView, name: str, expected: float, fields: Iterable[str], passed: list[tuple[Possible, int]]
) -> Conformance:
    """What is passed where it counts; where that cannot be followed, or nothing is, a Config field that is read."""
    own = [field for field in fields if field in view.config]
    setting = next((view.config[field] for field in own if field in view.settings_read), None)
    for possible, line in passed:
        if expected in possible.values:
            stated = setting is not None and equal(setting.value, expected)
            return honoured(view, name, expected, setting.line if setting and stated else line)
    known = [(possible, line) for possible, line in passed if possible.complete]
    if known and len(known) == len(passed):
        stated = setting is not None and setting.value in known[0][0].values
        line = setting.line if setting and stated else known[0][1]
        return judged(name, expected, "contradicted", view.text(line), line)
    if setting is None and own:
        return judged(name, expected, "not found", f"the setting {own[0]} is never read")
    return compare(view, name, expected, [setting] if setting else [])


def _keywords(
    values: Values, names: tuple[str, ...], calls: list[ast.Call] | None = None
) -> Iterator[tuple[Possible, int]]:
    """What is passed by these keywords; what passes itself on (`lr=lr`) is followed to where it comes from."""
    for call in calls if calls is not None else [call for _, call in values.view.calls]:
        yield from ((values.of(item.value), item.value.lineno) for item in call.keywords if item.arg in names)


def _batches(values: Values, calls: list[ast.Call]) -> Iterator[tuple[Possible, int]]:
    """The size that a loader takes by keyword, as `DataLoader`'s second argument, or as that of `.batch(32)`."""
    for call in calls:
        by_name = next((item.value for item in call.keywords if item.arg == "batch_size"), None)
        place = {"DataLoader": 1, "BatchSampler": 1, "batch": 0}.get(callee(call))
        node = by_name or (call.args[place] if place is not None and place < len(call.args) else None)
        if node is not None:
            yield values.of(node), node.lineno


def _range(values: Values, call: ast.Call) -> Iterator[tuple[Possible, int]]:
    """The number of rounds of `range(20)` and `range(1, 20 + 1)`, inside `tqdm` or not."""
    while callee(call) != "range" and call.args and isinstance(call.args[0], ast.Call):
        call = call.args[0]
    if callee(call) != "range" or not 1 <= len(call.args) <= 2:
        return
    last, first = values.of(call.args[-1]), values.of(call.args[0]) if len(call.args) == 2 else None
    start = first.only if first else 0
    if isinstance(start, int):
        counts = frozenset(value - start for value in last.values if isinstance(value, int))
        yield Possible(counts, last.complete), call.lineno


def _counts_epochs(target: list[ast.AST]) -> bool:
    return any(isinstance(node, ast.Name) and "epoch" in node.id.lower() for node in target)


def _shuffles(item: ast.keyword) -> bool:
    return item.arg == "shuffle" and not (isinstance(item.value, ast.Constant) and item.value.value is False)


def _by_run(expected: float, verdict: Verdict, name: str, rate: object) -> Conformance:
    return judged("learning_rate", expected, verdict, f"the running script's optimizer is {name}(lr={rate})")
