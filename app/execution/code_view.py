"""A script seen through its syntax tree: Config defaults, calls, names, words and strings, each with its line."""

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from dlcodegen.execution.conformance.names import children, keys_of, names_of, terms_in
from dlcodegen.syntax_tree import config_defaults, parse

Value = str | int | float | bool | None

SETTINGS = ("config", "cfg", "args", "self")
"""Names of what holds the settings: `config.batch_size`."""


@dataclass(frozen=True)
class Found:
    """A value and the line (from 1) it stands on."""

    value: Value
    line: int


class CodeView:
    """What a script says, by line. Raises SyntaxError when the code does not parse."""

    def __init__(self, code: str) -> None:
        self.tree = parse(code)
        self.code = code
        self._lines = re.split(r"\r\n|\r|\n", code)  # where Python ends a line, and nowhere else
        self.nodes: list[ast.AST] = []
        """Every node, each before what it holds; operators and contexts are left out."""
        self.parents: dict[ast.AST, ast.AST] = {}
        self._ends: dict[ast.AST, int] = {}
        self._places: dict[ast.AST, int] = {}
        self._take_in()

    def _take_in(self) -> None:
        waiting: list[ast.AST | None] = [self.tree]
        opened: list[ast.AST] = []
        while waiting:
            node = waiting.pop()
            if node is None:  # all that the last opened node holds has been seen
                self._ends[opened.pop()] = len(self.nodes)
                continue
            self._places[node] = len(self.nodes)
            self.nodes.append(node)
            opened.append(node)
            waiting.append(None)
            held = children(node)
            self.parents.update(dict.fromkeys(held, node))
            waiting += reversed(held)

    def inside(self, node: ast.AST) -> list[ast.AST]:
        """The node and everything that it holds."""
        return self.nodes[self._places[node] : self._ends[node]]

    def text(self, line: int) -> str:
        return self._lines[line - 1].strip() if 1 <= line <= len(self._lines) else ""

    @cached_property
    def framework(self) -> str:
        """`keras` when the script imports or uses it, else `pytorch`."""
        return "keras" if "keras" in self.names else "pytorch"

    @cached_property
    def config(self) -> dict[str, Found]:
        """Config field -> its default; without a Config, option of the command line -> its default."""
        fields = config_defaults(self.tree) or dict(self._options())
        return {name: Found(self.literal(node), node.lineno) for name, node in fields.items()}

    def _options(self) -> Iterator[tuple[str, ast.expr]]:
        """`add_argument("--batch-size", default=32)`."""
        for call in self.calls_of("add_argument"):
            flag = call.args[-1].value if call.args and isinstance(call.args[-1], ast.Constant) else None
            default = next((item.value for item in call.keywords if item.arg == "default"), None)
            if isinstance(flag, str) and flag.startswith("--") and default is not None:
                yield flag.removeprefix("--").replace("-", "_"), default

    @cached_property
    def settings_read(self) -> frozenset[str]:
        """Config fields whose value the script reads, outside what smoke mode makes of them."""
        named = ((getattr(node, "attr", getattr(node, "value", None)), node) for node in self.nodes)
        return frozenset(
            name
            for name, node in named
            if isinstance(node, ast.Attribute | ast.Constant) and isinstance(name, str) and name in self.config
            if not any(isinstance(above, ast.FunctionDef) and "smoke" in above.name for above in self.around(node))
        )

    @cached_property
    def calls(self) -> list[tuple[str, ast.Call]]:
        """Every call with the last part of what is called: `nn.Linear(...)` -> `Linear`; `x.mean()` -> `mean`."""
        return [(name, node) for node in self.nodes if isinstance(node, ast.Call) and (name := callee(node))]

    def calls_of(self, *names: str) -> list[ast.Call]:
        """The calls of these names, by line."""
        found = (call for name in dict.fromkeys(names) for call in self._calls_by_name.get(name, ()))
        return sorted(found, key=lambda call: (call.lineno, call.col_offset))

    @cached_property
    def _calls_by_name(self) -> dict[str, list[ast.Call]]:
        found: dict[str, list[ast.Call]] = {}
        for name, call in self.calls:
            found.setdefault(name, []).append(call)
        return found

    def around(self, node: ast.AST) -> Iterator[ast.AST]:
        """The nodes that `node` stands in, from the inside to the module."""
        while (above := self.parents.get(node)) is not None:
            yield above
            node = above

    @cached_property
    def names(self) -> dict[str, int]:
        """Every class, function, attribute, variable, argument and import -> the first line it stands on."""
        found: dict[str, int] = {}
        for node in self.nodes:
            line = getattr(node, "lineno", 1)
            for name in names_of(node):
                found[name] = min(line, found.get(name, line))
        return found

    @cached_property
    def strings(self) -> dict[str, int]:
        """Every string constant -> the first line it stands on."""
        found: dict[str, int] = {}
        for node in self.nodes:
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found[node.value] = min(node.lineno, found.get(node.value, node.lineno))
        return found

    @cached_property
    def terms(self) -> dict[str, int]:
        """The words of names, keys and file names, alone and joined with the next ones, -> their first line.

        `BCEDiceLoss` gives `bce`, `dice`, `loss`, `bce_dice`, `dice_loss` and `bce_dice_loss`. Prose is left out:
        what a script says of itself is no evidence of what it does.
        """
        return self.terms_of(self.nodes)

    def terms_of(self, nodes: Iterable[ast.AST]) -> dict[str, int]:
        """The terms of these nodes alone."""
        lines: dict[str, int] = {}
        for node in nodes:
            for name in keys_of(node) or names_of(node):
                line = getattr(node, "lineno", 1)
                lines[name] = min(line, lines.get(name, line))
        found: dict[str, int] = {}
        for name, line in lines.items():
            for term in terms_in(name):
                found[term] = min(line, found.get(term, line))
        return found

    def first_term(self, *wanted: str) -> int | None:
        """The line of the first of these terms that occurs, alone or with a plural s."""
        lines = (self.terms.get(term, self.terms.get(f"{term}s")) for term in wanted)
        return next((line for line in lines if line is not None), None)

    def first_name(self, *wanted: str) -> int | None:
        """The line of the first of these names that occurs; case and underscores do not count."""
        return next((line for name in wanted if (line := self.plain_names.get(_plain(name))) is not None), None)

    @cached_property
    def plain_names(self) -> dict[str, int]:
        """The names without case and underscores."""
        found: dict[str, int] = {}
        for name, line in self.names.items():
            found[_plain(name)] = min(line, found.get(_plain(name), line))
        return found

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
                    yield ast.get_source_segment(self.code, item.value) or "", item.value.lineno

    def function(self, name: str) -> ast.FunctionDef | None:
        """The top-level function of that name."""
        return next((node for node in self.tree.body if isinstance(node, ast.FunctionDef) and node.name == name), None)

    def lines_of(self, name: str) -> range:
        """The lines of a top-level function; empty when there is none."""
        node = self.function(name)
        return range(node.lineno, (node.end_lineno or node.lineno) + 1) if node else range(0)

    def arguments(self, *callees: str) -> Iterator[Found]:
        """The values of all arguments passed to these callees."""
        for call in self.calls_of(*callees):
            for item in (*call.args, *(keyword.value for keyword in call.keywords)):
                yield Found(self.literal(item), call.lineno)

    def literal(self, node: ast.expr) -> Value:
        """The value of a literal, of `-1`, and of `config.x` or `self.x` through Config's default; else None."""
        if isinstance(node, ast.Constant) and isinstance(node.value, str | int | float | bool):
            return node.value
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            value = self.literal(node.operand)
            return -value if isinstance(value, int | float) else None
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in SETTINGS:
            found = self.config.get(node.attr)
            return found.value if found else None
        if isinstance(node, ast.Name):
            return node.id
        return None


def callee(call: ast.Call) -> str:
    """The last part of what is called, `relu` in `convolution(x).relu()`; empty for `f()()`."""
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def dotted(node: ast.expr) -> str:
    """`torch.optim.Adam` as written; empty for anything that is no dotted name."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else ""


def _plain(name: str) -> str:
    return name.replace("_", "").lower()
