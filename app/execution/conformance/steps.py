"""The steps of a plan's preprocessing text, and of which known kinds each is."""

import re
from collections.abc import Iterator

from dlcodegen.execution.conformance.preprocess_steps import (
    DIVIDED,
    GENERIC,
    SIGNED_RANGE,
    SPLIT,
    STEPS,
    UNIT_RANGE,
    Step,
)


def steps_of(text: str) -> list[str]:
    """The steps of a plan's text: cut at commas outside brackets, and at an `and` that a known step follows."""
    steps: list[str] = []
    for piece in _pieces(text):
        if steps and not content(piece) and not _is_known(piece):
            steps[-1] += f", {piece}"  # "at most 256" belongs to what it limits
        else:
            steps.append(piece)
    return steps


def _pieces(text: str) -> Iterator[str]:
    depth, start = 0, 0
    for index, sign in enumerate(text):
        depth += (sign in "([") - (sign in ")]")
        if depth == 0 and (sign in ";\n" or text.startswith((", ", ",\n"), index)):
            yield from _at_and(text[start:index])
            start = index + 1
    yield from _at_and(text[start:])


def _at_and(text: str) -> Iterator[str]:
    """`resize images and scale pixels to [0, 1]` is two steps, `resize images and masks` is one."""
    start = 0
    for match in re.finditer(r",? (?:and then|and|then) ", text):
        left, right = text[start : match.start()].strip(), text[match.end() :]
        if len(left.split()) > 1 and _begins_known(right):
            yield left
            start = match.end()
    last = text[start:].strip().strip(".")
    if last:
        yield re.sub(r"^(?:and then|and|then) ", "", last)


def kinds(text: str) -> list[Step]:
    """The known kinds of step that the text speaks of."""
    return [step for step in STEPS if step.pattern.search(text)]


def _is_known(text: str) -> bool:
    return bool(kinds(text)) or any(pattern.search(text) for pattern in (UNIT_RANGE, SIGNED_RANGE, SPLIT, DIVIDED))


def _begins_known(text: str) -> bool:
    """Whether the text begins with a step: `scale pixels to [0, 1]`, `split 70/15/15`."""
    begins = any(step.pattern.match(text) for step in STEPS) or re.match(r"(?:re)?scale|split|divide", text)
    return bool(begins)


def content(text: str) -> list[str]:
    """The words that say what is done."""
    return [word for word in re.findall(r"[a-z]{3,}", text.lower()) if word not in GENERIC]
