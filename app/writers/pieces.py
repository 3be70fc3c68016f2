"""One segment of a script exchanged for what a chat model wrote in its place."""

import ast
from collections.abc import Iterable, Sequence
from contextlib import suppress

from dlcodegen.corpus.techniques import FOLDER as _PARTS_FOLDER
from dlcodegen.errors import DLCodeGenError
from dlcodegen.syntax_tree import parse
from dlcodegen.writers.answers import DEFINITIONS, code_of, tree_of
from dlcodegen.writers.framework import framework_of
from dlcodegen.writers.imports import with_imports
from dlcodegen.writers.segments import SegmentError, join, split
from dlcodegen.writers.tidy import tidy

PARTS = {
    "data": "the reading of its data (`load_data` and what it uses)",
    "model": "the model and `build_model`",
    "train": "the training (`build_loss`, `build_optimizer`, `train`)",
    "evaluate": "the evaluation (`evaluate`)",
    "predict": "the prediction (`predict`)",
}
"""The segments that a model may rewrite, in words. The settings and the command line stay as they are."""


class UselessAnswerError(DLCodeGenError):
    """An answer with nothing in it that can stand in the script."""


def with_segment(script: str, name: str, answer: str) -> str:
    """The script with the answer's definitions in place of its segment `name`.

    Definitions of the segment that the answer leaves out stay. Imports are added to the script's; whatever else the
    answer holds (other segments, the example, a call of `main`) is dropped. Raises UselessAnswerError when nothing
    usable is left or nothing would change, and what `split` raises.
    """
    parts = split(script)
    tree = tree_of(code := code_of(answer))
    if tree is None:
        raise UselessAnswerError("the answer is no Python")
    foreign = {term for other, text in parts.items() if other != name for term in defined(text)}
    lines = code.split("\n")
    written = [node for node in tree.body if not isinstance(node, ast.Import | ast.ImportFrom)]
    kept = [node for node in written if _belongs(node, foreign)]
    if not any(isinstance(node, DEFINITIONS) for node in kept):
        raise UselessAnswerError(f"the answer defines nothing of {PARTS[name]}")
    given = {node.name for node in kept if isinstance(node, DEFINITIONS)}
    before, last = _left(parts[name], given)
    parts[name] = "\n\n\n" + "\n\n\n".join([*before, *(_text(lines, node) for node in kept), *last]) + "\n"
    parts["imports"] = with_imports(parts["imports"], tree)
    changed = tidy(join(parts))
    if changed == tidy(script):
        raise UselessAnswerError("the answer is the part as it was")
    return changed


def scripts_with(script: str, name: str, answers: Iterable[str]) -> set[str]:
    """The different scripts that the usable ones of these answers make."""
    scripts = set()
    for answer in answers:
        with suppress(UselessAnswerError, SegmentError, SyntaxError):
            scripts.add(with_segment(script, name, answer))
    return scripts


def with_parts(script: str, name: str, techniques: Sequence[str]) -> str:
    """The script with our ready part for each of these techniques in its segment `name`, not used yet.

    The part is of the script's own framework. A technique that is a line of code there, or that we have no part for,
    or a part that is there already, adds nothing. Raises SyntaxError when the script does not parse.
    """
    of_framework = {"pytorch": "", "keras": "keras_"}[framework_of(script).name]
    for technique in techniques:
        path = _PARTS_FOLDER / f"{of_framework}{technique}.py"
        if path.exists() and not set(defined(code := path.read_text(encoding="utf-8"))) & set(defined(script)):
            script = with_segment(script, name, f"```python\n{code}```")
    return script


def defined(code: str) -> list[str]:
    """The names of a segment's functions, classes and constants."""
    return [name for node in parse(code).body if (name := _name(node))]


def _left(segment: str, given: set[str]) -> tuple[list[str], list[str]]:
    """What the answer leaves out: what stands before its definitions, and the segment's last one, which stays last."""
    lines, own = segment.split("\n"), parse(segment).body
    left = [node for node in own if _name(node) not in given]
    last = [_text(lines, node) for node in left if node is own[-1]]
    return [_text(lines, node) for node in left if node is not own[-1]], last


def _belongs(node: ast.stmt, foreign: set[str]) -> bool:
    """A definition or constant that is no other segment's; calls and loops at the top of a script are none."""
    name = _name(node)
    return bool(name) and name not in foreign and name != "main"


def _name(node: ast.stmt) -> str:
    """Of a definition or of a constant; "" for other statements."""
    if isinstance(node, DEFINITIONS):
        return node.name
    if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
        return node.targets[0].id
    return node.target.id if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) else ""


def _text(lines: list[str], node: ast.stmt) -> str:
    """Its lines, decorators and the comments right above it among them."""
    first = min([node.lineno, *(mark.lineno for mark in getattr(node, "decorator_list", []))]) - 1
    while first and lines[first - 1].startswith("#"):
        first -= 1
    return "\n".join(lines[first : node.end_lineno])
