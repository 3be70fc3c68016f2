"""From the settings to a chat model, and one question to it: `ask(chat_model(context), context, "Write ...").text`."""

import json
import os
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from dlcodegen.context import Context
from dlcodegen.errors import SettingsError
from dlcodegen.models.decoding import Decoding, parameters, refused_by, structured
from dlcodegen.models.failures import (
    explain,
    is_too_long,
    may_refuse_schema,
    one_line,
    provider_errors,
    refused_parameter,
    scrub,
)
from dlcodegen.models.reading import Reading, token_estimate

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import BaseMessage

RETRIES = 2
"""After a failure that may pass (rate limit, server error, no connection): done by the provider's client, which waits
as long as the server wishes, two minutes at the most; and by the Asker after a broken answer."""
TIMEOUT = 300.0
"""Seconds without a word; a server of one's own may take twice as long, for a CPU reads a long prompt in minutes."""
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
    "local": (),
}
"""Well-known providers -> the environment variables that may hold the key; LangChain knows more providers."""

_MAKERS = {"claude": "anthropic", "gemini": "google_genai", "mistral": "mistralai", "grok": "xai"}
_EXAMPLES = {"scripted": "scripted:FILE.json", "local": "local:qwen2.5-coder-1.5b"}
_OWN_SERVER = "for a server of your own write --model openai:NAME --base-url URL"


@dataclass(frozen=True)
class Answer:
    """What a model said, and what it cost. The text may be empty; counts that no provider tells are estimates."""

    text: str
    input_tokens: int = 0
    output_tokens: int = 0
    cut_off: bool = False
    """It ended at a limit, in the middle."""


def chat_model(context: Context) -> "BaseChatModel":
    """The model that `context.model` names (`openai:gpt-4o-mini`, `scripted:FILE.json`), ready to be asked.

    Opens no connection; a local model is loaded. Raises SettingsError, with what to type, for every name, address or
    key that cannot work.
    """
    provider, name = _provider_and_name(context.model)
    if provider == "scripted":
        from dlcodegen.models.scripted import read_script

        return read_script(Path(name))
    if provider == "local":
        return _local(name, context)
    if context.base_url:
        _check_address(context.base_url)
    return _build(provider, name, context)


def _local(name: str, context: Context) -> "BaseChatModel":
    """The model on its own server, which is started unless it runs."""
    from langchain_openai import ChatOpenAI
    from openai import DefaultAsyncHttpxClient, DefaultHttpxClient

    from dlcodegen.models.local.server import local_server

    server = local_server(name)
    options = _options(replace(context, base_url=server.base_url)) | _own_server_options(context)
    options["api_key"] = server.key
    # A proxy that the environment names is not for what stays on this computer.
    options["http_client"] = DefaultHttpxClient(trust_env=False)
    options["http_async_client"] = DefaultAsyncHttpxClient(trust_env=False)
    return ChatOpenAI(model=server.model, **options)


def ask(
    model: "BaseChatModel",
    context: Context,
    prompt: str,
    schema: Mapping[str, Any] | None = None,
    *,
    decoding: Decoding = Decoding(),  # noqa: B008  it is frozen
    reading: Reading | None = None,
) -> Answer:
    """Send one prompt and read the answer as it comes. Keys found in the environment are taken out of the prompt.

    With a JSON `schema` (it needs a `title`) the answer is asked for in that form, in the way the provider has for it;
    one that has none, or refuses, is asked plainly. Many servers take the wish and ignore it: the text may be anything.
    What else the provider refuses of the decoding is left out. A `reading` of the caller's tells him what has come.

    LangGraph's token stream leaves the answer out: drafts are working material, no part of the chat. Raises
    SettingsError when the user can mend it (address, key, model name), PromptTooLong, AnswerLostError when asking again
    may help, OutageError, and ModelError for what else the provider got wrong.
    """
    refused, reading = refused_by(context), reading or Reading(decoding.limit)
    bound = parameters(model, decoding, refused)
    prompt = scrub(prompt)
    try:
        return _answer(reading, _message(model, prompt, schema, bound, reading), prompt, schema)
    except NotImplementedError:
        if schema is None:
            raise
        return ask(model, context, prompt, decoding=decoding, reading=reading)
    except provider_errors() as error:
        name = refused_parameter(error, {*bound, "stream"} - refused)
        if name == "max_tokens" and is_too_long(error):  # too many for this prompt, not for every one
            return ask(model, context, prompt, schema, decoding=replace(decoding, limit=None), reading=reading)
        if name:
            refused.add(name)
            return ask(model, context, prompt, schema, decoding=decoding, reading=reading)
        if schema is not None and may_refuse_schema(error):
            return ask(model, context, prompt, decoding=decoding, reading=reading)
        # The provider's text may quote the key: it is replaced, and not shown as a cause either.
        raise explain(error, context, _key_name(context.model.split(":")[0]), reading.tokens > 0) from None


def _message(
    model: "BaseChatModel", prompt: str, schema: Mapping[str, Any] | None, bound: dict[str, Any], reading: Reading
) -> "BaseMessage":
    """Raises NotImplementedError where LangChain knows no structured output of this model."""
    streamed = bound.get("stream", True)
    if schema is None:
        return reading.read(model.bind(**bound), prompt, streamed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # advice on which method to choose, where a server refuses this one
        return reading.read(structured(model, schema).bind(**bound), prompt, streamed)


def _answer(reading: Reading, message: "BaseMessage", prompt: str, schema: Mapping[str, Any] | None) -> Answer:
    """What was said; where the provider's way to structured output is a tool, what the tool was called with."""
    title = schema["title"] if schema else None
    calls = [call for call in getattr(message, "tool_calls", []) if call["name"] == title]
    text = json.dumps(calls[0]["args"], ensure_ascii=False) if calls else str(message.text)
    usage = getattr(message, "usage_metadata", None) or {}
    ending = message.response_metadata.get("finish_reason") or message.response_metadata.get("stop_reason")
    return Answer(
        text,
        usage.get("input_tokens") or token_estimate(prompt),
        usage.get("output_tokens") or max(reading.tokens, token_estimate(text)),
        cut_off=reading.cut_off or ending in ("length", "max_tokens"),
    )


def _provider_and_name(model: str) -> tuple[str, str]:
    if model == "local":
        return model, ""  # the largest that is here
    provider, colon, name = model.partition(":")
    if not colon:
        raise SettingsError(f"--model {model!r} names no provider: write {_with_provider(model)!r}")
    if not name:
        example = _EXAMPLES.get(provider, "openai:gpt-4o-mini")
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
    options = {"timeout": TIMEOUT, "max_retries": RETRIES}
    return options | ({"base_url": context.base_url} if context.base_url else {})


def _own_server_options(context: Context) -> dict[str, Any]:
    """What else an OpenAI-compatible server needs: llama.cpp, Ollama, vLLM, LM Studio."""
    from openai import Timeout

    options: dict[str, Any] = {
        "timeout": Timeout(2 * TIMEOUT, connect=CONNECT_TIMEOUT),
        "seed": context.seed,
        "use_responses_api": False,  # these servers speak chat completions, whatever the model is called
    }
    if not _has_key("openai"):
        options["api_key"] = "none-needed"  # the client insists on one
    return options
