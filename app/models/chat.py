"""From the settings to a chat model, and one question to it: `ask(chat_model(context), context, "Write ...").text`."""

import json
import os
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from dlcodegen.context import Context
from dlcodegen.errors import SettingsError
from dlcodegen.models.failures import explain, may_refuse_schema, one_line, provider_errors, scrub

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import BaseMessage

RETRIES = 2
"""After a failure that may pass (rate limit, server error, broken connection)."""
TIMEOUT = 600.0
"""Seconds until an answer: a small model on a CPU writes a script in several minutes."""
CONNECT_TIMEOUT = 10.0
"""Seconds until a server takes the connection."""

KEYS: dict[str, tuple[str, ...]] = {
    "openai": ("OPENAI_API_KEY",),
    "anthropic": ("ANTHROPIC_API_KEY",),
    "google_genai": ("GOOGLE_API_KEY", "GEMINI_API_KEY"),
    "mistralai": ("MISTRAL_API_KEY",),
    "groq": ("GROQ_API_KEY",),
    "deepseek": ("DEEPSEEK_API_KEY",),
    "xai": ("XAI_API_KEY",),
    "cohere": ("COHERE_API_KEY",),
    "together": ("TOGETHER_API_KEY",),
    "fireworks": ("FIREWORKS_API_KEY",),
    "openrouter": ("OPENROUTER_API_KEY",),
    "ollama": (),
}
"""Well-known providers -> the environment variables that may hold the key; LangChain knows more providers."""

_MAKERS = {"claude": "anthropic", "gemini": "google_genai", "mistral": "mistralai", "grok": "xai"}
_OWN_SERVER = "for a server of your own write --model openai:NAME --base-url URL"


@dataclass(frozen=True)
class Answer:
    """What a model said, and what it cost. The text may be empty; counts are 0 where the provider tells none."""

    text: str
    input_tokens: int = 0
    output_tokens: int = 0


def chat_model(context: Context) -> "BaseChatModel":
    """The model that `context.model` names (`openai:gpt-4o-mini`, `scripted:FILE.json`), ready to be asked.

    It never streams: a streamed answer of many servers comes without its token counts. Opens no connection. Raises
    SettingsError, with what to type, for every name, address or key that cannot work.
    """
    provider, name = _provider_and_name(context.model)
    if provider == "scripted":
        from dlcodegen.models.scripted import read_script

        return read_script(Path(name))
    if context.base_url:
        _check_address(context.base_url)
    return _build(provider, name, context)


def ask(model: "BaseChatModel", context: Context, prompt: str, schema: Mapping[str, Any] | None = None) -> Answer:
    """Send one prompt and wait for the answer. Keys found in the environment are taken out of the prompt.

    With a JSON `schema` (it needs a `title`) the answer is asked for in that form, in the way the provider has for it;
    one that has none, or refuses, is asked plainly. Many servers take the wish and ignore it: the text may be anything.

    LangGraph's token stream leaves the answer out: drafts are working material, no part of the chat. Raises
    SettingsError when the user can mend it (address, key, model name, prompt too long for the model), and ModelError
    for what the provider got wrong.
    """
    try:
        message = _invoke(model, scrub(prompt), schema)
    except NotImplementedError:
        if schema is None:
            raise
        return ask(model, context, prompt)
    except provider_errors() as error:
        if schema is not None and may_refuse_schema(error):
            return ask(model, context, prompt)
        # The provider's text may quote the key: it is replaced, and not shown as a cause either.
        raise explain(error, context, _key_name(context.model.split(":")[0])) from None
    text, usage = _said(message), getattr(message, "usage_metadata", None)
    return Answer(text, usage["input_tokens"], usage["output_tokens"]) if usage else Answer(text)


def _invoke(model: "BaseChatModel", prompt: str, schema: Mapping[str, Any] | None) -> "BaseMessage":
    """Raises NotImplementedError where LangChain knows no structured output of this model."""
    from langgraph.constants import TAG_NOSTREAM

    if schema is None:
        return model.invoke(prompt, {"tags": [TAG_NOSTREAM]})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # advice on which method to choose, where a server refuses this one
        structured = model.with_structured_output(dict(schema), include_raw=True)
        answered: Any = structured.invoke(prompt, {"tags": [TAG_NOSTREAM]})
    raw: BaseMessage = answered["raw"]
    return raw


def _said(message: "BaseMessage") -> str:
    """The text; where the provider's way to structured output is a tool, what the tool was called with."""
    calls = getattr(message, "tool_calls", [])
    return json.dumps(calls[0]["args"], ensure_ascii=False) if calls else str(message.text)


def _provider_and_name(model: str) -> tuple[str, str]:
    if model == "local":
        raise SettingsError(f"the local model is no part of this version: {_OWN_SERVER}")
    provider, colon, name = model.partition(":")
    if not colon:
        raise SettingsError(f"--model {model!r} names no provider: write {_with_provider(model)!r}")
    if not name:
        example = "scripted:FILE.json" if provider == "scripted" else "openai:gpt-4o-mini"
        raise SettingsError(f"--model {model!r} names no model: write PROVIDER:NAME such as {example!r}")
    return provider, name


def _with_provider(model: str) -> str:
    """The likely spelling: `openai/gpt-4o` and `gpt-4o` -> `openai:gpt-4o`."""
    provider, _, name = model.partition("/")
    if provider in KEYS and name:
        return f"{provider}:{name}"
    return next((f"{maker}:{model}" for start, maker in _MAKERS.items() if model.startswith(start)), f"openai:{model}")


def _check_address(base_url: str) -> None:
    try:
        parts = urlsplit(base_url)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:  # brackets that do not match, a port that is no number
        usable = False
    if not usable or re.search(r"\s", base_url):
        raise SettingsError("--base-url is no web address: write one such as http://localhost:8080/v1")


def _key_name(provider: str) -> str:
    """The environment variable to set; empty for a provider that is not in `KEYS` or needs none."""
    return next(iter(KEYS.get(provider, ())), "")


def _has_key(provider: str) -> bool:
    return not _key_name(provider) or any(os.environ.get(name) for name in KEYS[provider])


def _build(provider: str, name: str, context: Context) -> "BaseChatModel":
    from langchain.chat_models import init_chat_model

    own_server = provider == "openai" and bool(context.base_url)
    missing = "" if own_server or _has_key(provider) else f"{provider} needs a key: set {_key_name(provider)}"
    options = _options(context) | (_own_server_options(context) if own_server else {})
    try:
        model: BaseChatModel = init_chat_model(name, model_provider=provider, **options)
    except ImportError as error:
        package = re.search(r"pip install ([\w-]+)", str(error))
        needed = package.group(1) if package else f"langchain-{provider.replace('_', '-')}"
        raise SettingsError(f"{provider} models need one more package: pip install {needed}") from error
    except provider_errors() as error:
        if str(error).startswith("Unsupported provider"):  # LangChain has no class of its own for this
            some = ", ".join(KEYS)
            raise SettingsError(f"unknown provider {provider!r}: take one of {some}; {_OWN_SERVER}") from error
        raise SettingsError(missing or f"{provider} cannot be set up: {one_line(error)}") from None
    if missing:
        raise SettingsError(missing)
    return model


def _options(context: Context) -> dict[str, Any]:
    """What every provider's model is told."""
    options = {"timeout": TIMEOUT, "max_retries": RETRIES, "disable_streaming": True}
    return options | ({"base_url": context.base_url} if context.base_url else {})


def _own_server_options(context: Context) -> dict[str, Any]:
    """What else an OpenAI-compatible server needs: llama.cpp, Ollama, vLLM, LM Studio."""
    from openai import Timeout

    options: dict[str, Any] = {
        "timeout": Timeout(TIMEOUT, connect=CONNECT_TIMEOUT),
        "seed": context.seed,
        "use_responses_api": False,  # these servers speak chat completions, whatever the model is called
    }
    if not _has_key("openai"):
        options["api_key"] = "none-needed"  # the client insists on one
    return options
