"""Several answers by one request: a local server reads the prompt once for all of them.

On two cores that is most of the time: four requests of their own read a prompt of 1,000 tokens four times over.
"""

from typing import TYPE_CHECKING

from dlcodegen.context import Context
from dlcodegen.models.chat import Answer
from dlcodegen.models.decoding import Decoding, parameters
from dlcodegen.models.failures import explain, provider_errors, scrub
from dlcodegen.models.reading import token_estimate

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel


def shares_prompts(model: str) -> bool:
    """Whether one request is the way to several answers: at the server that is ours."""
    return model.partition(":")[0] == "local"


def ask_together(model: "BaseChatModel", context: Context, prompt: str, count: int, decoding: Decoding) -> list[Answer]:
    """`count` answers, not streamed. The prompt's tokens count once, with the first. Raises what `ask` raises."""
    from langchain_core.messages import HumanMessage
    from langgraph.constants import TAG_NOSTREAM

    bound = parameters(model, decoding, {"stream"}) | {"n": count}
    bound.pop("stream")
    try:
        result = model.generate([[HumanMessage(scrub(prompt))]], tags=[TAG_NOSTREAM], **bound)
    except provider_errors() as error:
        raise explain(error, context, "", begun=True) from None
    texts = [generation.text for generation in result.generations[0]]
    return [
        Answer(text, 0 if place else token_estimate(prompt), token_estimate(text)) for place, text in enumerate(texts)
    ]
