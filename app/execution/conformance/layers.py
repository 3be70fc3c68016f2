"""Each layer of the plan, looked for among the calls that build the model, then among the layers really built."""

import ast
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from dlcodegen.execution.code_view import CodeView, callee
from dlcodegen.execution.conformance.layer_names import ACTIVATIONS, ALIASES, ONCE
from dlcodegen.execution.conformance.names import words_of
from dlcodegen.execution.conformance.scopes import MANY
from dlcodegen.execution.conformance.values import UNKNOWN, Possible, Values
from dlcodegen.execution.conformance.verdicts import honoured, judged
from dlcodegen.execution.conformance.wanted import Number, Wanted, as_number, positions, read_layer
from dlcodegen.report import Conformance

Fit = Literal["exact", "open", "other"]
"""Whether a call builds the layer, may build it (a width nobody can follow), or builds another."""


@dataclass
class Use:
    """A call that builds layers."""

    call: ast.Call
    name: str
    left: int
    """How many layers of the plan it can still stand for."""


@dataclass(frozen=True)
class LayerRow:
    """A row, and the name of the call that is its evidence; empty when there is none."""

    row: Conformance
    wanted: Wanted
    use: str = ""


def judge_layers(view: CodeView, values: Values, layers: Iterable[str]) -> list[LayerRow]:
    """One row a layer, in the plan's order; a call that stands for one layer is no evidence for a second."""
    model = _Model(view, values)
    return [_judge(model, read_layer(layer)) for layer in layers]


class _Model:
    """The part of a script that makes the model: what `build_model` reaches; all of it where there is none."""

    def __init__(self, view: CodeView, values: Values) -> None:
        self.view = view
        self.values = values
        self._definitions = self._reached()
        self._called = {call.func for _, call in view.calls}

    @cached_property
    def uses(self) -> list[Use]:
        """The calls of classes, and of functions such as `mean`, that the model is made of."""
        found = []
        for name, call in self.view.calls:
            if self._holds(call) and (name[:1].isupper() or _is_in_model(self.view, call)):
                times = self.values.scopes.times(call)
                found += [Use(call, name, _stacked(self.values, call, times))] if times else []
        return sorted(found, key=lambda use: (use.call.lineno, use.call.col_offset))

    @cached_property
    def mentions(self) -> dict[str, int]:
        """Names that are handed on without being called: `norm=nn.BatchNorm2d`."""
        found: dict[str, int] = {}
        for node in self.view.nodes:
            if isinstance(node, ast.Name | ast.Attribute) and node not in self._called and self._holds(node):
                name = node.id if isinstance(node, ast.Name) else node.attr
                found[name] = min(node.lineno, found.get(name, node.lineno))
        return found

    def _holds(self, node: ast.AST) -> bool:
        return self._definitions is None or any(above in self._definitions for above in self.view.around(node))

    def _reached(self) -> set[ast.AST] | None:
        start = self.view.function("build_model")
        if start is None:
            return None
        reached: set[ast.AST] = set()
        waiting: list[ast.AST] = [start]
        while waiting:
            node = waiting.pop()
            if node not in reached:
                reached.add(node)
                mentioned = {getattr(inner, "id", getattr(inner, "attr", "")) for inner in self.view.inside(node)}
                waiting += [found for name in mentioned for found in self.values.scopes.definitions.get(name, ())]
        return reached


def _judge(model: _Model, wanted: Wanted) -> LayerRow:
    view, fits = model.view, _fits(model, wanted)
    counted = _is_counted(wanted)
    for use in (*fits["exact"], *fits["open"]):
        if use.left > 0 or not counted:
            use.left -= counted
            return LayerRow(honoured(view, "layer", wanted.text, use.call.lineno), wanted, use.name)
    if fits["exact"] or fits["open"]:
        reason = f"the code builds fewer of these layers than planned ({wanted.codes[0]})"
        return LayerRow(judged("layer", wanted.text, "not found", reason), wanted)
    if fits["other"]:
        line = next((use for use in fits["other"] if use.left > 0), fits["other"][0]).call.lineno
        return LayerRow(judged("layer", wanted.text, "contradicted", view.text(line), line), wanted)
    words = (code.lower() for code in wanted.codes)
    lines = [model.mentions[code] for code in wanted.codes if code[:1].isupper() and code in model.mentions]
    lines += [view.strings[wanted.kind]] if wanted.kind in ACTIVATIONS and wanted.kind in view.strings else []
    mentioned = min(lines, default=None) if wanted.kind else view.first_term(*words)
    if mentioned is not None:
        return LayerRow(honoured(view, "layer", wanted.text, mentioned), wanted)
    reason = f"no {' or '.join(wanted.codes[:3])} in the model" if wanted.kind else "nothing in the code shows it"
    return LayerRow(judged("layer", wanted.text, "not found", reason), wanted)


def _fits(model: _Model, wanted: Wanted) -> dict[Fit, list[Use]]:
    """The calls that bear one of the layer's names, by whether their numbers are the layer's."""
    fits: dict[Fit, list[Use]] = {"exact": [], "open": [], "other": []}
    for use in model.uses:
        if use.name in wanted.codes or _passes_rate(model, use, wanted):
            fits[_fit(model.values, use, wanted)].append(use)
    return fits


def _is_counted(wanted: Wanted) -> bool:
    """Plain layers with weights, and blocks of the script's own."""
    return wanted.kind in ONCE or bool(wanted.loose or wanted.named)


def _passes_rate(model: "_Model", use: Use, wanted: Wanted) -> bool:
    """Dropout inside a recurrent layer, a Transformer or a block, as its argument."""
    return wanted.kind == "dropout" and use.name[:1].isupper() and "dropout" in settings_of(model.values, use.call)


def _is_in_model(view: CodeView, call: ast.Call) -> bool:
    """Whether a function such as `mean` is called by a model, and not by its loss or by the training loop.

    `self.dropout(x)` is no function: it is the layer that another call has made.
    """
    if isinstance(call.func, ast.Attribute) and getattr(call.func.value, "id", "") == "self":
        return False
    around = list(view.around(call))
    homes = [above for above in around if isinstance(above, ast.ClassDef)]
    methods = {item.name for home in homes for item in home.body if isinstance(item, ast.FunctionDef)}
    losses = any("loss" in words_of(home.name) for home in homes)
    builders = any(isinstance(above, ast.FunctionDef) and above.name == "build_model" for above in around)
    return builders or (bool(methods & {"forward", "call", "__call__"}) and not losses)


def _stacked(values: Values, call: ast.Call, times: int) -> int:
    """An LSTM of two layers stands for two."""
    settings = settings_of(values, call)
    if "num_layers" not in settings:
        return times
    count = settings["num_layers"].only
    return min(MANY, times * count) if isinstance(count, int) and count > 0 else MANY


def settings_of(values: Values, call: ast.Call) -> dict[str, Possible]:
    """What the arguments of a call stand for -> what they can be."""
    name = callee(call)
    places = positions(name, values.view.framework == "keras") or _parameters(values, name)
    by_place = zip(places, values.arguments(call), strict=False)
    found = {ALIASES.get(place, place): UNKNOWN if node is None else values.of(node) for place, node in by_place}
    found |= {ALIASES.get(item.arg, item.arg): values.of(item.value) for item in call.keywords if item.arg}
    return found


def _parameters(values: Values, name: str) -> list[str]:
    """The names of the arguments that a class of the script takes."""
    maker = values.scopes.maker(name)
    return [argument.arg for argument in maker.args.args[1:]] if maker else []


def _fit(values: Values, use: Use, wanted: Wanted) -> Fit:
    settings = settings_of(values, use.call)
    if wanted.kind == "dropout" and "dropout" in settings:
        settings = {"rate": settings["dropout"]}
    fits = [_compare(settings[key], value) for key, value in wanted.numbers.items() if key in settings]
    unplaced = [value for key, value in wanted.numbers.items() if key in ("units", "vocab") and key not in settings]
    fits += [_named(values, use, settings, name, value) for name, value in wanted.named.items()]
    anything = [*settings.values(), *_positional(values, use.call)]
    fits += [_among(anything, value) for value in (*wanted.loose, *unplaced)]
    if "other" in fits:
        return "other"
    return "open" if "open" in fits else "exact"


def _positional(values: Values, call: ast.Call) -> list[Possible]:
    return [UNKNOWN if node is None else values.of(node) for node in values.arguments(call)]


def _named(values: Values, use: Use, settings: dict[str, Possible], name: str, wanted: Number) -> Fit:
    """A block's number by keyword: passed under that name, its default, set in Config, or hidden in what is passed."""
    place = ALIASES.get(name, name)
    if place in settings:
        return _compare(settings[place], wanted)
    maker = values.scopes.maker(use.name)
    default = values.scopes.default(maker, name) if maker else None
    if default is not None:
        return _compare(values.of(default), wanted)
    setting = values.view.config.get(name)
    if setting is not None and name in values.view.settings_read:
        return "exact" if as_number(setting.value) == wanted else "other"
    return "open"


def _among(passed: list[Possible], wanted: Number) -> Fit:
    """A number that stands somewhere among the arguments; where nothing is passed, nothing is known."""
    fits = [_compare(possible, wanted) for possible in passed]
    if "exact" in fits:
        return "exact"
    return "other" if fits and "open" not in fits else "open"


def _compare(possible: Possible, wanted: Number) -> Fit:
    if wanted in {as_number(value) for value in possible.values}:
        return "exact"
    return "other" if possible.complete else "open"
