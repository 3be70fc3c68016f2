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


def stage_event(stage: str, status: Literal["started", "done"], detail: str = "", seconds: float = 0.0) -> StageEvent:
    return StageEvent(type="stage", stage=stage, status=status, detail=detail, seconds=seconds)
