"""What may come next while the written fields of a plan are generated, so that every answer is a complete plan."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from dlcodegen.planner.gpt2.rows import OPEN
from dlcodegen.planner.gpt2.vocabulary import Vocabulary

if TYPE_CHECKING:
    import torch

MAX_LAYERS = 48
_MAX_TEXT = 64
"""Tokens of one text, or of one layer that is spelt out."""
_BRACKETS = {"(": 1, "[": 1, ")": -1, "]": -1}


class PlanGrammar:
    """A logits processor that masks every token that would make the plan incomplete or malformed.

    layers: one or more, each a known layer or a text with balanced brackets; then input and output, not empty; then
    preprocess. Lengths are bounded, so that generation always ends.
    """

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        marker = vocabulary.marker
        self._layers, self._layer = marker["<layers>"], marker["<layer>"]
        self._after = {marker["<input>"]: marker["<output>"], marker["<output>"]: marker["<preprocess>"]}
        self._after[marker["<preprocess>"]] = marker["<end>"]
        self._input, self._preprocess, self._end = marker["<input>"], marker["<preprocess>"], marker["<end>"]
        self._heads = {marker[f"<{name}>"] for name in OPEN} | {self._layer}
        self._depth = [
            sum(_BRACKETS.get(letter, 0) for letter in vocabulary.pieces.decode([piece]))
            for piece in range(vocabulary.text_size)
        ]

    def __call__(self, input_ids: "torch.LongTensor", scores: "torch.FloatTensor") -> Any:
        """`input_ids`: hypotheses x tokens; `scores`: hypotheses x vocabulary, returned with -inf where forbidden."""
        import torch

        masked = torch.full_like(scores, -torch.inf)
        for place, ids in enumerate(input_ids.tolist()):
            for allowed in self._allowed(ids):
                masked[place, allowed] = scores[place, allowed]
        return masked

    def _allowed(self, ids: Sequence[int]) -> list[slice]:
        """Ranges of token ids that may come next."""
        if ids[-1] == self._end:
            return [_only(self._end)]
        start = next(place for place in range(len(ids) - 1, -1, -1) if ids[place] in self._heads)
        head, written = ids[start], ids[start + 1 :]
        if head == self._layers:
            return [_only(self._layer)]
        if head == self._layer:
            return self._in_layer(written, ids)
        text = [] if len(written) >= _MAX_TEXT else [slice(0, self._vocabulary.text_size)]
        may_end = bool(written) or head == self._preprocess
        return text + ([_only(self._after[head])] if may_end else [])

    def _in_layer(self, written: Sequence[int], ids: Sequence[int]) -> list[slice]:
        closing = [_only(self._input)] + ([_only(self._layer)] if ids.count(self._layer) < MAX_LAYERS else [])
        if not written:
            known = self._vocabulary.layer_ids
            return [slice(0, self._vocabulary.text_size), slice(known.start, known.stop)]
        if written[-1] in self._vocabulary.layer_ids or len(written) >= _MAX_TEXT:
            return closing
        balanced = sum(self._depth[piece] for piece in written) == 0
        return [slice(0, self._vocabulary.text_size), *(closing if balanced else [])]


def _only(token: int) -> slice:
    return slice(token, token + 1)
