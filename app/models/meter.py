"""What the questions of a stage have cost, and the tokens of answers that are still being written."""

import time
from collections.abc import Callable
from threading import Lock

from dlcodegen.report import Usage

_PAUSE = 0.25
"""Seconds between two looks at the count: nobody reads faster."""


class Meter:
    """Counts, from several threads at once."""

    def __init__(
        self, on_tokens: Callable[[int], None] | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`on_tokens` is told how many tokens of answers there are in all, at most four times a second of the `clock`,
        from whichever thread reads an answer.
        """
        self._on_tokens, self._clock = on_tokens, clock
        self._counts: Usage = {"calls": 0, "input_tokens": 0, "output_tokens": 0}
        self._written: dict[int, int] = {}
        self._told = -_PAUSE
        self._lock = Lock()

    @property
    def usage(self) -> Usage:
        """`calls` that were answered, `input_tokens`, `output_tokens`; those of answers that were lost count."""
        with self._lock:
            return dict(self._counts)

    def watch(self, question: int, tokens: int) -> None:
        """The answer to a question has so many tokens by now."""
        if self._on_tokens is None:
            return
        with self._lock:
            self._written[question] = tokens
            now = self._clock()
            if now - self._told < _PAUSE:
                return
            self._told = now
            written = int(self._counts["output_tokens"]) + sum(self._written.values())
        self._on_tokens(written)

    def add(self, question: int, input_tokens: int, output_tokens: int, answered: bool = True) -> None:
        """The answer to a question is complete, or lost."""
        with self._lock:
            self._written.pop(question, None)
            self._counts["calls"] += answered
            self._counts["input_tokens"] += input_tokens
            self._counts["output_tokens"] += output_tokens
