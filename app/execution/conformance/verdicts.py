"""Rows of plan conformance: how a comparison becomes a verdict with its evidence."""

from collections.abc import Sequence
from math import isclose

from dlcodegen.execution.code_view import CodeView, Found, Value
from dlcodegen.report import Conformance, Verdict

_LONGEST_EVIDENCE = 200
_WORST_FIRST: tuple[Verdict, ...] = ("contradicted", "not found", "honoured")


def judged(name: str, expected: object, verdict: Verdict, evidence: str = "", line: int | None = None) -> Conformance:
    """A row; `evidence` is the line's text, what the running script showed, or why there is neither."""
    if len(evidence) > _LONGEST_EVIDENCE:
        evidence = f"{evidence[: _LONGEST_EVIDENCE - 4]} ..."
    return Conformance(name=name, expected=str(expected), verdict=verdict, evidence=evidence, line=line)


def worst(rows: Sequence[Conformance]) -> Conformance:
    """The row that decides where several things make one field of the plan: the first with the worst verdict."""
    return min(rows, key=lambda row: _WORST_FIRST.index(row["verdict"]))


def honoured(view: CodeView, name: str, expected: object, line: int) -> Conformance:
    return judged(name, expected, "honoured", view.text(line), line)


def compare(view: CodeView, name: str, expected: Value, found: list[Found]) -> Conformance:
    """Honoured where one of the values found equals; contradicted where there are only others."""
    for item in found:
        if equal(item.value, expected):
            return honoured(view, name, expected, item.line)
    if found:
        return judged(name, expected, "contradicted", view.text(found[0].line), found[0].line)
    return judged(name, expected, "not found", "nothing in the code sets this")


def present(view: CodeView, name: str, expected: object, *codes: str) -> Conformance:
    """Honoured by the mere presence of one of these names."""
    line = view.first_name(*codes)
    if line is None:
        return judged(name, expected, "not found", "nothing in the code does this")
    return honoured(view, name, expected, line)


def equal(a: object, b: object) -> bool:
    """Numbers by value, so that 1 equals 1.0, but no number equals a truth value."""
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    if isinstance(a, int | float) and isinstance(b, int | float):
        return isclose(a, b, rel_tol=1e-9)
    return a == b


def close(a: object, b: object) -> bool:
    """As `equal`, for numbers of a running model: frameworks keep them as 32-bit floats."""
    if isinstance(a, int | float) and isinstance(b, int | float) and bool not in (type(a), type(b)):
        return isclose(a, b, rel_tol=1e-5)
    return equal(a, b)
