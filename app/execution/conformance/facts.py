"""How each stated fact is looked up in a script."""

import ast
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from dlcodegen import vocabulary
from dlcodegen.execution.code_view import CodeView, Found
from dlcodegen.execution.conformance.built import read_built
from dlcodegen.execution.conformance.fact_terms import (
    CONVOLUTIONS,
    DENSE,
    NEVER,
    OF_LAYERS,
    OF_OPTIMIZER,
    PRESENCE,
    RECURRENT,
    SCHEDULERS,
    WHERE,
)
from dlcodegen.execution.conformance.layers import settings_of
from dlcodegen.execution.conformance.names import arguments_of, names_of
from dlcodegen.execution.conformance.shapes import batched
from dlcodegen.execution.conformance.splits import split_line
from dlcodegen.execution.conformance.terms import plain
from dlcodegen.execution.conformance.values import Values
from dlcodegen.execution.conformance.verdicts import close, compare, equal, honoured, judged, present
from dlcodegen.report import Conformance, Fact, Seen
from dlcodegen.techniques import BY_NAME as TECHNIQUES
from dlcodegen.widths import width_settings

_OF_PLAIN_LAYERS = ("mlp", "cnn")
"""Architectures that any other may hold."""
_LIBRARIES = {"torch", "np", "numpy", "random"}


def judge_fact(view: CodeView, values: Values, fact: Fact, seen: Seen) -> Conformance:
    """The row of one fact. A fact that nobody knows how to look up is searched for by its name."""
    row = _by_code(view, values, fact)
    return row if row["verdict"] == "honoured" else _by_run(row, fact, seen)


def _by_code(view: CodeView, values: Values, fact: Fact) -> Conformance:
    name, value = fact["name"], fact["value"]
    if name in NEVER:
        return judged(name, value, "not found", NEVER[name])
    if name in PRESENCE:
        return present(view, name, value, *PRESENCE[name])
    if name in _WITH_VALUES:
        return _WITH_VALUES[name](view, values, value)
    if name in _BY_NAME:
        return _BY_NAME[name](view, value)
    if isinstance(value, list):
        return _widths(view, values, name, value)
    return _number(view, values, name, value)


def _number(view: CodeView, values: Values, name: str, value: str | int | float | bool) -> Conformance:
    """A Config field that is read; else where such a number is passed."""
    setting = view.config.get(name)
    if setting is not None and name in view.settings_read:
        return compare(view, name, value, [setting])
    callees, keywords = WHERE.get(name, ((), (name,)))
    passed = [(item.value, call.lineno) for _, call in view.calls for item in call.keywords if item.arg in keywords]
    given = [(node, call.lineno) for call in view.calls_of(*callees) for node in values.arguments(call) if node]
    for node, line in (*passed, *given):
        if any(equal(possible, value) for possible in values.of(node).values):
            return honoured(view, name, value, line)
    known = [Found(only, line) for node, line in passed if (only := values.of(node).only) is not None]
    if not known and setting is not None:
        return judged(name, value, "not found", "the setting of this name is never read")
    return compare(view, name, value, known)


def _by_run(row: Conformance, fact: Fact, seen: Seen) -> Conformance:
    """What the running script shows of a fact that its code does not."""
    name, value = fact["name"], fact["value"]
    for optimizer in seen.get("optimizers", []) if name in OF_OPTIMIZER else []:
        if close(optimizer["settings"].get(name), value):
            return judged(name, value, "honoured", f"the running {optimizer['name']} has {name}={value}")
    for layer in read_built(seen.get("layers", []), seen.get("framework", "")) if name in OF_LAYERS else []:
        if close(layer.numbers.get(OF_LAYERS[name]), value):
            return judged(name, value, "honoured", f"the running model has {layer.text}")
    outputs = seen.get("outputs", []) if name == "num_classes" else []
    if any(value in shape[1:] for shape in outputs):
        return judged(name, value, "honoured", f"the running model gives {batched(tuple(outputs[0][1:]))}")
    return row


def _num_classes(view: CodeView, values: Values, value: object) -> Conformance:
    """A setting, or the width of a layer; or, for two classes, one logit instead of two."""
    setting = view.config.get("num_classes")
    if setting is not None or not isinstance(value, int):
        return compare(view, "num_classes", str(value), _as_text(setting))
    line = next((call.lineno for call in view.calls_of(*DENSE) if _units(values, call) == value), None)
    if line is not None:
        return honoured(view, "num_classes", value, line)
    one_logit = next((at for text, at in view.strings.items() if "-> (N,)" in text or "-> (N, 1" in text), None)
    line = view.first_name(*vocabulary.BINARY_CROSS_ENTROPY_CODE, "binary_crossentropy") or one_logit
    if line is None or value != 2:
        return judged("num_classes", value, "not found", "nothing in the code sets this")
    return honoured(view, "num_classes", "2 (one logit)", line)


def _latent_dim(view: CodeView, values: Values, value: object) -> Conformance:
    """A setting of this name, or the narrowest linear layer of the model: all that passes it is the code."""
    row = _number(view, values, "latent_dim", value if isinstance(value, int) else str(value))
    built = view.lines_of("build_model")
    units = [(_units(values, call), call.lineno) for call in view.calls_of(*DENSE) if call.lineno in built]
    widths = [(width, line) for width, line in units if isinstance(width, int)]
    if row["verdict"] == "not found" and widths and equal(min(widths)[0], value):
        return honoured(view, "latent_dim", value, min(widths)[1])
    return row


def _units(values: Values, call: ast.Call) -> object:
    units = settings_of(values, call).get("units")
    return units.only if units else None


def _as_text(found: Found | None) -> list[Found]:
    return [Found(str(found.value), found.line)] if found else []


def _num_layers(view: CodeView, value: object) -> Conformance:
    """A setting, an argument, or that many layers of a kind built in `build_model`."""
    settings = [view.config[name] for name in ("num_layers", "depth") if name in view.config]
    counts = [*settings, *(found for found in view.keyword("num_layers") if found.value is not None)]
    for kinds in (CONVOLUTIONS, RECURRENT, DENSE):
        lines = [call.lineno for call in view.calls_of(*kinds) if call.lineno in view.lines_of("build_model")]
        if lines:
            hidden = len(lines) - 1 if kinds == DENSE else len(lines)  # the head is no hidden layer
            counts.append(Found(hidden, lines[0]))
    matching = [found for found in counts if equal(found.value, value)]
    return compare(view, "num_layers", str(value), _as_text(matching[0] if matching else next(iter(counts), None)))


def _dense_layers(view: CodeView, value: object) -> Conformance:
    """That many linear layers, the head counted or not."""
    lines = [call.lineno for call in view.calls_of(*DENSE)]
    if value in (len(lines), len(lines) - 1):
        return honoured(view, "dense_layers", value, lines[0])
    return compare(view, "dense_layers", str(value), [Found(str(len(lines) - 1), lines[0])] if lines else [])


def _widths(view: CodeView, values: Values, name: str, wanted: list[str] | list[int]) -> Conformance:
    """Widths of layers, in this order, among the arguments of the layers they belong to."""
    callees = {"hidden_units": (*DENSE, "ResidualDense"), "filters": CONVOLUTIONS}.get(name, ())
    position, line = 0, None
    for call in view.calls_of(*callees):
        for node in (*call.args, *(item.value for item in call.keywords)):
            if position < len(wanted) and equal(values.of(node).only, wanted[position]):
                position, line = position + 1, line or call.lineno
    if position == len(wanted) and line is not None:
        return honoured(view, name, wanted, line)
    stacked = width_settings(view.code, {name: wanted})
    if stacked and all(field in view.config and equal(view.config[field].value, stacked[field]) for field in stacked):
        return honoured(view, name, wanted, view.config["hidden_size"].line)
    return judged(name, wanted, "not found", f"no layers of these widths ({position} of {len(wanted)} found)")


def _architecture(view: CodeView, value: object) -> Conformance:
    """By names; where none tells any architecture, as with a stack of plain layers, by the script's title."""
    term = vocabulary.term(vocabulary.ARCHITECTURES, str(value))
    title = (ast.get_docstring(view.tree) or "").partition("\n")[0]
    names = _names(view)
    line = names.line(term.code) if term else None
    if line is not None:
        return honoured(view, "architecture", value, line)
    telling = (entry for entry in vocabulary.ARCHITECTURES if entry.name not in _OF_PLAIN_LAYERS)
    other = next((entry.name for entry in telling if names.without_parts.line(entry.code)), None)
    if other is not None and term is not None and term.code:
        return judged("architecture", value, "contradicted", f"the code has {other} instead")
    if not title:
        return judged("architecture", value, "not found", "nothing in the code is called so")
    by_title = term is not None and term.search(title) is not None
    return judged("architecture", value, "honoured" if by_title else "not found", title, 1)


@dataclass(frozen=True)
class _Names:
    """Names -> lines: what a script defines and its parts (`self.encoder`), in any case; what it uses, as written."""

    defined: dict[str, int]
    parts: dict[str, int]
    used: dict[str, int]

    @property
    def without_parts(self) -> "_Names":
        """What can speak against a script: a part called encoder or generator makes no other architecture of it."""
        return _Names(self.defined, {}, self.used)

    def line(self, wanted: tuple[str, ...]) -> int | None:
        both = self.parts | self.defined
        lines = (both.get(plain(name), self.used.get(name)) for name in wanted)
        return next((line for line in lines if line is not None), None)


def _names(view: CodeView) -> _Names:
    """`torch.Generator` and `np.random.Generator` make random numbers, and are used as no part of a model."""
    names = _Names({}, {}, {})
    for node in view.nodes:
        owner = getattr(node, "value", None)  # `np`, or the `random` of `np.random`
        of_library = (
            isinstance(node, ast.Attribute) and {getattr(owner, "id", ""), getattr(owner, "attr", "")} & _LIBRARIES
        )
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            names.defined.setdefault(plain(node.name), node.lineno)
        elif isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == "self":
            names.parts.setdefault(plain(node.attr), node.lineno)
        elif isinstance(node, ast.Name | ast.Attribute) and not of_library:
            names.used.setdefault(node.id if isinstance(node, ast.Name) else node.attr, node.lineno)
    return names


def _scheduler(view: CodeView, value: object) -> Conformance:
    return present(view, "scheduler", value, *SCHEDULERS.get(str(value), (str(value),)))


def _framework(view: CodeView, value: object) -> Conformance:
    line = view.first_name("keras", "torch") or 1
    if view.framework == value:
        return honoured(view, "framework", value, line)
    return judged("framework", value, "contradicted", f"written with {view.framework}", line)


def _split(view: CodeView, value: object) -> Conformance:
    """Shares such as 80/10/10 among the numbers of what splits the data."""
    line, fits = split_line(view, [int(part) for part in str(value).split("/") if part.strip().isdigit()])
    if line is None:
        return judged("split", value, "not found", "no such shares in the code")
    return (
        honoured(view, "split", value, line) if fits else judged("split", value, "contradicted", view.text(line), line)
    )


def _activation(view: CodeView, value: object) -> Conformance:
    return present(view, "activation", value, str(value), str(value).replace("_", ""))


def _bidirectional(view: CodeView, value: object) -> Conformance:
    """PyTorch's argument, or Keras's wrapper."""
    if view.calls_of("Bidirectional"):
        return present(view, "bidirectional", value, "Bidirectional")
    return compare(view, "bidirectional", True, list(view.keyword("bidirectional")))


def _attention(view: CodeView, value: object) -> Conformance:
    """Any name that speaks of attention, or of a Transformer, which is made of it."""
    lines = [line for name, line in view.names.items() if re.search(r"attention|transformer", name.lower())]
    if not lines:
        return judged("attention", value, "not found", "nothing in the code does this")
    return honoured(view, "attention", value, min(lines))


def _technique(name: str, view: CodeView, value: object) -> Conformance:
    """Any name that speaks of it, outside of classes and functions that nothing uses."""
    nodes = [node for part in _used_parts(view.tree) for node in ast.walk(part)]
    shown = [node for node in nodes if any(map(TECHNIQUES[name].shown_by, names_of(node) + arguments_of(node)))]
    if not shown:
        return judged(name, value, "not found", "nothing in the code does this")
    return honoured(view, name, value, min(getattr(node, "lineno", 1) for node in shown))


def _used_parts(tree: ast.Module) -> list[ast.stmt]:
    """The statements of a script without the definitions whose name occurs nowhere else."""
    named = {id(part): {node.id for node in ast.walk(part) if isinstance(node, ast.Name)} for part in tree.body}
    return [
        part
        for part in tree.body
        if not isinstance(part, ast.ClassDef | ast.FunctionDef)
        or any(part.name in named[id(other)] for other in tree.body if other is not part)
    ]


def _accumulation_steps(view: CodeView, value: object) -> Conformance:
    """A setting, an argument, or a number that is called so: `accumulate = 4`."""
    settings = [view.config[name] for name in ("accumulation_steps", "accumulate") if name in view.config]
    named = [
        Found(node.value.value, node.lineno)
        for node in view.nodes
        if isinstance(node, ast.Assign)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, int)
        and any("accum" in getattr(target, "id", "") for target in node.targets)
    ]
    found = [*settings, *named, *view.keyword("gradient_accumulation_steps")]
    return compare(view, "accumulation_steps", value if isinstance(value, int) else str(value), found)


def _betas(view: CodeView, value: object) -> Conformance:
    wanted = str(value).replace(" ", "")
    passed = [Found(text.strip("()").replace(" ", ""), line) for text, line in view.keyword_texts("betas")]
    return compare(view, "betas", wanted, passed)


_BY_NAME: dict[str, Callable[[CodeView, object], Conformance]] = {
    **{name: partial(_technique, name) for name in TECHNIQUES},
    "accumulation_steps": _accumulation_steps,
    "activation": _activation,
    "architecture": _architecture,
    "attention": _attention,
    "betas": _betas,
    "dense_layers": _dense_layers,
    "bidirectional": _bidirectional,
    "framework": _framework,
    "num_layers": _num_layers,
    "scheduler": _scheduler,
    "split": _split,
}
_WITH_VALUES: dict[str, Callable[[CodeView, Values, object], Conformance]] = {
    "num_classes": _num_classes,
    "latent_dim": _latent_dim,
}
