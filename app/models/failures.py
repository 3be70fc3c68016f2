"""What a provider's failure means to the user: one line that says what to check, and no key in it.

Every provider has its own exceptions. LangChain's newer integrations derive theirs from one tree, older ones pass on
what the provider's own package raises; so an exception is read by class name and HTTP status, not by identity.
"""

import os
import re
import sys
from urllib.parse import urlsplit

from dlcodegen.context import Context
from dlcodegen.errors import DLCodeGenError, ModelError, SettingsError

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
_STATUS = {
    "ModelAuthenticationError": 401,
    "ModelPermissionDeniedError": 403,
    "ModelNotFoundError": 404,
    "ModelRateLimitError": 429,
}
_TOO_LONG = re.compile(r"context[ _](length|size|window)|prompt is too long", re.IGNORECASE)
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


def explain(error: Exception, context: Context, key: str) -> DLCodeGenError:
    """The error to raise instead. `key` is the environment variable with the provider's key, or empty."""
    names = _class_names(error)
    if "ConnectTimeout" in names or (names & _NO_CONNECTION and not names & _NO_ANSWER_IN_TIME):
        return SettingsError(_unreachable(context))
    if names & _NO_ANSWER_IN_TIME:
        return ModelError(f"{context.model} gave no answer in time: try again, or take a smaller model")
    return _explain_answer(error, names, context, key)


def may_refuse_schema(error: Exception) -> bool:
    """Whether the wish for structured output may be what failed: the server answered, and neither key, rate nor length
    is the cause. Servers refuse with whatever status they like, and clients fail at an answer that broke off.
    """
    names = _class_names(error)
    unreachable = "ConnectTimeout" in names or bool(names & (_NO_CONNECTION | _NO_ANSWER_IN_TIME))
    too_long = "ContextOverflowError" in names or _TOO_LONG.search(str(error)) is not None
    return not unreachable and not too_long and _status(error, names) not in (401, 403, 404, 429)


def _explain_answer(error: Exception, names: set[str], context: Context, key: str) -> DLCodeGenError:
    """The server answered, but with a refusal, a failure, or something else than a completion."""
    status, said = _status(error, names), one_line(error)
    if "ContextOverflowError" in names or (status == 400 and _TOO_LONG.search(said)):
        mend = "set samples to 1, or take a model with a longer context"
        return SettingsError(f"the prompt is longer than {context.model} can read: {mend}")
    if status in (401, 403, 404):
        return SettingsError(_refused(status, context, key))
    if status == 429:
        return ModelError(f"{context.model} takes no more requests now (rate or budget): wait, or take another model")
    if isinstance(error, ValueError | LookupError | TypeError):
        hint = ": check that --base-url ends as the server wants it (/v1)" if context.base_url else ""
        return ModelError(f"{context.model} answered with something else than a chat completion ({said}){hint}")
    return ModelError(f"{context.model} failed: {said}")


def _refused(status: int, context: Context, key: str) -> str:
    provider, _, name = context.model.partition(":")
    server = address(context.base_url) or provider
    check = f"check {key}" if key else "check the key"
    if status == 401:
        return f"{server} refuses the key: {check}"
    if status == 403:
        return f"{server} does not let this key use the model {name!r}: {check}, or take another model"
    if context.base_url:
        return f"{server} has no model {name!r}: check --model, and that --base-url ends as the server wants it (/v1)"
    return f"{server} has no model {name!r}: check --model"


def _unreachable(context: Context) -> str:
    if context.base_url:
        return f"no answer from {address(context.base_url)}: check that the server runs and that --base-url is right"
    return f"{context.model} cannot be reached: check the network, or set --base-url to a server of your own"


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
