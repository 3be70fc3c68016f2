"""How an answer is wanted: temperature, length, where to stop. What a provider refuses of it is left out later on."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dlcodegen.context import Context

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import BaseMessage
    from langchain_core.runnables import Runnable


@dataclass(frozen=True)
class Decoding:
    """The parameters of one answer."""

    temperature: float | None = None
    """None: the provider's default."""
    limit: int | None = None
    """The most tokens of the answer; None: what the provider allows, and never endless."""
    stop: tuple[str, ...] = ()
    """The answer ends before the first of these."""
    sample: int = 0
    """Which of several answers to one prompt: models with a seed of ours get another one for each."""


_REFUSED: dict[tuple[str, str], set[str]] = {}


def refused_by(context: Context) -> set[str]:
    """The parameters that the context's model does not take, as far as this process knows; to be added to."""
    return _REFUSED.setdefault((context.model, context.base_url), set())


def parameters(model: "BaseChatModel", decoding: Decoding, refused: Collection[str]) -> dict[str, Any]:
    """The keywords to bind to the model, without the refused ones. A refused `stream` is an answer in one piece."""
    bound: dict[str, Any] = {}
    if decoding.temperature is not None:
        bound["temperature"] = decoding.temperature
    if decoding.limit is not None:
        bound["max_tokens"] = decoding.limit
    if decoding.stop:
        bound["stop"] = list(decoding.stop)
    if decoding.sample and (seed := getattr(model, "seed", None)) is not None:
        bound["seed"] = seed + decoding.sample
    if hasattr(model, "stream_usage"):
        bound["stream_usage"] = True  # counts of tokens at the end of the stream
    if "stream" in refused:
        bound.pop("stream_usage", None)
        bound["stream"] = False
    return {name: value for name, value in bound.items() if name not in refused or name == "stream"}


def structured(model: "BaseChatModel", schema: Mapping[str, Any]) -> "Runnable[Any, BaseMessage]":
    """The model with the wish for that form. Raises NotImplementedError where LangChain knows none of this model."""
    from langchain_core.runnables import RunnableSequence

    asked = model.with_structured_output(dict(schema))
    if not isinstance(asked, RunnableSequence):
        raise NotImplementedError(f"{type(model).__name__} has a way of its own to structured output")
    first: Runnable[Any, BaseMessage] = asked.first  # without the parser: the text may be anything
    return first
