"""`dlcodegen new --dry-run`: the prompts that a chat model would get. Nothing is sent, executed or kept."""

import json
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, get_args

from dlcodegen.cli.run import run_graph
from dlcodegen.context import Role

if TYPE_CHECKING:
    from langchain_core.callbacks import BaseCallbackHandler

    from dlcodegen.context import Context
    from dlcodegen.state import InputState

STAND_IN = "# Here the model's answer would stand."
"""What the scripted model answers: later prompts quote it where they would quote the model."""


def prompts(request: "InputState", context: "Context") -> list[str]:
    """Every prompt of a run in the order of asking; those for repairs depend on a real answer and are not among them.

    Raises InputError when the requirement is nothing to work on.
    """
    sent: list[str] = []
    with TemporaryDirectory(prefix="dlcodegen-") as folder:
        script = Path(folder) / "script.json"
        script.write_text(json.dumps({"rules": [["", f"```python\n{STAND_IN}\n```"]]}), encoding="utf-8")
        nobody_else: Any = {f"model_{role}": "" for role in get_args(Role)}
        scripted = replace(
            context, writer="llm", model=f"scripted:{script}", base_url="", check=False, max_tokens=0, max_cost=0,
            **nobody_else,
        )  # fmt: skip
        run_graph(request, scripted, [_recorder(sent)])
    return sent


def _recorder(sent: list[str]) -> "BaseCallbackHandler":
    """Notes every prompt that reaches a chat model."""
    from langchain_core.callbacks import BaseCallbackHandler
    from langchain_core.messages import BaseMessage

    class Recorder(BaseCallbackHandler):
        def on_chat_model_start(
            self, serialized: dict[str, Any], messages: list[list[BaseMessage]], **kwargs: object
        ) -> None:
            sent.extend("\n\n".join(message.text for message in prompt) for prompt in messages)

    return Recorder()
