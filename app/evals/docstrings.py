"""What the installed packages say of themselves: millions of words of the field, on every computer that runs this."""

import ast
import site
from collections.abc import Iterator
from pathlib import Path

_SHORTEST = 80
_LONGEST = 6000
"""Characters of a text."""


def docstrings(*folders: Path) -> list[str]:
    """The docstrings of all modules, classes and functions below, each once, in the order of their files.

    `folders`: those of the installed packages, where none is named.
    """
    below = folders or map(Path, site.getsitepackages())
    paths = sorted(path for folder in below for path in folder.rglob("*.py"))
    return list(dict.fromkeys(text for path in paths for text in _of(path)))


def _of(path: Path) -> Iterator[str]:
    """A file that is no Python of today has none."""
    try:
        tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError, RecursionError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            text = " ".join((ast.get_docstring(node) or "").split())
            if len(text) >= _SHORTEST:
                yield text[:_LONGEST]
