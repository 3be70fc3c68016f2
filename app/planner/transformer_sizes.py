"""Sizes as people write them of networks with attention: `ViT, dim 192, depth 6, 3 heads`."""

import re

from dlcodegen.planner.reading import Reading, negated

_TRANSFORMERS = ("transformer", "vit")
_EMBEDDERS = ("metric-learning", "self-supervised-learning", "recommendation")
"""Tasks whose embedding is what comes out of the model, not the width inside."""
_WIDTH = re.compile(
    r"(?<![\w-])dim(?:ension)?s?\s?(?:=|of|:)?\s?(\d{2,5})(?![\w.])|(?<![\w.])(\d{2,5})[- ]?dim(?:s|ensions?)?(?!\w)",
    re.IGNORECASE,
)
_DEPTH = re.compile(r"(?<![\w-])depth\s?(?:=|of|:)?\s?(\d{1,2})(?![\w.])", re.IGNORECASE)
_OF_ANOTHER = re.compile(
    r"(?:heads?|mlp|ff?n?|feed-?forward|inputs?|outputs?|latent|projections?|bottleneck|key|value)[ -_]?$",
    re.IGNORECASE,
)
_OF_EACH = re.compile(r"\s?(?:(?:hidden )?(?:units|features|dim\w*) )?(?:each|(?:per|for each|in each) head)(?!\w)")


def read_transformer_sizes(text: str, category: str, reading: Reading) -> None:
    """Width and number of layers of a Transformer; of graph attention the width of all heads together."""
    facts = reading.facts
    kind = facts["architecture"]["value"] if "architecture" in facts else ""
    if kind == "gat" and "num_heads" in facts and "hidden_size" in facts:
        _count_all_heads(text, reading)
    if kind not in _TRANSFORMERS and (kind, category) != ("autoencoder", "self-supervised-learning"):
        return
    if depth := _DEPTH.search(text):
        facts.pop("depth", None)
        reading.imply("num_layers", int(depth[1]), depth.group())
    if "embedding_dim" in facts and category not in _EMBEDDERS:
        reading.imply("hidden_size", facts["embedding_dim"]["value"], facts["embedding_dim"]["text"])
    for match in _WIDTH.finditer(text):
        if not _OF_ANOTHER.search(text[: match.start()]) and not negated(text, match):
            reading.imply("hidden_size", int(match[1] or match[2]), match.group())
            break


def _count_all_heads(text: str, reading: Reading) -> None:
    """`8 heads of 8 units each`: what the scripts call hidden_size is 64."""
    width, heads = reading.facts["hidden_size"], reading.facts["num_heads"]
    at = text.lower().find(str(width["text"]).lower())
    stated = str(width["text"]).lower()
    if at >= 0 and (stated.endswith(("each", "per head")) or _OF_EACH.match(text, at + len(stated))):
        whole = int(str(width["value"])) * int(str(heads["value"]))
        reading.facts["hidden_size"] = {"name": "hidden_size", "value": whole, "text": f"{heads['text']}, {stated}"}
