"""A chat model that answers from a script: the same words every time, no network, no key.

Tests use it, and `--model scripted:FILE.json` runs the whole graph with it. The file is a list of answers, or

    {"rules": [["words of a prompt", "answer"], ...], "answers": ["first", "second", ...]}

The first rule whose words stand in the prompt answers, as often as it is asked; every prompt of DLCodeGen starts with
the name of its task (`# Task: merge`), so rules stay right when stages run side by side. The rule `["", "answer"]`
matches every prompt. A prompt that no rule matches takes the next of `answers`; asking after the last is an error.

Each stage of a run reads the file anew and starts at the first of `answers`: a file for a whole run should hold rules.
"""

import json
from pathlib import Path
from threading import Lock
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError

from dlcodegen.errors import ModelError, SettingsError


class ScriptedChatModel(BaseChatModel):
    """Answers by rule, then in order. Raises ModelError when asked more often than it has answers.

    It counts words as tokens. Safe to ask from several threads.
    """

    answers: list[str] = Field(default_factory=list)
    """Taken in order by the prompts that no rule matches."""
    rules: list[tuple[str, str]] = Field(default_factory=list)
    """(words of a prompt, answer); the first match counts."""
    history: list[str] = Field(default_factory=list)
    """Every prompt so far."""

    _answered: int = PrivateAttr(default=0)
    _lock: Any = PrivateAttr(default_factory=Lock)

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: object,
    ) -> ChatResult:
        prompt = "\n".join(message.text for message in messages)
        answer = self._answer(prompt)
        sent, received = len(prompt.split()), len(answer.split())
        usage = {"input_tokens": sent, "output_tokens": received, "total_tokens": sent + received}
        return ChatResult(generations=[ChatGeneration(message=AIMessage(content=answer, usage_metadata=usage))])

    def _answer(self, prompt: str) -> str:
        with self._lock:
            self.history.append(prompt)
            for words, answer in self.rules:
                if words in prompt:
                    return answer
            if self._answered == len(self.answers):
                title = prompt.strip().split("\n", maxsplit=1)[0]
                raise ModelError(f"the scripted model has no answer left for the prompt {title[:80]!r}")
            self._answered += 1
            return self.answers[self._answered - 1]


class _Script(BaseModel):
    """What a script file holds."""

    model_config = ConfigDict(extra="forbid")

    answers: list[str] = Field(default_factory=list)
    rules: list[tuple[str, str]] = Field(default_factory=list)


def read_script(path: Path) -> ScriptedChatModel:
    """The scripted model in a JSON file. Raises SettingsError when there is no such file or it is no script."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        script = _Script.model_validate({"answers": content} if isinstance(content, list) else content)
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: give --model scripted:FILE.json ({error.strerror})") from error
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise SettingsError(f"{path} is no JSON: {error}") from error
    except ValidationError as error:
        expected = '{"rules": [["words of a prompt", "answer"]], "answers": ["first", "second"]}'
        raise SettingsError(f"{path} is no script of answers: write {expected}") from error
    return ScriptedChatModel(answers=script.answers, rules=script.rules)
