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
_TEXTS = 3
"""Input, output and preprocess: room for them is kept, however long the layers are."""
_BRACKETS = {"(": 1, "[": 1, ")": -1, "]": -1}


class PlanGrammar:
    """A logits processor that masks every token that would make the plan incomplete or malformed.

    layers: one or more, each a known layer or a text with balanced brackets; then input and output, not empty; then
    preprocess. Lengths are bounded, so that generation always ends.
    """

    def __init__(self, vocabulary: Vocabulary, longest: int) -> None:
        """`longest`: tokens of a whole sequence, prompt included."""
        self._vocabulary = vocabulary
        self._layers_end = longest - _TEXTS * (_MAX_TEXT + 1) - 2
        marker = vocabulary.marker
        self._layers, self._layer = marker["<layers>"], marker["<layer>"]
        self._after = {marker["<input>"]: marker["<output>"], marker["<output>"]: marker["<preprocess>"]}
        self._after[marker["<preprocess>"]] = marker["<end>"]
        self._input, self._preprocess, self._end = marker["<input>"], marker["<preprocess>"], marker["<end>"]
        self._heads = {marker[f"<{name}>"] for name in OPEN} | {self._layer}
        self._depth = [sum(_BRACKETS.get(letter, 0) for letter in text) for text in vocabulary.piece_texts]
        self._text = slice(0, vocabulary.text_size)
        self._visible = [piece for piece, text in enumerate(vocabulary.piece_texts) if _is_visible(text)]

    def __call__(self, input_ids: "torch.LongTensor", scores: "torch.FloatTensor") -> Any:
        """`input_ids`: hypotheses x tokens; `scores`: hypotheses x vocabulary, returned with -inf where forbidden."""
        import torch

        masked = torch.full_like(scores, -torch.inf)
        for place, ids in enumerate(input_ids.tolist()):
            for allowed in self._allowed(ids):
                masked[place, allowed] = scores[place, allowed]
        return masked

    def _allowed(self, ids: Sequence[int]) -> "list[slice | list[int]]":
        """Token ids that may come next."""
        if ids[-1] == self._end:
            return [_only(self._end)]
        start = next(place for place in range(len(ids) - 1, -1, -1) if ids[place] in self._heads)
        head, written = ids[start], ids[start + 1 :]
        if head == self._layers:
            return [_only(self._layer)]
        if head == self._layer:
            return self._in_layer(written, ids)
        return self._in_text(head, written)

    def _in_text(self, head: int, written: Sequence[int]) -> "list[slice | list[int]]":
        """Preprocess may be empty; of the others at least the last piece that there is room for can be seen."""
        if head == self._preprocess or _is_visible(self._vocabulary.text(written)):
            end = _only(self._after[head])
            return [end] if len(written) >= _MAX_TEXT else [self._text, end]
        return [self._text] if len(written) < _MAX_TEXT - 1 else [self._visible]

    def _in_layer(self, written: Sequence[int], ids: Sequence[int]) -> "list[slice | list[int]]":
        known = self._vocabulary.layer_ids
        if not written:
            return [self._visible, slice(known.start, known.stop)]
        no_room = len(ids) >= self._layers_end
        enough = no_room or ids.count(self._layer) >= MAX_LAYERS
        closing: list[slice | list[int]] = [_only(self._input)] if enough else [_only(self._input), _only(self._layer)]
        if no_room or written[-1] in known or len(written) >= _MAX_TEXT:
            return closing
        balanced = sum(self._depth[piece] for piece in written) == 0
        return [self._text, *(closing if balanced else [])]


def _is_visible(text: str) -> bool:
    """More than white space and bytes that are no letter yet."""
    return bool(text.replace("\ufffd", "").strip())


def _only(token: int) -> slice:
    return slice(token, token + 1)
