"""Where the observer writes: what it has seen so far, warnings and silent mistakes, each with the script's line.

Standard library only: this is imported before the process is shut in.
"""

import math
import re
import sys
import time
from collections.abc import Callable, Iterator
from itertools import islice
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    from dlcodegen.report import Optimizer, Seen

MOST_CHARACTERS = 200
MOST_LAYERS = 300
_MOST_NOTES = 20
_MOST_OPTIMIZERS = 8
_MOST_LOSSES = 20
_MOST_SETTINGS = 50
_DIGITS = re.compile(r"\d+")


class NonFiniteLoss(RuntimeError):  # noqa: N818  # what the diagnosis calls it
    """`backward` was called on a loss that is NaN or infinite."""


class NonFiniteWeights(RuntimeError):  # noqa: N818
    """A parameter became NaN or infinite in a step of the optimizer."""


class Note(TypedDict):
    """A warning (`kind` is its category) or a silent mistake (`kind` is a short name of it)."""

    kind: str
    message: str
    line: int | None
    """Line of the script, from 1."""


class Notes:
    """Notes without repetition: one a kind and line, and where `by_wording` one a wording, whatever its numbers."""

    def __init__(self, by_wording: bool) -> None:
        self.entries: list[Note] = []
        self._by_wording = by_wording
        self._known: set[tuple[str, str, int | None]] = set()

    def add(self, kind: str, message: str, line: int | None) -> bool:
        """True when it is new."""
        key = (kind, _DIGITS.sub("", message) if self._by_wording else "", line)
        if key in self._known or len(self.entries) >= _MOST_NOTES:
            return False
        self._known.add(key)
        self.entries.append(Note(kind=kind[:MOST_CHARACTERS], message=message[:MOST_CHARACTERS], line=line))
        return True


class Guard:
    """Context in which a failure of ours is kept in `failures` and does not reach the script."""

    def __init__(self) -> None:
        self.failures: list[str] = []

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> bool:
        if not isinstance(error, Exception) or isinstance(error, (NonFiniteLoss, NonFiniteWeights)):
            return False
        if len(self.failures) < _MOST_NOTES:
            self.failures.append(f"{type(error).__name__}: {error}"[:MOST_CHARACTERS])
        return True


class Record:
    """Everything that is noted of one run."""

    def __init__(self, script: str) -> None:
        self.script = script
        self.guard = Guard()
        self.warnings, self.faults = Notes(by_wording=True), Notes(by_wording=False)
        self.seen: Seen = {}
        self.loss_values: list[float] = []
        """What `backward` was called on, in order."""
        self.conclusions: list[Callable[[], None]] = []
        """What is told only by the whole run: called before anything is read; twice does no harm."""
        self._start = 0.0

    def start(self) -> None:
        """Start the clock of the milestones."""
        self._start = time.monotonic()

    def conclude(self) -> None:
        for conclusion in self.conclusions:
            with self.guard:
                conclusion()

    def milestone(self, name: str) -> None:
        """Seconds since the start, where this is the first time."""
        milestones = self.seen.setdefault("milestones", {})
        if name not in milestones:
            milestones[name] = round(time.monotonic() - self._start, 4)

    def fault(self, kind: str, message: str, line: int | None) -> None:
        self.faults.add(kind, message, line)

    def loss(self, name: str) -> None:
        """A loss function was called in training."""
        losses = self.seen.setdefault("losses", [])
        if name not in losses and len(losses) < _MOST_LOSSES:
            losses.append(name[:MOST_CHARACTERS])

    def optimizer(self, name: str, settings: "dict[str, object]") -> None:
        """An optimizer made its first step."""
        optimizers: list[Optimizer] = self.seen.setdefault("optimizers", [])
        if len(optimizers) < _MOST_OPTIMIZERS:
            optimizers.append({"name": name[:MOST_CHARACTERS], "settings": settings})

    def step(self) -> None:
        self.seen["steps"] = self.seen.get("steps", 0) + 1
        self.milestone("step")

    def line(self) -> int | None:
        """Line of the innermost frame that lies in the script."""
        return next((frame.f_lineno for frame in frames() if frame.f_code.co_filename == self.script), None)


def frames() -> Iterator[FrameType]:
    """The frames of the caller's stack, innermost first."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        yield frame
        frame = frame.f_back


def due(count: int) -> bool:
    """Whether the check that costs time is made at this occasion: the 1st, 2nd, 4th, 8th, ..."""
    return count & (count - 1) == 0


def plain_settings(settings: "dict[str, object]") -> "dict[str, object]":
    """Numbers, truth values and lists of numbers; the rest is left out."""
    plain: dict[str, object] = {}
    for name, value in islice(settings.items(), _MOST_SETTINGS):
        if isinstance(value, (list, tuple)) and all(map(_is_number, value)):
            plain[str(name)[:MOST_CHARACTERS]] = list(value)[:16]
        elif _is_number(value):
            plain[str(name)[:MOST_CHARACTERS]] = value
    return plain


def _is_number(value: object) -> bool:
    return isinstance(value, (bool, int)) or (isinstance(value, float) and math.isfinite(value))
