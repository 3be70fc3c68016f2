"""Edits of a script at places found by its syntax tree; comments and layout around them stay."""

import ast
from dataclasses import dataclass
from typing import TypeGuard

from dlcodegen.execution.code_view import dotted
from dlcodegen.syntax_tree import parse

_OPTIMIZER_MODULES = ("torch.optim.", "keras.optimizers.")
_SCHEDULE_MODULES = ("torch.optim.lr_scheduler", "keras.optimizers.schedules")


@dataclass(frozen=True)
class Edit:
    """New text for the span of a node."""

    node: ast.expr | ast.stmt
    text: str


def apply(code: str, edits: list[Edit]) -> str:
    """The code with all edits made; the nodes must come from this very code and must not overlap."""
    starts = [0]
    for line in code.encode().splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    source = code.encode()
    for edit in sorted(edits, key=lambda item: (item.node.lineno, item.node.col_offset), reverse=True):
        begin = starts[edit.node.lineno - 1] + edit.node.col_offset
        end = starts[(edit.node.end_lineno or 1) - 1] + (edit.node.end_col_offset or 0)
        source = source[:begin] + edit.text.encode() + source[end:]
    return source.decode()


def function(tree: ast.Module, name: str) -> ast.FunctionDef | None:
    """The top-level function of that name."""
    return next((node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == name), None)


def optimizer_calls(tree: ast.Module) -> list[ast.Call]:
    """Every `torch.optim.X(...)` or `keras.optimizers.X(...)` that builds an optimizer."""
    return [node for node in ast.walk(tree) if _is_optimizer(node)]


def _is_optimizer(node: ast.AST) -> TypeGuard[ast.Call]:
    return (
        isinstance(node, ast.Call)
        and dotted(node.func).startswith(_OPTIMIZER_MODULES)
        and not dotted(node.func).startswith(_SCHEDULE_MODULES)
    )


def returned(tree: ast.Module, name: str) -> ast.expr | None:
    """What the function of that name returns, when its body is one `return` behind a docstring."""
    found = function(tree, name)
    if found is None:
        return None
    body = [node for node in found.body if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))]
    return body[0].value if len(body) == 1 and isinstance(body[0], ast.Return) else None


def insert_before(code: str, node: ast.stmt, text: str) -> str:
    """The code with `text` as lines of their own above a top-level definition, its decorators included."""
    decorators = getattr(node, "decorator_list", [])
    line = min([node.lineno, *(item.lineno for item in decorators)])
    lines = code.splitlines(keepends=True)
    return "".join([*lines[: line - 1], text.rstrip() + "\n\n\n", *lines[line - 1 :]])


def add_imports(code: str, imports: tuple[str, ...]) -> str:
    """The code with these import lines behind its last import; `tidy` puts them in order."""
    missing = [line for line in imports if line not in code.splitlines()]
    tree = parse(code)
    last = max((node.end_lineno or 0 for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)), default=0)
    lines = code.splitlines(keepends=True)
    return "".join([*lines[:last], *(f"{line}\n" for line in missing), *lines[last:]])
