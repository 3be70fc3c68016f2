"""Follows how a script builds its model, statement by statement, with stand-ins for modules and tensors.

Nothing of the script is executed: expressions are looked at, numbers worked out (`arithmetic`), loops over known lists
unrolled. What cannot be followed is Unknown. Bounded in steps and depth: a script that builds for ever is left.
"""

import ast
from collections.abc import Iterator
from typing import Any

from dlcodegen.corpus.importing.arithmetic import call_builtin
from dlcodegen.corpus.importing.built_parts import (
    Chain,
    Class,
    Function,
    Layer,
    Library,
    Method,
    Own,
    Scope,
    Settings,
    Tensor,
    Unknown,
    modules_in,
)
from dlcodegen.corpus.importing.containers import CHANGING, call_of
from dlcodegen.corpus.importing.expressions import evaluate
from dlcodegen.corpus.importing.library_calls import call_library, call_method
from dlcodegen.corpus.importing.statements import Left, execute
from dlcodegen.execution.code_view import SETTINGS, CodeView

_MOST_STEPS = 60_000
_DEEPEST = 24
_MODULE_BASES = ("Module", "LightningModule", "Model", "Layer", "Sequential")
_FORWARD = ("forward", "call", "__call__")


class TracerLimitError(Exception):
    """The script does more than a tracer follows."""


class Tracer:
    """One script being followed. `used` are the layers that tensors went through, in their order."""

    def __init__(self, view: CodeView) -> None:
        self.view = view
        self.module = Scope()
        self.used: list[Any] = []
        self.created: list[Any] = []
        """Modules by the time they were made; models that a functional Keras script closes count, too."""
        self.settings: dict[str, Any] = {name: found.value for name, found in view.config.items()}
        self._steps = 0
        self._depth = 0
        self.changes = 0
        self.follow_main = False

    def run(self, main: bool) -> None:
        """Follow the top level; `main` says whether what stands under `if __name__ == "__main__"` counts."""
        self.follow_main = main
        execute(self, self.view.tree.body, self.module)

    def start_anew(self) -> None:
        """Forget how much was done: what was made so far is looked at with fresh strength."""
        self._steps, self._depth = 0, 0

    def step(self, amount: int = 1) -> None:
        """Count what is done. Raises TracerLimitError when it is too much."""
        self._steps += amount
        if self._steps > _MOST_STEPS:
            raise TracerLimitError

    def call(self, function: Any, arguments: list[Any], keywords: dict[str, Any], line: int = 0) -> Any:  # noqa: PLR0911
        """What calling a value gives."""
        match function:
            case Function():
                return self._call_function(function, arguments, keywords)
            case Class():
                return self._instantiate(function, arguments, keywords, line)
            case Own() | Layer() | Chain():
                return self._pass_through(function)
            case Library():
                return self._of_library(function, arguments, keywords, line)
            case Method():
                return self._call_method(function, arguments, keywords, line)
            case Unknown(text=name):
                result = call_builtin(name, _as_lists(arguments))
                return Tensor() if isinstance(result, Unknown) and Tensor() in arguments else result
        return Unknown()

    def use(self, module: Any) -> Any:
        """Pass a tensor through a module: its layers are noted in the order in which the tensor meets them."""
        self.step()
        match module:
            case Own():
                return self._forward(module)
            case Chain(children=children):
                for child in children:
                    self._pass_through(child)
            case Layer():
                self.used.append(module)
        return Tensor()

    # Modules

    def _pass_through(self, module: Any) -> Any:
        """A module of the script is noted as itself: whoever reads the trace decides whether to look into it."""
        if isinstance(module, Own):
            self.used.append(module)
            return Tensor()
        return self.use(module)

    def _forward(self, module: Own) -> Any:
        function = next((found for name in _FORWARD if (found := self.method(module, name))), None)
        if function is None:
            for part in modules_in(module.attributes):
                self.use(part)
            return Tensor()
        named = [argument.arg for argument in function.node.args.args[1:]]
        without = len(named) - len(function.node.args.defaults)
        return self._call_function(function, [Tensor()] * max(1, without), {})

    def method(self, module: Own, name: str) -> Function | None:
        """The method of a module, its base classes searched."""
        for definition in self.lineage(module.definition):
            for item in definition.body:
                if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef) and item.name == name:
                    return Function(item, self.module, module)
        return None

    def lineage(self, definition: ast.ClassDef) -> Iterator[ast.ClassDef]:
        """The class and those of the script that it is derived from."""
        seen: list[ast.ClassDef] = []
        waiting = [definition]
        while waiting and len(seen) < _DEEPEST:
            current = waiting.pop(0)
            if current in seen:
                continue
            seen.append(current)
            yield current
            bases = (self.module.find(base.id) for base in current.bases if isinstance(base, ast.Name))
            waiting += [base.node for base in bases if isinstance(base, Class)]

    def is_module_class(self, definition: ast.ClassDef) -> bool:
        """Whether instances of the class are modules: it, or a base of it, is derived from a framework's."""
        bases = (base for one in self.lineage(definition) for base in one.bases)
        names = (base.attr if isinstance(base, ast.Attribute) else getattr(base, "id", "") for base in bases)
        return any(name in _MODULE_BASES for name in names)

    def _instantiate(self, of: Class, arguments: list[Any], keywords: dict[str, Any], line: int) -> Any:
        module = Own(of.node, {}, line)
        maker = self.method(module, "__init__")
        is_module = self.is_module_class(of.node)
        if not is_module and maker is None:
            return self._record(of, arguments, keywords)
        if maker is not None:
            module.passed = self._bound(maker, [module, *arguments], keywords)
            module.passed.pop(next(iter(module.passed), ""), None)
            self._run_body(maker, {**module.passed, **_first(maker, module)})
        if not is_module:
            return module  # a trainer, a data set: what it makes counts, it itself is no model
        for name in ("build", "setup"):
            if extra := self.method(module, name):
                self._call_function(extra, [Tensor()] * (len(extra.node.args.args) - 1), {})
        return self._noted(module)

    def _record(self, of: Class, arguments: list[Any], keywords: dict[str, Any]) -> Any:
        """An instance of a class that only holds values: settings."""
        fields = self.constants(of.node)
        fields |= dict(zip(list(fields), arguments, strict=False)) | keywords
        return Settings(fields) if fields else Unknown()

    def constants(self, definition: ast.ClassDef) -> dict[str, Any]:
        """What a class's body assigns: the defaults of a Config, the constants of any other."""
        scope = Scope({}, self.module)
        for item in definition.body:
            if isinstance(item, ast.Assign | ast.AnnAssign):
                execute(self, [item], scope)
        return scope.names

    def _noted(self, value: Any) -> Any:
        """A module that was just made."""
        if isinstance(value, Layer | Chain | Own):
            self.created.append(value)
            self.changes += 1
        return value

    # Calls

    def _of_library(self, function: Library, arguments: list[Any], keywords: dict[str, Any], line: int) -> Any:
        """`Model(inputs, outputs)` closes over all that was used since the last one; an operation is used at once."""
        self.step(sum(len(argument) for argument in arguments if isinstance(argument, list | tuple | dict)))
        result = call_library(function, arguments, keywords, line)
        if isinstance(result, Library):
            result = Chain(self.used, line)
            self.used = []
        if isinstance(result, Layer) and any(isinstance(one, Tensor) for one in _spread(arguments)):
            self.used.append(result)
            return Tensor()
        return self._noted(result)

    def _call_function(self, function: Function, arguments: list[Any], keywords: dict[str, Any]) -> Any:
        if function.owner is not None and _is_static(function.node):
            function = Function(function.node, function.scope)
        given = [function.owner, *arguments] if function.owner is not None else arguments
        return self._run_body(function, self._bound(function, given, keywords))

    def _run_body(self, function: Function, names: dict[str, Any]) -> Any:
        if self._depth >= _DEEPEST:
            return Unknown()
        scope = Scope(names, function.scope)
        self._depth += 1
        try:
            if isinstance(function.node, ast.Lambda):
                return evaluate(self, function.node.body, scope)
            execute(self, function.node.body, scope)
        except Left as left:
            return left.value
        finally:
            self._depth -= 1
        return None

    def _bound(self, function: Function, given: list[Any], keywords: dict[str, Any]) -> dict[str, Any]:
        """Parameters -> what is passed for them, or their defaults."""
        parameters = function.node.args
        positional = [one.arg for one in (*parameters.posonlyargs, *parameters.args)]
        names: dict[str, Any] = {name: self._named_setting(name) for name in positional}
        defaults = zip(reversed(positional), reversed(parameters.defaults), strict=False)
        names |= {name: evaluate(self, default, function.scope) for name, default in defaults}
        for one, default in zip(parameters.kwonlyargs, parameters.kw_defaults, strict=True):
            names[one.arg] = evaluate(self, default, function.scope) if default else self._named_setting(one.arg)
        names |= dict(zip(positional, given, strict=False)) | {
            name: value for name, value in keywords.items() if name in names
        }
        if parameters.vararg:
            names[parameters.vararg.arg] = given[len(positional) :]
        if parameters.kwarg:
            names[parameters.kwarg.arg] = {name: value for name, value in keywords.items() if name not in names}
        return names

    def _named_setting(self, name: str) -> Any:
        """What a parameter is worth that nobody passes: settings by their usual names."""
        return Settings() if name in SETTINGS and name != "self" else Unknown(name)

    def _call_method(self, method: Method, arguments: list[Any], keywords: dict[str, Any], line: int) -> Any:
        if method.name in CHANGING:
            self.changes += 1
        if isinstance(method.holder, Tensor):
            made = call_method(method.name, arguments, keywords, line)
            self.used += [made] if made else []
            return Tensor()
        return call_of(method.holder, method.name, arguments)


def _spread(values: list[Any]) -> Iterator[Any]:
    for value in values:
        yield from value if isinstance(value, list | tuple) else [value]


def _as_lists(values: list[Any]) -> list[Any]:
    """Rows of modules as lists, so that `enumerate` and `zip` take them."""
    return [value.children if isinstance(value, Chain) else value for value in values]


def _first(function: Function, module: Own) -> dict[str, Any]:
    """`self`, by the name that the method gives it."""
    names = [one.arg for one in function.node.args.args[:1]]
    return dict.fromkeys(names, module)


def _is_static(node: ast.AST) -> bool:
    return any(getattr(one, "id", "") == "staticmethod" for one in getattr(node, "decorator_list", []))
