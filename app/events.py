"""Progress events, streamed under LangGraph's `custom` mode by every stage."""

from typing import Literal, TypedDict


class StageEvent(TypedDict):
    """A stage began or ended."""

    type: Literal["stage"]
    stage: str
    status: Literal["started", "done"]
    detail: str
    """One line on what came of it; empty when it began."""
    seconds: float


class TokensEvent(TypedDict):
    """A model is writing; sent at most four times a second."""

    type: Literal["tokens"]
    stage: str
    tokens: int
    """Of the stage's answers so far."""


def tokens_event(stage: str, tokens: int) -> TokensEvent:
    return TokensEvent(type="tokens", stage=stage, tokens=tokens)


def stage_event(stage: str, status: Literal["started", "done"], detail: str = "", seconds: float = 0.0) -> StageEvent:
    return StageEvent(type="stage", stage=stage, status=status, detail=detail, seconds=seconds)
