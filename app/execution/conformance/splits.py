"""How the code splits its data: shares such as 70/15/15, found among the numbers of what does the splitting."""

import ast
from collections.abc import Iterator
from itertools import pairwise

from dlcodegen.execution.code_view import CodeView, callee
from dlcodegen.execution.conformance.names import words_of

_SPLITTERS = ("random_split", "train_test_split", "split_dataset", "Subset")
_OF_SHARES = {"split", "fraction", "ratio", "share", "val", "test", "holdout", "train"}


def split_line(view: CodeView, wanted: list[int]) -> tuple[int | None, bool]:
    """The line of a number that fits the wanted shares, in percent, and True; of another share, and False.

    (None, False) where the code shows no share at all.
    """
    fitting = _fitting(wanted)
    found = sorted(_shares(view), key=lambda item: item[1])
    for share, line in found:
        if any(abs(share - fit) < 0.006 for fit in fitting):
            return line, True
    if found:
        return found[0][1], False
    written = _documented(view, wanted)
    return written, written is not None


def _documented(view: CodeView, wanted: list[int]) -> int | None:
    """The line where a function that splits says so in percent: its numbers may be too clever to be read."""
    for node in view.nodes:
        if isinstance(node, ast.FunctionDef) and _splits(view, node):
            text = ast.get_docstring(node, clean=False) or ""
            if all(f"{part}%" in text or f"{part} %" in text for part in wanted):
                return node.body[0].lineno
    return None


def _fitting(wanted: list[int]) -> list[float]:
    """The shares, what they add up to, and the share of one in the rest: a second cut splits what is left."""
    total = sum(wanted)
    parts = [part / total for part in wanted]
    sums = [a + b for a, b in pairwise(parts)]
    rests = [part / (1 - first) for first in (parts[0], parts[-1]) for part in parts if part != first and first < 1]
    return [share for share in (*parts, *sums, *rests, 0.5 if len(set(parts[1:])) == 1 else 0) if 0 < share < 1]


def _shares(view: CodeView) -> Iterator[tuple[float, int]]:
    """Shares between 0 and 1, with their lines: settings, arguments, and numbers where the data is split."""
    for name, found in view.config.items():
        if set(words_of(name)) & _OF_SHARES and isinstance(found.value, float) and 0 < found.value < 1:
            yield found.value, found.line
    for _, call in view.calls:
        for item in call.keywords:
            if item.arg in ("test_size", "train_size", "validation_split", "left_size", "right_size"):
                yield from _numbers(view, item.value)
    for node in view.nodes:
        if isinstance(node, ast.FunctionDef) and _splits(view, node):
            yield from _numbers(view, node)
            yield from _of_whole(view, node)


def _splits(view: CodeView, function: ast.FunctionDef) -> bool:
    """Whether a function splits data, by its name or by what it calls."""
    if function.name == "load_data" or "split" in words_of(function.name):
        return True
    return any(isinstance(node, ast.Call) and callee(node) in _SPLITTERS for node in view.inside(function))


def _numbers(view: CodeView, node: ast.AST) -> Iterator[tuple[float, int]]:
    for inner in view.inside(node):
        if isinstance(inner, ast.Constant) and isinstance(inner.value, float) and 0 < inner.value < 1:
            yield inner.value, inner.lineno


def _of_whole(view: CodeView, function: ast.FunctionDef) -> Iterator[tuple[float, int]]:
    """Shares in whole numbers: `n * 70 // 100`, or `turn < 14` of what is dealt out by `% 20`."""
    wholes, parts = {100}, []
    for node in view.inside(function):
        match node:
            case ast.BinOp(op=ast.Mod(), right=ast.Constant(value=int(whole))) if whole > 1:
                wholes.add(whole)
            case (
                ast.Compare(comparators=[ast.Constant(value=int(part))])
                | ast.BinOp(op=ast.Mult(), right=ast.Constant(value=int(part)))
            ):
                parts.append((part, node.lineno))
    dealt = wholes - {100} or wholes
    yield from ((part / whole, line) for part, line in parts for whole in dealt if 1 < part < whole)
