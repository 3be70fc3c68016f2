"""From a setting to an embedding model: a second opinion in retrieval, which nobody needs and the user may name."""

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from dlcodegen.errors import SettingsError
from dlcodegen.models.failures import address, one_line, provider_errors, scrub

if TYPE_CHECKING:
    from langchain_core.embeddings import Embeddings

Embed = Callable[[Sequence[str]], list[list[float]]]
"""Texts -> their vectors, in order."""


def embedder(name: str, base_url: str = "") -> Embed:
    """What turns texts into vectors with the model of that name (`openai:text-embedding-3-small`).

    Opens no connection. Raises SettingsError for a name that cannot work; so does each call when the model does not
    answer. Keys found in the environment are taken out of the texts.
    """
    model = _build(name, base_url)

    def embed(texts: Sequence[str]) -> list[list[float]]:
        try:
            return model.embed_documents([scrub(text) for text in texts])
        except provider_errors() as error:
            place = f" at {address(base_url)}" if base_url else ""
            raise SettingsError(f"the embedding model {name}{place} does not answer: {one_line(error)}") from None

    return embed


def _build(name: str, base_url: str) -> "Embeddings":
    from langchain.embeddings import init_embeddings

    provider, colon, model = name.partition(":")
    if not colon or not model:
        raise SettingsError(f"embeddings {name!r} names no model: write PROVIDER:NAME such as openai:nomic-embed-text")
    options: dict[str, Any] = {}
    if base_url:
        # These servers take text, and no token numbers; the client insists on a key.
        options = {"base_url": base_url, "check_embedding_ctx_length": False, "api_key": "none-needed"}
    try:
        built = init_embeddings(model, provider=provider, **options)
    except ImportError as error:
        package = re.search(r"pip install ([\w-]+)", str(error))
        needed = package.group(1) if package else f"langchain-{provider}"
        raise SettingsError(f"{provider} embeddings need one more package: pip install {needed}") from error
    except provider_errors() as error:
        raise SettingsError(f"embeddings {name} cannot be set up: {one_line(error)}") from None
    return built
