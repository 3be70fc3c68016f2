"""Parsing for stages that run side by side.

CPython up to 3.12 counts the depth of a syntax tree under construction for all threads together: two threads that
build trees at the same time can end in `SystemError: AST constructor recursion depth mismatch` (python/cpython
issue 106905; seen with 3.11.7). One lock for all of ours keeps them apart.
"""

import ast
from threading import Lock

_lock = Lock()


def parse(code: str) -> ast.Module:
    """The tree of a script. Raises what `ast.parse` raises: SyntaxError, ValueError, RecursionError."""
    with _lock:
        return ast.parse(code)


def parse_expression(code: str) -> ast.expr:
    """The tree of one expression. Raises what `ast.parse` raises."""
    with _lock:
        return ast.parse(code, mode="eval").body


def config_defaults(tree: ast.Module) -> dict[str, ast.expr]:
    """The fields of a script's Config and the nodes of their defaults; empty when there is no Config."""
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and node.name == "Config":
            return {
                item.target.id: item.value
                for item in node.body
                if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name) and item.value
            }
    return {}
