"""The writer of one stage of a run: told what the run has cost so far, and heard while it asks a model."""

from collections.abc import Mapping

from langgraph.config import get_stream_writer

from dlcodegen.context import Context, Role
from dlcodegen.events import tokens_event
from dlcodegen.report import Usage, spent
from dlcodegen.writers.choice import writer_for
from dlcodegen.writers.protocol import Writer


def stage_writer(usage: Mapping[str, Usage], context: Context, role: Role, stage: str) -> Writer:
    """A new writer; `usage`: of the stages before. Its tokens are streamed as events.

    Raises SettingsError when its model is not set up.
    """
    stream = get_stream_writer()
    return writer_for(context, role, spent(usage), lambda tokens: stream(tokens_event(stage, tokens)))
