"""Where the names of a script get their values from, and how often a piece of it runs: structure, not values."""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from dlcodegen.execution.code_view import CodeView

MANY = 1_000_000
"""How often something in a loop runs: nobody counts."""
_WITH_THE_CLASS = ("__init__", "forward", "build", "call", "__call__", "setup")
"""Methods that run whenever a module is made or used: they count as often as the module is made."""

Function = ast.FunctionDef | ast.AsyncFunctionDef
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
Loop = ast.For | ast.AsyncFor | ast.comprehension


@dataclass(frozen=True)
class Source:
    """An expression that a name takes its value from; None for one that nobody can follow."""

    node: ast.expr | None
    element: bool = False
    """The name takes one element of it after the other."""


class Scopes:
    """Bindings, call sites and repetitions of one script."""

    def __init__(self, view: CodeView) -> None:
        self.view = view
        self._times: dict[ast.AST, int] = {}

    def sources(self, node: ast.AST, name: str) -> list[Source]:
        """Everything that the variable `name`, read at `node`, may have been bound to; empty when it is unknown."""
        for scope in self.view.around(node):
            if isinstance(scope, ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp):
                found = [source for loop in scope.generators for source in _of_loop(loop, name)]
            elif isinstance(scope, Function):
                found = [*self._bound_in(scope).get(name, ()), *self.passed(scope, name)]
            elif isinstance(scope, ast.Module):
                found = self._bound_in(scope).get(name, [])
            else:
                continue
            if found:
                return found
        return []

    def attribute(self, node: ast.AST, name: str) -> list[Source]:
        """What the class that `node` stands in assigns to `self.name`."""
        home = self._class_around(node)
        return self._attributes.get((home, name), []) if home else []

    def constant(self, owner: str, name: str) -> list[Source]:
        """What the class `owner` has as `name`."""
        body = [statement for node in self.definitions.get(owner, ()) for statement in node.body]
        return [source for target, source in _bindings(body) if target == name]

    def passed(self, scope: Function, name: str) -> list[Source]:
        """The arguments that calls of this function, or of its class, pass as `name`; its default where they do not."""
        names = [argument.arg for argument in (*scope.args.posonlyargs, *scope.args.args)]
        if name not in names and name not in [argument.arg for argument in scope.args.kwonlyargs]:
            return []
        home = self.view.parents[scope]
        owner: Definition = home if isinstance(home, ast.ClassDef) and scope.name == "__init__" else scope
        position = names.index(name) - isinstance(home, ast.ClassDef) if name in names else None
        sites = self.sites(owner)
        if not sites or owner.name in self._mentioned:
            return [Source(None)]
        return [Source(_argument(call, position, name) or self.default(scope, name)) for call in sites]

    def maker(self, name: str) -> Function | None:
        """`__init__` of the script's class of that name."""
        for definition in self.definitions.get(name, ()):
            for item in definition.body if isinstance(definition, ast.ClassDef) else ():
                if isinstance(item, ast.FunctionDef) and item.name == "__init__":
                    return item
        return None

    def default(self, scope: Function, name: str) -> ast.expr | None:
        """The default of a function's argument; None where it has none."""
        positional = [*scope.args.posonlyargs, *scope.args.args]
        defaults = dict(zip([one.arg for one in reversed(positional)], reversed(scope.args.defaults), strict=False))
        by_keyword = dict(zip([one.arg for one in scope.args.kwonlyargs], scope.args.kw_defaults, strict=True))
        return defaults.get(name) or by_keyword.get(name)

    def sites(self, definition: Definition) -> list[ast.Call]:
        """The calls of a function, method or class of the script, by its name."""
        return self.view.calls_of(definition.name)

    @cached_property
    def definitions(self) -> dict[str, list[Definition]]:
        """Functions, methods and classes by name."""
        found: dict[str, list[Definition]] = {}
        for node in self.view.nodes:
            if isinstance(node, Definition):
                found.setdefault(node.name, []).append(node)
        return found

    def times(self, node: ast.AST) -> int:
        """How often the expression is evaluated when the script builds its model once; MANY for a loop."""
        inner = node
        for above in self.view.around(node):
            if isinstance(above, ast.While | ast.AsyncFor) or (isinstance(above, ast.For) and inner is not above.iter):
                return MANY
            if isinstance(above, ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp):
                return MANY
            if isinstance(above, Definition):
                return self._runs(above)
            inner = above
        return 1

    def _runs(self, definition: Definition) -> int:
        """How often a function is called, or a class instantiated; a definition that nobody reaches counts 0."""
        if definition not in self._times:
            self._times[definition] = MANY  # what calls itself runs many times
            self._times[definition] = self._count(definition)
        return self._times[definition]

    def _count(self, definition: Definition) -> int:
        home = self.view.parents[definition]
        if isinstance(home, ast.ClassDef) and definition.name in _WITH_THE_CLASS:
            return self._runs(home)
        if definition.name == "build_model" or "build_model" not in self.definitions:
            return 1 if not isinstance(definition, ast.ClassDef) else max(1, self._reached(definition))
        if isinstance(home, ast.Module) and not self.sites(definition) and definition.name not in self._mentioned:
            return int(definition.name == "main")
        return self._reached(definition)

    def _reached(self, definition: Definition) -> int:
        if definition.name in self._mentioned:
            return MANY
        return min(MANY, sum(self.times(call) for call in self.sites(definition)))

    @cached_property
    def _mentioned(self) -> frozenset[str]:
        """Definitions that are handed on without being called, or inherited from: who calls them is not known."""
        called = {call.func for _, call in self.view.calls}
        annotations: set[ast.AST] = set()
        for node in self.view.nodes:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.returns:
                annotations.update(self.view.inside(node.returns))
            if isinstance(node, ast.arg | ast.AnnAssign) and node.annotation:
                annotations.update(self.view.inside(node.annotation))
        return frozenset(
            name
            for node in self.view.nodes
            if isinstance(node, ast.Name | ast.Attribute)
            if (name := node.id if isinstance(node, ast.Name) else node.attr) in self.definitions
            if node not in called and node not in annotations
        )

    def _class_around(self, node: ast.AST) -> ast.ClassDef | None:
        return next((above for above in self.view.around(node) if isinstance(above, ast.ClassDef)), None)

    @cached_property
    def _attributes(self) -> dict[tuple[ast.ClassDef | None, str], list[Source]]:
        found: dict[tuple[ast.ClassDef | None, str], list[Source]] = {}
        for node in self.view.nodes:
            if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign):
                for target, source in _pairs(node):
                    if isinstance(target, ast.Attribute):
                        found.setdefault((self._class_around(node), target.attr), []).append(source)
        return found

    def _bound_in(self, scope: Function | ast.Module) -> dict[str, list[Source]]:
        if scope not in self._bound:
            nodes = scope.body if isinstance(scope, ast.Module) else self.view.inside(scope)
            found = self._bound.setdefault(scope, {})
            for target, source in _bindings(nodes):
                found.setdefault(target, []).append(source)
        return self._bound[scope]

    @cached_property
    def _bound(self) -> dict[ast.AST, dict[str, list[Source]]]:
        return {}


def _bindings(nodes: Iterable[ast.AST]) -> Iterator[tuple[str, Source]]:
    """Variables and what these statements bind them to."""
    for node in nodes:
        if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign | ast.NamedExpr):
            for target, source in _pairs(node):
                if isinstance(target, ast.Name):
                    yield target.id, source
        elif isinstance(node, ast.For | ast.AsyncFor):
            for name in {inner.id for inner in ast.walk(node.target) if isinstance(inner, ast.Name)}:
                yield from ((name, source) for source in _of_loop(node, name))


def _pairs(node: ast.Assign | ast.AnnAssign | ast.AugAssign | ast.NamedExpr) -> Iterator[tuple[ast.expr, Source]]:
    """Each target of an assignment with its source; `a, b = x, y` taken apart."""
    for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
        if isinstance(node, ast.AugAssign):
            yield target, Source(None)
        elif node.value is None or not isinstance(target, ast.Tuple | ast.List):
            yield target, Source(node.value)
        elif isinstance(node.value, ast.Tuple | ast.List) and len(node.value.elts) == len(target.elts):
            yield from ((one, Source(value)) for one, value in zip(target.elts, node.value.elts, strict=True))
        else:
            yield from ((one, Source(node.value, element=True)) for one in target.elts)


def _of_loop(loop: Loop, name: str) -> list[Source]:
    """What a loop's variable runs through; empty when the loop does not bind it."""
    if isinstance(loop.target, ast.Name):
        return [Source(loop.iter, element=True)] if loop.target.id == name else []
    places = loop.target.elts if isinstance(loop.target, ast.Tuple | ast.List) else []
    index = next((place for place, one in enumerate(places) if isinstance(one, ast.Name) and one.id == name), None)
    if index is not None:
        return _of_column(loop.iter, index)
    bound = any(isinstance(inner, ast.Name) and inner.id == name for inner in ast.walk(loop.target))
    return [Source(None)] if bound else []


def _of_column(rows: ast.expr, index: int) -> list[Source]:
    """What the variable at this place of `for a, b in rows` runs through."""
    match rows:
        case ast.Call(func=ast.Name(id="zip"), args=columns) if index < len(columns):
            return [Source(columns[index], element=True)]
        case ast.Call(func=ast.Name(id="enumerate"), args=[inner, *_]) if index == 1:
            return [Source(inner, element=True)]
        case ast.Call(func=ast.Name(id="pairwise") | ast.Attribute(attr="pairwise"), args=[inner]):
            return [Source(inner, element=True)]
        case ast.Tuple(elts=items) | ast.List(elts=items):
            return [_at(row, index) for row in items]
    return [Source(None)]


def _at(row: ast.expr, index: int) -> Source:
    """One item of a row that is written out."""
    items = row.elts if isinstance(row, ast.Tuple | ast.List) else []
    return Source(items[index]) if index < len(items) else Source(None)


def _argument(call: ast.Call, position: int | None, name: str) -> ast.expr | None:
    """What a call passes for a parameter."""
    by_name = next((keyword.value for keyword in call.keywords if keyword.arg == name), None)
    plain = not any(isinstance(argument, ast.Starred) for argument in call.args)
    by_place = call.args[position] if position is not None and position < len(call.args) and plain else None
    return by_name or by_place
