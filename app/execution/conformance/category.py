"""The plan's task category: what the names of the code show, sharpened by the shapes that the running model gives."""

from math import prod

from dlcodegen import categories
from dlcodegen.execution.code_view import CodeView
from dlcodegen.execution.conformance.category_terms import BROAD, CATEGORY_TERMS
from dlcodegen.execution.conformance.shapes import batched
from dlcodegen.execution.conformance.verdicts import honoured, judged
from dlcodegen.report import Conformance, Seen

_MAPS = ("image-segmentation", "depth-estimation", "image-to-image")
"""Tasks whose model gives something for every pixel."""
_LABELS = ("image-classification", "image-regression", "text-classification", "tabular-classification")
"""Tasks whose model gives a number or a few for each example."""


def judge_category(view: CodeView, category: str, seen: Seen) -> list[Conformance]:
    """One row; none for `other`, which nothing shows.

    Honoured when the code shows the task and no task of its own besides; contradicted when it shows another task, and
    of this one nothing at all.
    """
    if category not in CATEGORY_TERMS:
        return []
    title = categories.title(category)
    impossible = _contradicting_shape(category, seen)
    if impossible:
        return [judged("category", title, "contradicted", impossible)]
    shown = {name: line for name in CATEGORY_TERMS if (line := _shown(view, name)) is not None}
    rivals = {name: line for name, line in shown.items() if name != category and _tells_apart(category, name)}
    line = shown.get(category)
    if line is not None and not rivals:
        return [honoured(view, "category", title, line)]
    if line is not None:
        other = categories.title(min(rivals, key=lambda name: rivals[name]))
        return [judged("category", title, "not found", f"the code shows {other} rather than this task")]
    others = sorted((name for name in shown if name != category), key=lambda name: name in BROAD)
    if others and _lacks(view, category):
        line = view.first_term(*CATEGORY_TERMS[others[0]][0].strong) or 1
        return [judged("category", title, "contradicted", view.text(line), line)]
    return [judged("category", title, "not found", "no names in the code that show this task")]


def _shown(view: CodeView, category: str) -> int | None:
    """The line that shows the task best; None where one of its traits is not shown."""
    lines = [view.first_term(*group.strong) for group in CATEGORY_TERMS[category]]
    found = [line for line in lines if line is not None]
    return found[-1] if len(found) == len(lines) else None


def _lacks(view: CodeView, category: str) -> bool:
    """Whether nothing in the code speaks of one of the task's traits."""
    return any(view.first_term(*group.strong, *group.weak) is None for group in CATEGORY_TERMS[category])


def _tells_apart(category: str, other: str) -> bool:
    """Whether a script that shows the other task is none of this one: it looks like it, and does more."""
    return category in BROAD and (other not in BROAD or other in BROAD[category])


def _contradicting_shape(category: str, seen: Seen) -> str:
    """What the running model gives, where the task cannot give that; else empty."""
    inputs, outputs = seen.get("inputs", []), seen.get("outputs", [])
    if not outputs or not inputs or len(inputs[0]) != 4:
        return ""
    pixels = prod(sorted(inputs[0][1:])[-2:])
    sizes = [prod(shape[1:]) for shape in outputs]
    gives = f"the running model gives {batched(tuple(outputs[0][1:]))}"
    if category in _MAPS and max(map(len, outputs)) <= 2 and max(sizes) < pixels // 4:
        return f"{gives}: nothing for each pixel"
    if category in _LABELS and min(map(len, outputs)) == 4 and min(sizes) >= pixels:
        return f"{gives}: something for each pixel"
    return ""
