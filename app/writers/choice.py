"""The writer that a run's settings name."""

from dlcodegen.context import Context
from dlcodegen.writers.protocol import Writer


def writer_for(context: Context) -> Writer:
    """A new writer. Raises SettingsError when its chat model is not set up."""
    if context.writer_in_use == "syntax":
        from dlcodegen.writers.syntax import SyntaxWriter

        return SyntaxWriter(context.seed)
    from dlcodegen.writers.llm import LLMWriter

    return LLMWriter.from_context(context)
