"""The methods that ours is compared with: one question to the model, without drafts, merge or repair."""

from dlcodegen.context import Context
from dlcodegen.state import State, Update


def write_directly(state: State, context: Context) -> Update:
    """Its answer as the only candidate. Raises SettingsError without a model: the syntax writer asks no questions."""
    from dlcodegen.corpus.pool import open_pool
    from dlcodegen.errors import SettingsError
    from dlcodegen.models.asking import Asker
    from dlcodegen.report import spent
    from dlcodegen.writers.methods import write_directly as write

    if context.model_for("draft") == "offline":
        raise SettingsError(f"the method {context.method!r} needs a model: set --model PROVIDER:NAME")
    asker = Asker(context, "draft", spent(state["usage"]))
    samples = open_pool().samples(state["samples"])
    candidate = write(asker, context.method, state["request"], samples)
    return {"candidates": [candidate], "usage": asker.usage, "progress": f"{candidate['code'].count(chr(10))} lines"}
