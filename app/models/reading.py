"""One answer, read while it is written: so that an endless one ends at its limit, and people see that it grows."""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage
    from langchain_core.runnables import Runnable, RunnableConfig

ENDLESS = 16_000
"""Tokens after which an answer without a limit of its own is cut off: no script is that long."""
_LONGEST_TOKEN = 8
"""Characters that the tokens of a long text have on average at the very most."""


def token_estimate(text: str) -> int:
    """Tokens of a text, where nobody counts them: a token of code has about 3.5 characters."""
    return math.ceil(len(text) / 3.5)


class Reading:
    """Reads one answer. After a failure it still tells how much had come."""

    def __init__(self, limit: int | None = None, on_tokens: Callable[[int], None] | None = None) -> None:
        """`on_tokens` is told the tokens so far after each piece, in the thread that reads."""
        self._limit = limit or ENDLESS
        self._on_tokens = on_tokens
        self._pieces = self._characters = 0
        self.cut_off = False
        """Whether we ended the answer, since the provider did not."""

    @property
    def tokens(self) -> int:
        """So far, by estimate: a piece is at least one token, and some providers send many at a time."""
        return max(self._pieces, math.ceil(self._characters / 3.5))

    def read(self, asked: "Runnable[Any, BaseMessage]", prompt: str, streamed: bool = True) -> "BaseMessage":
        """The answer, with the provider's count of tokens where it gives one; in one piece if not `streamed`.

        Raises what the provider raises.
        """
        from langchain_core.messages import AIMessageChunk
        from langchain_core.messages.ai import add_ai_message_chunks
        from langgraph.constants import TAG_NOSTREAM

        self._pieces = self._characters = 0
        chunks: list[AIMessageChunk] = []
        config: RunnableConfig = {"tags": [TAG_NOSTREAM]}
        if not streamed:
            return asked.invoke(prompt, config)
        stream: Any = asked.stream(prompt, config)
        for message in stream:
            if not isinstance(message, AIMessageChunk):  # a model that does not stream gives one message
                return message  # type: ignore[no-any-return]
            chunks.append(message)
            self._count(str(message.text))
            if self._is_endless():
                self.cut_off = True
                stream.close()  # and with it the connection: the server may stop writing
                break
        return add_ai_message_chunks(chunks[0], *chunks[1:])

    def _count(self, text: str) -> None:
        if text:
            self._pieces += 1
            self._characters += len(text)
            if self._on_tokens:
                self._on_tokens(self.tokens)

    def _is_endless(self) -> bool:
        """Only what no tokenizer explains: a provider that keeps to the limit is never cut off."""
        return self._pieces > self._limit or self._characters > self._limit * _LONGEST_TOKEN
