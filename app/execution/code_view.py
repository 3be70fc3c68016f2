"""A script seen through its syntax tree: Config defaults, calls with resolved arguments, names, strings."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from dlcodegen.syntax_tree import config_defaults, parse

Value = str | int | float | bool | None


@dataclass(frozen=True)
class Found:
    """A value and the line (from 1) it stands on."""

    value: Value
    line: int


class CodeView:
    """What a script says, by line. Raises SyntaxError when the code does not parse."""

    def __init__(self, code: str) -> None:
        self.tree = parse(code)
        self._lines = code.splitlines()

    def text(self, line: int) -> str:
        return self._lines[line - 1].strip()

    @cached_property
    def config(self) -> dict[str, Found]:
        """Config field -> its default."""
        return {name: Found(self.literal(node), node.lineno) for name, node in config_defaults(self.tree).items()}

    @cached_property
    def calls(self) -> list[tuple[str, ast.Call]]:
        """Every call with the last part of what is called: `nn.Linear(...)` -> `Linear`."""
        return [
            (name.split(".")[-1], node)
            for node in ast.walk(self.tree)
            if isinstance(node, ast.Call) and (name := dotted(node.func))
        ]

    @cached_property
    def names(self) -> dict[str, int]:
        """Every class, function, attribute, variable and import -> the first line it stands on."""
        found: dict[str, int] = {}
        for node in ast.walk(self.tree):
            name = {
                ast.ClassDef: "name", ast.FunctionDef: "name", ast.Attribute: "attr", ast.Name: "id", ast.arg: "arg",
            }.get(type(node))  # fmt: skip
            if name:
                found.setdefault(getattr(node, name), getattr(node, "lineno", 1))
            elif isinstance(node, ast.Import):
                for alias in node.names:
                    found.setdefault(alias.name, node.lineno)
        return found

    @cached_property
    def strings(self) -> dict[str, int]:
        """Every string constant -> the first line it stands on."""
        found: dict[str, int] = {}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.setdefault(node.value, node.lineno)
        return found

    def first_name(self, *wanted: str) -> int | None:
        """The line of the first of these names that occurs; case and underscores do not count."""
        plain = {_plain(name): line for name, line in reversed(self.names.items())}
        return next((plain[_plain(name)] for name in wanted if _plain(name) in plain), None)

    def keyword(self, *names: str) -> Iterator[Found]:
        """The values of these keyword arguments, wherever they are passed."""
        for _, call in self.calls:
            for item in call.keywords:
                if item.arg in names:
                    yield Found(self.literal(item.value), item.value.lineno)

    def keyword_texts(self, name: str) -> Iterator[tuple[str, int]]:
        """A keyword argument as it is written, wherever it is passed, and its line."""
        for _, call in self.calls:
            for item in call.keywords:
                if item.arg == name:
                    yield ast.unparse(item.value), item.value.lineno

    def lines_of(self, function: str) -> range:
        """The lines of a top-level function; empty when there is none."""
        for node in self.tree.body:
            if isinstance(node, ast.FunctionDef) and node.name == function:
                return range(node.lineno, (node.end_lineno or node.lineno) + 1)
        return range(0)

    def arguments(self, *callees: str) -> Iterator[Found]:
        """The values of all arguments passed to these callees."""
        for name, call in self.calls:
            if name in callees:
                for item in (*call.args, *(keyword.value for keyword in call.keywords)):
                    yield Found(self.literal(item), call.lineno)

    def literal(self, node: ast.expr) -> Value:
        """The value of a literal, of `-1`, and of `config.x` or `self.x` through Config's default; else None."""
        if isinstance(node, ast.Constant) and isinstance(node.value, str | int | float | bool):
            return node.value
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            value = self.literal(node.operand)
            return -value if isinstance(value, int | float) else None
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in ("config", "self"):
            found = self.config.get(node.attr)
            return found.value if found else None
        if isinstance(node, ast.Name):
            return node.id
        return None


def dotted(node: ast.expr) -> str:
    """`torch.optim.Adam` as written; empty for anything that is no dotted name."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else ""


def _plain(name: str) -> str:
    return name.replace("_", "").lower()
