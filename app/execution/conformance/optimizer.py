"""The optimizer of the plan: its class, each setting that the plan states, and what the running script steps with."""

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from dlcodegen import vocabulary
from dlcodegen.execution.code_view import CodeView, callee
from dlcodegen.execution.conformance.values import UNKNOWN, Possible, Values
from dlcodegen.execution.conformance.verdicts import close, honoured, judged
from dlcodegen.execution.conformance.wanted import literal_value
from dlcodegen.plan import layer_call, layer_name
from dlcodegen.report import Conformance, Optimizer, Seen

_KNOWN = {code for term in vocabulary.OPTIMIZERS for code in term.code}
_PLACES: dict[
    str, tuple[str, ...]
] = {  # what the arguments of PyTorch's optimizers stand for; Keras's have no parameters before
    "SGD": ("params", "lr", "momentum", "dampening", "weight_decay", "nesterov"),
    "RMSprop": ("params", "lr", "alpha", "eps", "weight_decay", "momentum"),
}
_USUAL_PLACES = ("params", "lr", "betas", "eps", "weight_decay")
_ALIASES = {"learning_rate": "lr", "epsilon": "eps", "rho": "alpha", "decay": "weight_decay"}
_DEFAULTS: Mapping[str, object] = {"momentum": 0, "weight_decay": 0, "nesterov": False, "betas": (0.9, 0.999)}
_DEFAULT_DECAY = {"AdamW": {"pytorch": 0.01, "keras": 0.004}}
_DEFAULT_RATES = {
    "pytorch": {"rmsprop": 0.01, "adagrad": 0.01, "nadam": 0.002, "adamax": 0.002, "adadelta": 1.0, "lbfgs": 1.0},
    "keras": {"sgd": 0.01},
}
_USUAL_RATE = 0.001
_IN_WORDS = re.compile(
    r"(momentum|weight[ _-]decay|learning[ _-]rate|lr)\s*(?:of|=|:)?\s*(\d*\.?\d+(?:e-?\d+)?)", re.IGNORECASE
)
_SHOWN = ("lr", "learning_rate", "momentum", "betas", "weight_decay", "nesterov")


@dataclass(frozen=True)
class _Planned:
    """What the plan wants."""

    text: str
    codes: tuple[str, ...]
    settings: dict[str, object]


def rates(view: CodeView, values: Values) -> Iterator[tuple[Possible, int]]:
    """The learning rate of each optimizer that the code builds, and its line; its default where none is passed."""
    for call in view.calls_of(*_KNOWN):
        settings = _settings(values, call)
        yield settings.get("lr", UNKNOWN if None in settings else _default_rate(view, callee(call))), call.lineno
    for name, line in _by_name(view):
        yield _default_rate(view, name), line


def _default_rate(view: CodeView, name: str) -> Possible:
    rate = _DEFAULT_RATES[view.framework].get(name.lower(), _USUAL_RATE)
    return Possible(frozenset([rate]), complete=True)


def judge_optimizer(view: CodeView, values: Values, expected: str, seen: Seen) -> Conformance:
    """The class that is built and each setting that the plan states; what the running script steps with decides."""
    planned = _planned(expected)
    row = _by_code(view, values, planned)
    optimizers = seen.get("optimizers", [])
    if not optimizers:
        return row
    of_class = [one for one in optimizers if set(_names(view, one["name"])) & {*map(str.lower, planned.codes)}]
    for one in of_class:
        if all(_has(one, name, value) for name, value in planned.settings.items()):
            return row if row["verdict"] == "honoured" else judged("optimizer", expected, "honoured", _shown(one))
    return judged("optimizer", expected, "contradicted", _shown((of_class or optimizers)[0]))


def _planned(text: str) -> _Planned:
    term = vocabulary.find(vocabulary.OPTIMIZERS, text)
    codes = term.code if term else (layer_name(text),)
    call = layer_call(text)
    if call is None:
        return _Planned(text, codes, {_place(name): float(value) for name, value in _IN_WORDS.findall(text)})
    stated = {_place(str(item.arg)): literal_value(item.value) for item in call.keywords}
    return _Planned(text, codes, {name: value for name, value in stated.items() if value is not None})


def _by_code(view: CodeView, values: Values, planned: _Planned) -> Conformance:
    built = list(_built(view, planned))
    own = [one for one in built if one[0].lower() in map(str.lower, planned.codes)]
    for name, line, call in own:
        settings: dict[str | None, Possible] = {} if call is None else _settings(values, call)
        if all(_fits(view, name, settings, *setting) for setting in planned.settings.items()):
            return honoured(view, "optimizer", planned.text, line)
    if built:
        line = (own or built)[0][1]
        return judged("optimizer", planned.text, "contradicted", view.text(line), line)
    mentioned = view.first_name(*planned.codes)
    if mentioned is not None:
        return honoured(view, "optimizer", planned.text, mentioned)
    return judged("optimizer", planned.text, "not found", "no optimizer of a known name in the code")


def _built(view: CodeView, planned: _Planned) -> Iterator[tuple[str, int, ast.Call | None]]:
    """Optimizers that are built, by call or by Keras's name for them."""
    for call in view.calls_of(*_KNOWN, *planned.codes):
        yield callee(call), call.lineno, call
    yield from ((name, line, None) for name, line in _by_name(view))


def _by_name(view: CodeView) -> Iterator[tuple[str, int]]:
    """`compile(optimizer="adam")`."""
    for call in view.calls_of("compile"):
        for item in call.keywords:
            if item.arg == "optimizer" and isinstance(item.value, ast.Constant):
                yield str(item.value.value), item.value.lineno


def _settings(values: Values, call: ast.Call) -> dict[str | None, Possible]:
    """What the arguments set; the key None stands for `**settings`."""
    name = callee(call)
    places = ("lr",) if values.view.framework == "keras" else _PLACES.get(name, _USUAL_PLACES)
    found: dict[str | None, Possible] = {
        place: UNKNOWN if node is None else values.of(node)
        for place, node in zip(places, values.arguments(call), strict=False)
    }
    found |= {_place(item.arg) if item.arg else None: values.of(item.value) for item in call.keywords}
    return found


def _fits(view: CodeView, optimizer: str, settings: dict[str | None, Possible], name: str, wanted: object) -> bool:
    """Whether a call sets this to that, leaves it at that default, or hides what it sets."""
    if name in settings:
        possible = settings[name]
        return not possible.complete or any(_same(value, wanted) for value in possible.values)
    if None in settings:
        return True
    if name == "lr":
        return _same(_default_rate(view, optimizer).only, wanted)
    default = _DEFAULT_DECAY.get(optimizer, {}).get(view.framework) if name == "weight_decay" else None
    return _same(_DEFAULTS.get(name) if default is None else default, wanted)


def _has(optimizer: Optimizer, name: str, wanted: object) -> bool:
    """Whether the running optimizer's setting is the wanted one; a rate that a schedule changed is not judged."""
    settings = {_place(key): value for key, value in optimizer["settings"].items()}
    if name not in settings or (name == "lr" and "initial_lr" in settings):
        return True
    return _same(settings[name], wanted)


def _same(value: object, wanted: object) -> bool:
    if isinstance(value, tuple | list) and isinstance(wanted, tuple | list):
        return len(value) == len(wanted) and all(map(close, value, wanted))
    return close(value, wanted)


def _names(view: CodeView, name: str) -> Iterator[str]:
    """An optimizer's class, and what that is made from where the script defines it."""
    yield name.lower()
    for node in view.tree.body:
        if isinstance(node, ast.ClassDef) and node.name == name:
            yield from (str(getattr(base, "attr", getattr(base, "id", ""))).lower() for base in node.bases)


def _place(name: str) -> str:
    plain = name.lower().replace(" ", "_").replace("-", "_")
    return _ALIASES.get(plain, plain)


def _shown(optimizer: Optimizer) -> str:
    settings = [f"{name}={optimizer['settings'][name]}" for name in _SHOWN if optimizer["settings"].get(name)]
    return f"the running script's optimizer is {optimizer['name']}({', '.join(settings)})"
