"""Imports that one piece of code brings along and another lacks."""

import ast

from dlcodegen.syntax_tree import parse


def lacking(tree: ast.Module, other: ast.Module) -> list[str]:
    """The imports of `other` that do not stand in `tree`, a line each; `__future__` is each script's own affair."""
    known = {ast.unparse(node) for node in tree.body}
    brought = [ast.unparse(node) for node in other.body if isinstance(node, ast.Import | ast.ImportFrom)]
    return [line for line in dict.fromkeys(brought) if line not in known and "__future__" not in line]


def with_imports(imports: str, other: ast.Module) -> str:
    """A script's segment of imports, with those of `other` that it lacks at its end; `tidy` drops what is not used."""
    return imports.rstrip("\n") + "\n" + "".join(f"{line}\n" for line in lacking(parse(imports), other))
