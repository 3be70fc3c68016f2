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
_ENOUGH = 0.8
"""Share of sampled plans that must be whole."""
_CLOSES = {")": "(", "]": "["}


_Allowed = tuple[int | str, ...]
"""Token ids, and names of sets of them; `([ 5` stands for what may follow with these brackets open and room for 5."""


class PlanGrammar:
    """A logits processor that masks every token that would make the plan incomplete or malformed.

    layers: one or more, each a known layer or a text with balanced brackets; then input and output, not empty; then
    preprocess. Lengths are bounded, so that generation always ends.
    """

    def __init__(self, vocabulary: Vocabulary, longest: int) -> None:
        """`longest`: tokens of a whole sequence, prompt included."""
        self._vocabulary = vocabulary
        self._layers_end = longest - _TEXTS * (_MAX_TEXT + 1) - 1
        marker = vocabulary.marker
        self._layers, self._layer = marker["<layers>"], marker["<layer>"]
        self._after = {marker["<input>"]: marker["<output>"], marker["<output>"]: marker["<preprocess>"]}
        self._after[marker["<preprocess>"]] = marker["<end>"]
        self._input, self._preprocess, self._end = marker["<input>"], marker["<preprocess>"], marker["<end>"]
        self._heads = {marker[f"<{name}>"] for name in OPEN} | {self._layer}
        texts = vocabulary.piece_texts
        brackets = ["".join(letter for letter in text if letter in "()[]") for text in texts]
        self._brackets = {piece: some for piece, some in enumerate(brackets) if some}
        self._most_brackets = max(map(len, brackets))
        visible = [piece for piece, text in enumerate(texts) if _is_visible(text)]
        known = vocabulary.layer_ids
        self._sets: dict[str, slice | list[int]] = {
            "text": slice(0, vocabulary.text_size),
            "visible": visible,
            "plain": [piece for piece in range(len(texts)) if piece not in self._brackets],
            "first": [piece for piece in visible if piece not in self._brackets],
            "known": slice(known.start, known.stop),
        }
        self._masks: dict[_Allowed, torch.Tensor] = {}

    def __call__(self, input_ids: "torch.LongTensor", scores: "torch.FloatTensor") -> Any:
        """`input_ids`: hypotheses x tokens; `scores`: hypotheses x vocabulary, returned with -inf where forbidden."""
        import torch

        allowed = [self._allowed(ids) for ids in input_ids.tolist()]
        places = {one: place for place, one in enumerate(dict.fromkeys(allowed))}
        masks = torch.stack([self._mask(one, scores.shape[1]) for one in places]).to(scores.device)
        return scores.masked_fill(~masks[[places[one] for one in allowed]], -torch.inf)

    def _mask(self, allowed: _Allowed, size: int) -> "torch.Tensor":
        """For each token whether it is allowed; the same few sets come again at every step."""
        import torch

        if allowed not in self._masks:
            mask = torch.zeros(size, dtype=torch.bool)
            for some in allowed:
                mask[some if isinstance(some, int) else self._set(some)] = True
            self._masks[allowed] = mask
        return self._masks[allowed]

    def _set(self, name: str) -> slice | list[int]:
        if name in self._sets:
            return self._sets[name]
        unclosed, room = name.split(" ")
        return [piece for piece, some in self._brackets.items() if _fits(_unclosed(unclosed, some), int(room))]

    def _allowed(self, ids: Sequence[int]) -> _Allowed:
        """What may come next."""
        if ids[-1] == self._end:
            return (self._end,)
        start = next(place for place in range(len(ids) - 1, -1, -1) if ids[place] in self._heads)
        head, written = ids[start], ids[start + 1 :]
        if head == self._layers:
            return (self._layer,)
        if head == self._layer:
            return self._in_layer(written, ids)
        return self._in_text(head, written)

    def _in_text(self, head: int, written: Sequence[int]) -> _Allowed:
        """Preprocess may be empty; of the others at least the last piece that there is room for can be seen."""
        if head == self._preprocess or _is_visible(self._vocabulary.text(written)):
            end = self._after[head]
            return (end,) if len(written) >= _MAX_TEXT else ("text", end)
        return ("text",) if len(written) < _MAX_TEXT - 1 else ("visible",)

    def _in_layer(self, written: Sequence[int], ids: Sequence[int]) -> _Allowed:
        if not written:
            return ("first", "known")
        # The marker of one more layer asks for room for the marker and for a token after it.
        enough = len(ids) + 2 > self._layers_end or ids.count(self._layer) >= MAX_LAYERS
        closing = (self._input,) if enough else (self._input, self._layer)
        if written[-1] in self._vocabulary.layer_ids:
            return closing
        unclosed = _unclosed("", "".join(self._brackets.get(piece, "") for piece in written)) or ""
        room = min(_MAX_TEXT - len(written), self._layers_end - len(ids)) - 1  # tokens left after the next one
        plain = ("plain",) if _fits(unclosed, room) else ()
        return (f"{unclosed} {min(room, len(unclosed) + self._most_brackets)}", *plain, *(() if unclosed else closing))


class MostEnded:
    """A stopping criterion: of every request's hypotheses enough are whole plans."""

    def __init__(self, end: int, count: int) -> None:
        """`end`: the token that ends a plan; `count`: hypotheses of one request."""
        self._end, self._count = end, count

    def __call__(self, input_ids: "torch.LongTensor", scores: object, **_: object) -> "torch.Tensor":
        """`input_ids`: hypotheses x tokens, those of one request together; whether to stop, for each hypothesis."""
        import torch

        ended = (input_ids == self._end).any(dim=1).view(-1, self._count).float().mean(dim=1)
        return torch.full((len(input_ids),), bool((ended >= _ENOUGH).all()), device=input_ids.device)


def _unclosed(before: str, brackets: str) -> str | None:
    """The brackets that stay open after these; None where one is closed that is not open."""
    for bracket in brackets:
        if bracket not in _CLOSES:
            before += bracket
        elif before.endswith(_CLOSES[bracket]):
            before = before[:-1]
        else:
            return None
    return before


def _fits(unclosed: str | None, room: int) -> bool:
    """Whether each of these can still be closed."""
    return unclosed is not None and len(unclosed) <= room


def _is_visible(text: str) -> bool:
    """More than white space and bytes that are no letter yet."""
    return bool(text.replace("\ufffd", "").strip())
