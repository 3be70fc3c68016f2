"""A provider that is down is left alone for a while, then tried once."""

from collections.abc import Callable

import pytest

from dlcodegen.errors import OutageError, SettingsError
from dlcodegen.models.breaker import CircuitBreaker, breaker_for


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> CircuitBreaker:
    return CircuitBreaker("openai:m", failures=3, pause=60, clock=clock)


def fails(breaker: CircuitBreaker, error: Callable[[str], Exception] = OutageError) -> str:
    """Ask, and fail by `error` if the question is let through; the message that reaches the caller."""
    with pytest.raises((OutageError, SettingsError)) as raised, breaker.question():
        raise error("the provider's own words")
    return str(raised.value)


def answers(breaker: CircuitBreaker) -> bool:
    with breaker.question():
        return True


def test_after_three_failures_in_a_row_nobody_is_asked(breaker: CircuitBreaker, clock: Clock) -> None:
    assert [fails(breaker) for _ in range(3)] == ["the provider's own words"] * 3
    clock.now = 18
    assert fails(breaker) == "openai:m failed 3 times in a row: it is asked again in 42 s"


def test_an_answer_in_between_starts_the_count_anew(breaker: CircuitBreaker) -> None:
    for _ in range(3):
        fails(breaker), fails(breaker)
        assert answers(breaker)


def test_what_is_no_outage_does_not_count(breaker: CircuitBreaker) -> None:
    for _ in range(5):
        assert fails(breaker, SettingsError) == "the provider's own words"
    assert answers(breaker)


def test_after_the_pause_one_question_is_a_trial(breaker: CircuitBreaker, clock: Clock) -> None:
    for _ in range(3):
        fails(breaker)
    clock.now = 60
    with breaker.question():
        assert fails(breaker).endswith("it is asked again when the question on trial is answered")
    assert answers(breaker) and answers(breaker)


def test_a_trial_that_fails_begins_the_pause_anew(breaker: CircuitBreaker, clock: Clock) -> None:
    for _ in range(3):
        fails(breaker)
    clock.now = 61
    assert fails(breaker) == "the provider's own words"
    assert fails(breaker) == "openai:m failed 4 times in a row: it is asked again in 60 s"


def test_a_trial_that_says_nothing_leaves_room_for_the_next(breaker: CircuitBreaker, clock: Clock) -> None:
    for _ in range(3):
        fails(breaker)
    clock.now = 60
    assert fails(breaker, SettingsError) == "the provider's own words"
    assert answers(breaker)


def test_each_model_at_each_address_has_its_own() -> None:
    assert breaker_for("openai:m", "http://a/v1") is breaker_for("openai:m", "http://a/v1")
    assert breaker_for("openai:m", "http://a/v1") is not breaker_for("openai:m", "http://b/v1")
    assert breaker_for("openai:m", "http://a/v1") is not breaker_for("openai:n", "http://a/v1")
