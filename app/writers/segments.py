"""A script cut at the named parts of the project contract, and put together again."""

import ast
import itertools

from dlcodegen.errors import DLCodeGenError
from dlcodegen.syntax_tree import parse

# Segment -> the definition that ends it. What stands between two of these belongs to the later one.
_ENDS = {
    "config": "Config",
    "data": "load_data",
    "model": "build_model",
    "train": "train",
    "evaluate": "evaluate",
    "predict": "predict",
}
SEGMENTS = ("imports", *_ENDS, "main")


class SegmentError(DLCodeGenError):
    """The script does not have the parts of the contract in their order."""


def split(code: str) -> dict[str, str]:
    """The script's segments by name, in the order of `SEGMENTS`; joined they are the script again.

    Raises SegmentError when a part is missing or out of order, SyntaxError when the code does not parse.
    """
    tree = parse(code)
    lines = code.splitlines(keepends=True)
    ends = {node.name: node.end_lineno or 0 for node in tree.body if isinstance(node, ast.ClassDef | ast.FunctionDef)}
    missing = [name for name in _ENDS.values() if name not in ends]
    if missing:
        raise SegmentError(f"the script has no {', '.join(missing)}")
    borders = [_end_of_imports(tree), *(ends[name] for name in _ENDS.values()), len(lines)]
    if borders != sorted(borders):
        raise SegmentError("the parts of the script are not in the contract's order")
    return {name: "".join(lines[start:end]) for name, start, end in zip(SEGMENTS, [0, *borders], borders, strict=False)}


def join(segments: dict[str, str]) -> str:
    """The script of these segments."""
    return "".join(segments[name] for name in SEGMENTS)


def segment_at(code: str, line: int) -> str:
    """The name of the segment that line (from 1) belongs to. Raises as `split` does."""
    last = 0
    for name, text in split(code).items():
        last += text.count("\n")
        if line <= last:
            return name
    return "main"


def _end_of_imports(tree: ast.Module) -> int:
    """The last line of docstring and imports; what must be set before an import (Keras's backend) stands among them."""
    head = itertools.takewhile(lambda node: not isinstance(node, ast.ClassDef | ast.FunctionDef), tree.body)
    ends = [node.end_lineno or 0 for node in head if isinstance(node, ast.Import | ast.ImportFrom)]
    return max(ends, default=0) or _end_of_docstring(tree)


def _end_of_docstring(tree: ast.Module) -> int:
    first = tree.body[0] if tree.body else None
    return (first.end_lineno or 0) if isinstance(first, ast.Expr) else 0
