"""Arithmetic of a script on numbers, texts and lists that are known, with bounds that no script of good will meets."""

import ast
import math
import operator
from collections.abc import Callable
from itertools import pairwise
from typing import Any

from dlcodegen.corpus.importing.built_parts import Unknown

_LARGEST = 10**12
_LONGEST = 512
_MOST_PARTS = 4096

OPERATORS: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}
COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "max": max, "min": min, "sum": sum, "abs": abs, "int": int, "float": float, "round": round, "len": len,
    "list": list, "tuple": tuple, "sorted": sorted, "bool": bool, "ceil": math.ceil, "floor": math.floor,
    "prod": math.prod, "sqrt": math.sqrt, "log2": math.log2,
    "reversed": lambda items: list(reversed(items)),
    "enumerate": lambda items, start=0: list(enumerate(items, start)),
    "zip": lambda *lists: list(zip(*lists, strict=False)),
    "pairwise": lambda items: list(pairwise(items)),
}  # fmt: skip


def is_known(value: Any) -> bool:
    """A number, text, truth value or None, or a list of what is known, not nested beyond all measure."""
    waiting, seen = [value], 0
    while waiting:
        one, seen = waiting.pop(), seen + 1
        if isinstance(one, list | tuple):
            waiting += one
        elif not (one is None or isinstance(one, bool | int | float | str)):
            return False
        if seen + len(waiting) > _MOST_PARTS:
            return False
    return True


def calculate(op: ast.operator, left: Any, right: Any) -> Any:
    """Numbers and lists; a text is never multiplied or formatted. What cannot be worked out is Unknown."""
    work = OPERATORS.get(type(op))
    numbers = isinstance(left, int | float) and isinstance(right, int | float)
    if work is None or not (numbers or _joins(op, left, right)):
        return Unknown()
    if work is operator.pow and (abs(left) > _LARGEST or abs(right) > 64):
        return Unknown()
    try:
        result = work(left, right)
    except (TypeError, ValueError, ArithmeticError):
        return Unknown()
    return bounded(result)


def _joins(op: ast.operator, left: Any, right: Any) -> bool:
    if isinstance(op, ast.Mult):
        sides = (left, right) if isinstance(left, list | tuple) else (right, left)
        return isinstance(sides[0], list | tuple) and isinstance(sides[1], int) and len(sides[0]) * sides[1] <= _LONGEST
    return isinstance(op, ast.Add) and isinstance(left, list | tuple | str) and type(left) is type(right)


def bounded(value: Any) -> Any:
    """The value, Unknown where it is larger or longer than a script of good will makes it."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value if isinstance(value, int | float) and abs(value) <= _LARGEST else Unknown()
    if isinstance(value, list | tuple | str | dict) and len(value) > _LONGEST:
        return Unknown()
    return value if not isinstance(value, complex) else Unknown()


def compare(op: ast.cmpop, left: Any, right: Any) -> bool | None:
    """The comparison's truth, None where it is not known."""
    if isinstance(op, ast.Is | ast.IsNot) and (right is None or left is None):
        if isinstance(left, Unknown) or isinstance(right, Unknown):
            return None
        return (left is right) == isinstance(op, ast.Is)
    if not (is_known(left) and is_known(right)):
        return None
    try:
        if isinstance(op, ast.In | ast.NotIn):
            return (left in right) == isinstance(op, ast.In)
        return bool(COMPARISONS[type(op)](left, right)) if type(op) in COMPARISONS else None
    except TypeError:
        return None


def call_builtin(name: str, arguments: list[Any]) -> Any:
    """A builtin function, or one of `math` and `itertools`, on what is known; Unknown for any other."""
    if name == "range":
        return _range(arguments)
    lists = name in ("list", "tuple", "reversed", "enumerate", "zip", "pairwise", "len")
    if name not in _FUNCTIONS or not arguments:
        return Unknown()
    if not all(isinstance(argument, list | tuple | int) if lists else is_known(argument) for argument in arguments):
        return Unknown()
    try:
        return bounded(_FUNCTIONS[name](*arguments))
    except (TypeError, ValueError, ArithmeticError):
        return Unknown()


def _range(bounds: list[Any]) -> Any:
    if not 1 <= len(bounds) <= 3 or not all(isinstance(bound, int) for bound in bounds):
        return Unknown()
    try:
        numbers = range(*bounds)
    except ValueError:
        return Unknown()
    return list(numbers) if len(numbers) <= _LONGEST else Unknown()
