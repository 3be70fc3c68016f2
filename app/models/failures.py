"""What a provider's failure means to the user: one line that says what to check, and no key in it.

Every provider has its own exceptions. LangChain's newer integrations derive theirs from one tree, older ones pass on
what the provider's own package raises; so an exception is read by class name and HTTP status, not by identity.
"""

import os
import re
import sys
from collections.abc import Collection
from urllib.parse import urlsplit

from dlcodegen.context import Context
from dlcodegen.errors import (
    AnswerLostError,
    DLCodeGenError,
    ModelError,
    OutageError,
    PromptTooLong,
    SettingsError,
)

_PACKAGE_ERRORS = (
    ("langchain_core.exceptions", "LangChainException"),
    ("openai", "OpenAIError"),
    ("anthropic", "AnthropicError"),
    ("groq", "GroqError"),
    ("ollama", "ResponseError"),
    ("google.genai.errors", "APIError"),
    ("botocore.exceptions", "BotoCoreError"),
    ("botocore.exceptions", "ClientError"),
    ("httpx", "HTTPError"),
    ("httpx2", "HTTPError"),
)
_NO_CONNECTION = {"ModelConnectionError", "APIConnectionError", "ConnectError", "ConnectionError", "gaierror"}
_NO_ANSWER_IN_TIME = {"ModelTimeoutError", "APITimeoutError", "TimeoutException", "TimeoutError"}
_CUT = {
    "RemoteProtocolError",
    "LocalProtocolError",
    "ReadError",
    "WriteError",
    "ConnectionResetError",
    "BrokenPipeError",
}
"""The connection stood, and was lost."""
_STATUS = {
    "ModelAuthenticationError": 401,
    "ModelPermissionDeniedError": 403,
    "ModelNotFoundError": 404,
    "ModelRateLimitError": 429,
}
_TOO_LONG = re.compile(r"context[ _](length|size|window)|prompt is too long", re.IGNORECASE)
_TOO_LONG_STATUS = {None, 400, 413, 422, 500}
_AS_NAMED = {
    "max_tokens": r"max_(?:completion_|output_)?tokens",
    "stream_usage": r"stream_(?:options|usage)",
    "stream": r"\bstream(?:ing)?\b|No generation chunks",  # LangChain's word for: the answer was no stream
}
_SECRET_NAME = re.compile(r"(KEY|TOKEN|SECRET|PASSWORD)$")
_SECRET_SHAPE = re.compile(r"\b(?:[spg]sk|sk|pk|xai|hf|AIza)[-_]?[\w*-]{16,}|\bBearer\s+\S+")


def provider_errors() -> tuple[type[Exception], ...]:
    """The exceptions that asking a model can end with.

    A package's own exceptions can only come up once it is imported, so nothing is imported to find them. The built-in
    ones are network failures and answers of an unexpected shape.
    """
    loaded = ((sys.modules.get(module), name) for module, name in _PACKAGE_ERRORS)
    roots = tuple(getattr(module, name) for module, name in loaded if module is not None)
    return (*roots, OSError, ValueError, LookupError, TypeError)


def explain(error: Exception, context: Context, key: str, begun: bool = False) -> DLCodeGenError:
    """The error to raise instead. `key` is the environment variable with the provider's key, or empty; `begun` says
    that a part of the answer had come.
    """
    names = _class_names(error)
    if _unreached(names):
        return _unreachable(context)
    if names & _CUT or (begun and is_outage(error)):
        how = "fell silent" if names & _NO_ANSWER_IN_TIME else "broke off"
        return AnswerLostError(f"{context.model} {how} in the middle of its answer: try again")
    if names & _NO_ANSWER_IN_TIME:
        return OutageError(f"{context.model} gave no answer in time: try again, or take a smaller model")
    return _explain_answer(error, names, context, key)


def is_outage(error: Exception) -> bool:
    """Whether the provider is at fault, and not this question: it is down, overloaded, or the connection broke."""
    names = _class_names(error)
    if is_too_long(error):
        return False
    status = _status(error, names)
    if status is None:  # `APIError` as such: reported in the middle of a stream
        return bool(names & (_NO_CONNECTION | _NO_ANSWER_IN_TIME | _CUT | {"APIError"}))
    return status in (408, 409, 429) or status >= 500


def is_too_long(error: Exception) -> bool:
    """Whether the prompt, or prompt and answer together, are more than the model can hold."""
    names = _class_names(error)
    fits_status = _status(error, names) in _TOO_LONG_STATUS
    return "ContextOverflowError" in names or (fits_status and _TOO_LONG.search(str(error)) is not None)


def refused_parameter(error: Exception, sent: Collection[str]) -> str | None:
    """Which of the parameters that were sent the provider, or its client, does not take; None: that is not what failed.

    Servers name it as it travels (`max_completion_tokens`), clients by its keyword.
    """
    status = _status(error, _class_names(error))
    if status not in (400, 422) and not (status is None and isinstance(error, TypeError | ValueError)):
        return None
    said = str(error)
    return next((name for name in sorted(sent) if re.search(_AS_NAMED.get(name, rf"\b{name}\b"), said)), None)


def may_refuse_schema(error: Exception) -> bool:
    """Whether the wish for structured output may be what failed: the server answered, and neither key, rate nor length
    is the cause. Servers refuse with whatever status they like, and clients fail at an answer that broke off.
    """
    names = _class_names(error)
    unreachable = "ConnectTimeout" in names or bool(names & (_NO_CONNECTION | _NO_ANSWER_IN_TIME | _CUT))
    return not unreachable and not is_too_long(error) and _status(error, names) not in (401, 402, 403, 404, 429)


def _explain_answer(error: Exception, names: set[str], context: Context, key: str) -> DLCodeGenError:
    """The server answered, but with a refusal, a failure, or something else than a completion."""
    status, said = _status(error, names), one_line(error)
    if is_too_long(error):
        mend = "set samples to 1, or take a model with a longer context"
        return PromptTooLong(f"the prompt is longer than {context.model} can read: {mend}")
    if status in (401, 402, 403, 404):
        return SettingsError(_refused(status, context, key))
    if status == 429:
        return OutageError(f"{context.model} takes no more requests now (rate or budget): wait, or take another model")
    if isinstance(error, ValueError | LookupError | TypeError):
        hint = ": check that --base-url ends as the server wants it (/v1)" if context.base_url else ""
        return ModelError(f"{context.model} answered with something else than a chat completion ({said}){hint}")
    kind = OutageError if is_outage(error) else ModelError
    return kind(f"{context.model} failed: {said}")


def _refused(status: int, context: Context, key: str) -> str:
    provider, _, name = context.model.partition(":")
    server = address(context.base_url) or provider
    check = f"check {key}" if key else "check the key"
    if status == 401:
        return f"{server} refuses the key: {check}"
    if status == 402:
        return f"{server} wants to be paid before it answers: top up the account, or take another model"
    if status == 403:
        return f"{server} does not let this key use the model {name!r}: {check}, or take another model"
    if context.base_url:
        return f"{server} has no model {name!r}: check --model, and that --base-url ends as the server wants it (/v1)"
    return f"{server} has no model {name!r}: check --model"


def _unreached(names: set[str]) -> bool:
    if names & {"ConnectTimeout", "ConnectError"}:
        return True
    return bool(names & _NO_CONNECTION) and not names & (_NO_ANSWER_IN_TIME | _CUT)


def _unreachable(context: Context) -> DLCodeGenError:
    if context.model.partition(":")[0] == "local":  # a server of ours: it has died, and is started again
        return AnswerLostError(f"the server of the model {context.model} is gone: try again")
    if context.base_url:
        server = address(context.base_url)
        return SettingsError(f"no answer from {server}: check that the server runs and that --base-url is right")
    mend = "check the network, or set --base-url to a server of your own"
    return SettingsError(f"{context.model} cannot be reached: {mend}")


def _class_names(error: BaseException | None) -> set[str]:
    """Names of all classes of the error and of its causes."""
    names: set[str] = set()
    while error is not None:
        names.update(cls.__name__ for cls in type(error).__mro__)
        error = error.__cause__
    return names


def _status(error: Exception, names: set[str]) -> int | None:
    for name, status in _STATUS.items():
        if name in names:
            return status
    for source in (error, getattr(error, "response", None)):
        for attribute in ("status_code", "code"):
            found = getattr(source, attribute, None)
            if isinstance(found, int):
                return found
    return None


def address(base_url: str) -> str:
    """The address without what could be a secret in it: user, password, query."""
    parts = urlsplit(base_url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()


def scrub(text: str) -> str:
    """The text without the keys, tokens and passwords that stand in the environment."""
    for name, value in os.environ.items():
        if len(value) >= 12 and _SECRET_NAME.search(name):
            text = text.replace(value, f"[{name}]")
    return text


def one_line(error: Exception) -> str:
    """What the error says, short, on one line, with nothing in it that looks like a key."""
    words = " ".join(str(error).split()) or type(error).__name__
    return _SECRET_SHAPE.sub("[key]", scrub(words))[:300]
