"""The plan's preprocessing, step by step: what the code outside the model does with the data."""

import ast
import re
from collections.abc import Mapping
from functools import cached_property

from dlcodegen.execution.code_view import CodeView, Found
from dlcodegen.execution.conformance.names import names_of
from dlcodegen.execution.conformance.preprocess_steps import (
    DIVIDED,
    SIGNED_RANGE,
    SIGNED_TERMS,
    SPLIT,
    UNIT_RANGE,
    UNIT_TERMS,
    Step,
)
from dlcodegen.execution.conformance.splits import split_line
from dlcodegen.execution.conformance.steps import content, kinds, steps_of
from dlcodegen.execution.conformance.values import Values
from dlcodegen.execution.conformance.verdicts import equal, honoured, judged, worst
from dlcodegen.report import Conformance, Fact

_NO_DATA = ("build_model", "build_loss", "build_optimizer", "run_epoch", "compute_metrics", "evaluate")


def judge_preprocess(view: CodeView, values: Values, text: str, facts: list[Fact]) -> list[Conformance]:
    """One row a step, in the plan's order. What the requirement states wins over a number in the plan's text."""
    data = _DataPart(view, values, {fact["name"]: fact["value"] for fact in facts})
    return [_judge(data, step) for step in steps_of(text)]


class _DataPart:
    """The names of a script outside its models: what only a model does with its tensors prepares no data."""

    def __init__(self, view: CodeView, values: Values, stated: Mapping[str, object]) -> None:
        self.view = view
        self.values = values
        self.stated = stated

    @cached_property
    def terms(self) -> dict[str, int]:
        """As `CodeView.terms`, for what stands outside the model, its imports and smoke mode."""
        return self.view.terms_of(node for node in self.view.nodes if node not in self._in_model)

    @cached_property
    def _in_model(self) -> set[ast.AST]:
        inside: set[ast.AST] = set()
        for node in self.view.nodes:
            if _is_model(node) or (isinstance(node, ast.FunctionDef) and "smoke" in node.name):
                inside.update(self.view.inside(node))
        return inside

    def first_term(self, *wanted: str) -> int | None:
        lines = (self.terms.get(term, self.terms.get(f"{term}s")) for term in wanted)
        return next((line for line in lines if line is not None), None)

    @cached_property
    def divisors(self) -> dict[float, int]:
        """What something is divided by, or multiplied with the inverse of -> the first line."""
        found: dict[float, int] = {}
        for node in self.view.nodes:
            match node:
                case ast.BinOp(op=ast.Div(), right=right) | ast.AugAssign(op=ast.Div(), value=right):
                    value = self._number(right)
                case ast.BinOp(
                    op=ast.Mult(), right=ast.BinOp(left=ast.Constant(value=1 | 1.0), op=ast.Div(), right=right)
                ):
                    value = self._number(right)
                case _:
                    continue
            if value is not None:
                found[value] = min(node.lineno, found.get(value, node.lineno))
        return found

    @cached_property
    def thresholds(self) -> list[int]:
        """The lines where something is compared with half of its range."""
        halves = (0.5, 127, 127.5, 128)
        return [
            node.lineno
            for node in self.view.nodes
            if isinstance(node, ast.Compare)
            and self._number(node.comparators[0]) in halves
            and node not in self._in_model
        ]

    def _number(self, node: ast.expr) -> float | None:
        """A number, also as `np.float32(255)`."""
        inner = node.args[0] if isinstance(node, ast.Call) and len(node.args) == 1 else node
        value = self.view.literal(inner)
        return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _is_model(node: ast.AST) -> bool:
    if isinstance(node, ast.ClassDef):
        return any(isinstance(item, ast.FunctionDef) and item.name in ("forward", "call") for item in node.body)
    return isinstance(node, ast.Import | ast.ImportFrom) or getattr(node, "name", "") in _NO_DATA


def _judge(data: _DataPart, text: str) -> Conformance:
    rows = [_known(data, text, step) for step in kinds(text)]
    if UNIT_RANGE.search(text) or SIGNED_RANGE.search(text):
        rows.append(_range(data, text))
    if match := SPLIT.search(text):
        rows.append(_split(data.view, text, [int(part) for part in match.groups() if part]))
    if match := DIVIDED.search(text):
        rows.append(_line_or_not(data.view, text, data.divisors.get(float(match[1]))))
    return worst(rows) if rows else _by_words(data.view, text)


def _known(data: _DataPart, text: str, step: Step) -> Conformance:
    """Honoured by its names, unless a setting has another number; contradicted by what is done instead."""
    line = data.first_term(*step.terms)
    if line is None and step.by_threshold:
        line = min(data.thresholds, default=None)
    if line is None and step.in_model:
        line = data.view.first_term(*step.terms)
    if line is None:
        other = data.first_term(*step.instead)
        if other is not None:
            return judged("preprocess", text, "contradicted", data.view.text(other), other)
        return judged("preprocess", text, "not found", "nothing in the code does this")
    wrong = _wrong_setting(data, text, step)
    if wrong is not None:
        return judged("preprocess", text, "contradicted", data.view.text(wrong), wrong)
    return honoured(data.view, "preprocess", text, line)


def _wrong_setting(data: _DataPart, text: str, step: Step) -> int | None:
    """The line of a setting whose number is none of the step's, where none of the step's settings fits."""
    numbers = [float(number) for match in step.number.finditer(text) for number in match.groups() if number]
    config = data.view.config
    settings = [config[field] for field in step.fields if field in config]
    settings += [
        Found(only, item.value.lineno)
        for _, call in data.view.calls
        for item in call.keywords
        if item.arg in step.fields and (only := data.values.of(item.value).only) is not None
    ]
    numbers += [step.implied] if step.implied is not None else []
    numbers += [value for field in step.fields if isinstance(value := data.stated.get(field), int | float)]
    if not numbers or any(equal(setting.value, number) for setting in settings for number in numbers):
        return None
    return settings[0].line if settings else None


def _range(data: _DataPart, text: str) -> Conformance:
    """Pixels from 0 to 1, or from -1 to 1: by what they are divided by."""
    signed = bool(SIGNED_RANGE.search(text))
    halves = [line for value, line in data.divisors.items() if value in (127.5, 127, 128)]
    wholes = [line for value, line in data.divisors.items() if value in (255, 256)]
    by_name = data.first_term(*(SIGNED_TERMS if signed else UNIT_TERMS))
    own = next(iter(halves if signed else wholes), by_name)
    other = next(iter(wholes if signed else halves), None)
    if own is None and other is not None and not (signed and _is_shifted(data.view)):
        return judged("preprocess", text, "contradicted", data.view.text(other), other)
    return _line_or_not(data.view, text, own if own is not None else other)


def _is_shifted(view: CodeView) -> bool:
    """`x * 2 - 1` or `(x - 0.5) / 0.5`: what was from 0 to 1 is centred. Random numbers are no data."""
    for node in view.nodes:
        match node:
            case ast.BinOp(left=ast.BinOp(op=ast.Mult(), left=a, right=b), op=ast.Sub(), right=ast.Constant(value=1)):
                centred = 2 in (view.literal(a), view.literal(b))
            case ast.BinOp(left=ast.BinOp(op=ast.Sub(), right=ast.Constant(value=0.5)), op=ast.Div() | ast.Mult()):
                centred = True
            case _:
                continue
        if centred and not any("rand" in name for inner in view.inside(node) for name in names_of(inner)):
            return True
    return False


def _split(view: CodeView, text: str, shares: list[int]) -> Conformance:
    line, fits = split_line(view, shares)
    if line is None:
        return judged("preprocess", text, "not found", "no such shares in the code")
    if fits:
        return honoured(view, "preprocess", text, line)
    return judged("preprocess", text, "contradicted", view.text(line), line)


def _line_or_not(view: CodeView, text: str, line: int | None) -> Conformance:
    if line is None:
        return judged("preprocess", text, "not found", "nothing in the code does this")
    return honoured(view, "preprocess", text, line)


def _by_words(view: CodeView, text: str) -> Conformance:
    """A step of no known kind: honoured where its own words occur, among names first, then in what is written."""
    words = content(text)
    forms = [form for word in words for form in (word, word.removesuffix("s"), word.removesuffix("es"))]
    line = next((view.terms[form] for form in forms if form in view.terms), None)
    if line is None:
        line = next((at for prose, start in view.strings.items() for at in _lines(prose, start, forms)), None)
    if line is None:
        return judged("preprocess", text, "not found", "none of its words occurs in the code")
    return honoured(view, "preprocess", text, line)


def _lines(prose: str, start: int, forms: list[str]) -> list[int]:
    """The lines of a string, which begins at `start`, that hold one of the words."""
    lines = enumerate(prose.lower().split("\n"), start)
    return [number for number, line in lines if any(re.search(rf"\b{form}\b", line) for form in forms)]
