"""What the expressions of a script can be worth: through Config, assignments, loops and the calls that pass them on."""

import ast
import operator
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from itertools import islice, product
from typing import Any

from dlcodegen.execution.code_view import SETTINGS, CodeView
from dlcodegen.execution.conformance.scopes import Scopes, Source

_MOST = 64
"""Values followed for one expression; where there are more, nobody claims to know them all."""
_LARGEST = 10**9
_LARGEST_POWER = 64
_DEEPEST = 40
"""Steps from one expression to the next before it is given up as unknown."""
_OPERATORS: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Pow: operator.pow,
}
_FUNCTIONS: dict[str, Callable[..., Any]] = {"max": max, "min": min, "int": int, "float": float, "round": round}
_SAME_ELEMENTS = ("list", "tuple", "reversed", "sorted", "pairwise", "iter")


@dataclass(frozen=True)
class Possible:
    """Values that an expression can have; `complete` when there can be no others."""

    values: frozenset[Any] = frozenset()
    complete: bool = False

    @property
    def only(self) -> Any:
        """The value, where there is exactly one; else None."""
        return next(iter(self.values)) if self.complete and len(self.values) == 1 else None


UNKNOWN = Possible()


class Values:
    """Looks values up in one script. Nothing is executed: what cannot be followed is unknown."""

    def __init__(self, view: CodeView) -> None:
        self.view = view
        self.scopes = Scopes(view)
        self._known: dict[tuple[str, ast.expr], Possible] = {}
        self._depth = 0

    def of(self, node: ast.expr) -> Possible:
        """What this expression can be worth."""
        return self._once("value", node, self._work_out)

    def elements(self, node: ast.expr) -> Possible:
        """What the elements of this iterable can be worth."""
        return self._once("elements", node, self._work_out_elements)

    def arguments(self, call: ast.Call) -> list[ast.expr | None]:
        """The positional arguments, `*sizes` spread out; None for those that cannot be told."""
        found: list[ast.expr | None] = []
        for argument in call.args:
            if not isinstance(argument, ast.Starred):
                found.append(argument)
                continue
            sources = self._sources(argument.value)
            spread = sources[0].node if len(sources) == 1 else None
            found += spread.elts if isinstance(spread, ast.Tuple | ast.List) else [None] * 8  # no layer takes more
        return found

    def _once(self, kind: str, node: ast.expr, work: Callable[[Any], Possible]) -> Possible:
        """Worked out once; a value that depends on itself is unknown."""
        key = (kind, node)
        if key not in self._known:
            self._known[key] = UNKNOWN
            if self._depth < _DEEPEST:
                self._depth += 1
                self._known[key] = work(node)
                self._depth -= 1
        return self._known[key]

    def _work_out(self, node: ast.expr) -> Possible:
        found = UNKNOWN
        match node:
            case ast.Constant(value=str() | int() | float() as value):
                found = _only(value)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                found = self._combined(lambda number: _arithmetic(operator.sub, 0, number), [operand])
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
                found = self._combined(partial(_arithmetic, _OPERATORS[type(op)]), [left, right])
            case ast.Tuple(elts=items) | ast.List(elts=items):
                found = self._combined(lambda *parts: parts, items)
            case ast.IfExp(body=body, orelse=other):
                found = _union([self.of(body), self.of(other)])
            case ast.Call(func=ast.Name(id=name), args=arguments) if name in _FUNCTIONS and arguments:
                found = self._combined(_FUNCTIONS[name], arguments)
            case ast.Subscript(value=whole):
                found = self.elements(whole)
            case ast.Name() | ast.Attribute():
                sources = (self._of_source(source) for source in self._sources(node))
                found = self._setting(node) or _union(sources)
        return found

    def _work_out_elements(self, node: ast.expr) -> Possible:
        found = UNKNOWN
        match node:
            case ast.Tuple(elts=items) | ast.List(elts=items):
                found = _union(self.elements(x.value) if isinstance(x, ast.Starred) else self.of(x) for x in items)
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                found = _union([self.elements(left), self.elements(right)])
            case ast.BinOp(left=left, op=ast.Mult()):
                found = self.elements(left)
            case ast.ListComp(elt=element) | ast.GeneratorExp(elt=element):
                found = self.of(element)
            case ast.Subscript(value=whole, slice=ast.Slice()):
                found = self.elements(whole)
            case ast.Call(func=ast.Name(id="range"), args=bounds) if 1 <= len(bounds) <= 2:
                found = self._range(bounds)
            case ast.Call(func=ast.Name(id=name), args=[inner, *_]) if name in _SAME_ELEMENTS:
                found = self.elements(inner)
            case ast.Name() | ast.Attribute():
                followed = [source.node for source in self._sources(node) if source.node and not source.element]
                found = _union(self.elements(one) for one in followed)
        return found

    def _range(self, bounds: list[ast.expr]) -> Possible:
        first, last = [0, *(self.of(bound).only for bound in bounds)][-2:]
        if isinstance(first, int) and isinstance(last, int) and last - first <= _MOST:
            return Possible(frozenset(range(first, last)), complete=True)
        return UNKNOWN

    def _of_source(self, source: Source) -> Possible:
        if source.node is None:
            return UNKNOWN
        return self.elements(source.node) if source.element else self.of(source.node)

    def _sources(self, node: ast.expr) -> list[Source]:
        """What a variable, `self.x` or a class's constant is set to."""
        match node:
            case ast.Name(id=name):
                return self.scopes.sources(node, name)
            case ast.Attribute(value=ast.Name(id="self"), attr=name):
                return self.scopes.attribute(node, name)
            case ast.Attribute(value=ast.Name(id=owner), attr=name):
                return self.scopes.constant(owner, name)
        return []

    def _setting(self, node: ast.expr) -> Possible | None:
        """`config.x` or `self.config.x` through Config's default; None for anything else."""
        match node:
            case ast.Attribute(value=ast.Name(id=owner) | ast.Attribute(attr=owner), attr=name):
                if owner in SETTINGS and name in self.view.config and not (owner == "self" and self._sources(node)):
                    value = self.view.config[name].value
                    return UNKNOWN if value is None else _only(value)
        return None

    def _combined(self, work: Callable[..., Any], nodes: list[ast.expr]) -> Possible:
        """The operation on every combination of what the operands can be."""
        parts = [self.of(node) for node in nodes]
        combinations = list(islice(product(*(part.values for part in parts)), _MOST + 1))
        if len(combinations) > _MOST:
            return UNKNOWN
        try:
            results = frozenset(work(*values) for values in combinations)
        except (TypeError, ValueError, ArithmeticError):
            return UNKNOWN
        return Possible(results, all(part.complete for part in parts))


def _union(parts: Iterable[Possible]) -> Possible:
    """All that any of them can be; nothing is known where there are none."""
    together = list(parts)
    values = frozenset(value for part in together for value in part.values)
    return Possible(values, bool(together) and len(values) <= _MOST and all(part.complete for part in together))


def _only(value: object) -> Possible:
    return Possible(frozenset([value]), complete=True)


def _arithmetic(work: Callable[[Any, Any], Any], left: object, right: object) -> Any:
    """Numbers only, and of a size that a script means. Raises TypeError or ArithmeticError for all else."""
    if not isinstance(left, int | float) or not isinstance(right, int | float):
        raise TypeError("texts are not followed")
    if work is operator.pow and (abs(left) > _LARGEST or abs(right) > _LARGEST_POWER):
        raise OverflowError("too large to be followed")
    result = work(left, right)
    if not isinstance(result, int | float) or abs(result) > _LARGEST:
        raise OverflowError("too large to be followed")
    return result
