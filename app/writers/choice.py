"""The writer that a run's settings name."""

from collections.abc import Callable

from dlcodegen.context import Context, Role
from dlcodegen.report import Usage
from dlcodegen.writers.protocol import Writer
from dlcodegen.writers.syntax import SyntaxWriter


def writer_for(
    context: Context,
    role: Role,
    spent: Usage,
    on_tokens: Callable[[int], None] | None = None,
    share: float = 1.0,
) -> Writer:
    """A new writer for one stage; `spent`: what the stages before it cost, `share`: what it may spend of the rest.

    `on_tokens` hears how many tokens a model has written by now. Raises SettingsError when the model is not set up.
    """
    syntax = SyntaxWriter(context.seed)
    if context.writer_in_use == "syntax":
        return syntax
    from dlcodegen.models.asking import Asker
    from dlcodegen.writers.llm import LLMWriter

    asker = Asker(context, role, spent, on_tokens, share)
    if context.pieces_in_use == "script":
        return LLMWriter(asker, syntax, context.temperature, shows_plan=context.method != "no-plan")
    from dlcodegen.execution.script import Conditions
    from dlcodegen.writers.small_model import SmallModelWriter

    conditions = Conditions.of(context) if context.check else None
    return SmallModelWriter(asker, syntax, conditions, context.answers, context.temperature)
