"""The writer of one stage of a run: told what the run has cost so far, and heard while it asks a model."""

from collections.abc import Mapping

from langgraph.config import get_stream_writer

from dlcodegen.context import Context, Role
from dlcodegen.events import tokens_event
from dlcodegen.report import Usage, spent
from dlcodegen.writers.choice import writer_for
from dlcodegen.writers.protocol import Writer

_SIDE_BY_SIDE = ("draft_from_code", "abstract_template")
"""Stages that run at the same time: neither knows what the other spends, so each has half of what is left."""
_ONE_DRAFT = ("no-code-rag", "no-template-rag")


def stage_writer(usage: Mapping[str, Usage], context: Context, role: Role, stage: str) -> Writer:
    """A new writer; `usage`: of the stages before. Its tokens are streamed as events.

    Raises SettingsError when its model is not set up.
    """
    stream = get_stream_writer()
    share = 0.5 if stage in _SIDE_BY_SIDE and context.method not in _ONE_DRAFT else 1.0
    return writer_for(context, role, spent(usage), lambda tokens: stream(tokens_event(stage, tokens)), share)
