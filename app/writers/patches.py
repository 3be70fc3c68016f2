"""A repair that names only what changes: the mended definitions, put into the script."""

import ast

from dlcodegen.writers.answers import DEFINITIONS, code_of, defines_main, tree_of
from dlcodegen.writers.imports import lacking

_Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def patched(script: str, answer: str) -> str:
    """The script that an answer to a repair means: the answer's code, or `script` with the answer's definitions in it.

    Small models often answer with the mended function alone. It takes the place of the function or class of the same
    name, provided that every definition in the answer has such a place; new imports come along.
    """
    code = code_of(answer)
    old, new = tree_of(script), tree_of(code)
    if old is None or new is None or defines_main(new) or not defines_main(old):
        return code
    mended, places = _definitions(new), _definitions(old)
    if not mended or not mended.keys() <= places.keys():
        return code
    lines = script.rstrip("\n").split("\n")
    for name in sorted(mended, key=lambda name: places[name].lineno, reverse=True):
        lines[_extent(places[name])] = code.split("\n")[_extent(mended[name])]
    return "\n".join(_with_imports(lines, old, new)) + "\n"


def _definitions(tree: ast.Module) -> dict[str, _Definition]:
    return {node.name: node for node in tree.body if isinstance(node, DEFINITIONS)}


def _extent(node: _Definition) -> slice:
    """Its lines, decorators among them."""
    first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
    return slice(first - 1, node.end_lineno)


def _with_imports(lines: list[str], old: ast.Module, new: ast.Module) -> list[str]:
    """The lines with those imports of `new` that `old` lacks, before its own."""
    first = next((node.lineno for node in old.body if isinstance(node, ast.Import)), 1)
    return [*lines[: first - 1], *lacking(old, new), *lines[first - 1 :]]
