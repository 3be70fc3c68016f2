"""A circuit breaker: a provider that is down is not asked over and over, each time until its time is up."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock

from dlcodegen.errors import OutageError


class CircuitBreaker:
    """Opens after some outages in a row; then questions fail at once. After a pause one is let through as a trial: its
    answer closes the circuit, its failure begins the pause anew. Safe to use from several threads.
    """

    def __init__(
        self, name: str, failures: int = 3, pause: float = 60.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`name` is what messages call the provider; `pause` counts in seconds of the `clock`."""
        self._name, self._failures, self._pause, self._clock = name, failures, pause, clock
        self._in_a_row = 0
        self._opened: float | None = None
        self._on_trial = False
        self._lock = Lock()

    @contextmanager
    def question(self) -> Iterator[None]:
        """Ask within this. Raises OutageError at once while the circuit is open; what is raised within passes on."""
        self._admit()
        try:
            yield
        except OutageError:
            self._failed()
            raise
        except BaseException:  # says nothing of the provider's health
            self._on_trial = False
            raise
        with self._lock:
            self._in_a_row, self._opened, self._on_trial = 0, None, False

    def _admit(self) -> None:
        with self._lock:
            if self._opened is None:
                return
            left = self._opened + self._pause - self._clock()
            if left > 0 or self._on_trial:
                when = f"in {left:.0f} s" if left > 0 else "when the question on trial is answered"
                raise OutageError(f"{self._name} failed {self._in_a_row} times in a row: it is asked again {when}")
            self._on_trial = True

    def _failed(self) -> None:
        with self._lock:
            self._in_a_row += 1
            self._on_trial = False
            if self._in_a_row >= self._failures:
                self._opened = self._clock()


_BREAKERS: dict[tuple[str, str], CircuitBreaker] = {}


def breaker_for(model: str, base_url: str) -> CircuitBreaker:
    """The one breaker that this process has for that model at that address."""
    return _BREAKERS.setdefault((model, base_url), CircuitBreaker(model))
