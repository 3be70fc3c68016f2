"""Reads what the observer recorded inside the sandbox: a stranger's data, of which only what fits the types is kept."""

import math
from typing import Any, cast

from typing_extensions import TypedDict

from dlcodegen.execution.diagnosis import clean
from dlcodegen.report import Optimizer, Seen

_MOST = 300  # entries of a list
_TEXT = 200  # characters


class Note(TypedDict):
    """A warning, or a mistake that the observer saw."""

    kind: str
    message: str
    line: int | None


def notes(found: Any) -> list[Note]:
    """The well-formed ones, at most 20."""
    return [
        Note(kind=clean(note["kind"], 60), message=clean(str(note.get("message", ""))), line=_line(note.get("line")))
        for note in (found if isinstance(found, list) else [])[:20]
        if isinstance(note, dict) and isinstance(note.get("kind"), str)
    ]


def read_seen(found: Any) -> Seen:
    """Each field that has its type; the others are left out."""
    if not isinstance(found, dict):
        return Seen()
    readers: dict[str, Any] = {
        **dict.fromkeys(("framework", "model"), _text),
        **dict.fromkeys(("parameters", "batch_size", "steps"), _count),
        **dict.fromkeys(("first_loss", "last_loss"), finite_number),
        **dict.fromkeys(("layers", "losses"), _texts),
        **dict.fromkeys(("inputs", "outputs"), _shapes),
        "optimizers": _optimizers,
        "milestones": _seconds,
    }
    read = {name: readers[name](value) for name, value in found.items() if name in readers}
    return cast(Seen, {name: value for name, value in read.items() if value is not None})


def _text(value: Any) -> str | None:
    return clean(value, _TEXT) if isinstance(value, str) else None


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 60 else None


def finite_number(value: Any) -> float | None:
    """As a float; None for what is no number, no finite one, or larger than any float."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:  # an integer larger than any float
        return None
    return number if math.isfinite(number) else None


def _line(value: Any) -> int | None:
    return _count(value) or None


def _texts(value: Any) -> list[str] | None:
    return [clean(item, _TEXT) for item in value[:_MOST] if isinstance(item, str)] if isinstance(value, list) else None


def _shapes(value: Any) -> list[list[int]] | None:
    if not isinstance(value, list):
        return None
    return [
        shape[:8] for shape in value[:8] if isinstance(shape, list) and all(_count(size) is not None for size in shape)
    ]


def _seconds(value: Any) -> dict[str, float] | None:
    if not isinstance(value, dict):
        return None
    numbers = {clean(str(name), 20): finite_number(second) for name, second in list(value.items())[:8]}
    return {name: second for name, second in numbers.items() if second is not None and second >= 0}


def _optimizers(value: Any) -> list[Optimizer] | None:
    if not isinstance(value, list):
        return None
    return [
        Optimizer(name=clean(item["name"], 60), settings=_settings(item.get("settings")))
        for item in value[:8]
        if isinstance(item, dict) and isinstance(item.get("name"), str)
    ]


def _settings(value: Any) -> dict[str, object]:
    """Numbers, truth values, short texts, and lists of numbers."""
    kept: dict[str, object] = {}
    for name, setting in list(value.items())[:40] if isinstance(value, dict) else []:
        if isinstance(setting, bool) or finite_number(setting) is not None:
            kept[clean(str(name), 40)] = setting
        elif isinstance(setting, str):
            kept[clean(str(name), 40)] = clean(setting, 60)
        elif isinstance(setting, list) and all(finite_number(item) is not None for item in setting):
            kept[clean(str(name), 40)] = setting[:8]
    return kept
