"""The model's vocabulary: pieces of words, then markers, then whole values, so that the model predicts no punctuation.

Every value that a closed field can take ("Adam", "0.001", "Image Segmentation") is one token, and so is every frequent
layer. One look at the model's output is then the exact distribution over all values. Text is cut by byte-pair encoding;
as values are no text, nothing that a requirement says can be taken for one.
"""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from dlcodegen.errors import InputError
from dlcodegen.planner.gpt2.rows import CLOSED, OPEN, PlanRow

if TYPE_CHECKING:
    from tokenizers import Tokenizer

MARKERS = ("<pad>", "<requirement>", "<dataset>", "<plan>", "<layer>", "<end>", "<pytorch>", "<keras>")
MAX_PROMPT = 224
"""Tokens of requirement and dataset together; longer ones are cut in the middle, where least is said."""
_PIECES = 6000
_FREQUENT_LAYER = 4
"""So often a layer must occur in the training rows to become a token of its own."""
_WORDS_FILE, _VALUES_FILE = "tokenizer.json", "values.json"


class Vocabulary:
    """Token ids: `0..pieces-1` text, then markers, then a marker for each field, then values, then layers."""

    def __init__(self, pieces: "Tokenizer", values: dict[str, list[str]], layers: list[str]) -> None:
        """`values`: for each closed field, what it can be. Raises InputError when that is nothing."""
        if unknown := [name.replace("_", " ") for name in CLOSED if not values[name]]:
            raise InputError(f"no plan has a value for {', '.join(unknown)}: each field needs one in some plan")
        self.pieces, self.values, self.layers = pieces, values, layers
        self.text_size: int = pieces.get_vocab_size()
        names = [*MARKERS, *(f"<{name}>" for name in (*CLOSED, *OPEN))]
        self.marker = {name: self.text_size + place for place, name in enumerate(names)}
        self.value_ids: dict[str, range] = {}
        start = self.text_size + len(names)
        for name in CLOSED:
            self.value_ids[name] = range(start, start + len(values[name]))
            start += len(values[name])
        self.layer_ids = range(start, start + len(layers))
        self.size = start + len(layers)

    @classmethod
    def of(cls, rows: Sequence[PlanRow], pieces: "Tokenizer | None" = None) -> "Vocabulary":
        """What these rows need; `pieces`: the tokenizer of a model that is trained on, else one is learnt."""
        values = {
            name: [value for value, _ in Counter(row.values[name] for row in rows if name in row.values).most_common()]
            for name in CLOSED
        }
        counted = Counter(layer for row in rows for layer in row.layers)
        layers = [layer for layer, times in counted.most_common() if times >= _FREQUENT_LAYER]
        return cls(pieces or learnt_pieces(_texts(rows)), values, layers)

    def prompt(self, requirement: str, dataset: str = "", framework: str = "") -> list[int]:
        """Token ids of what is known before a plan is made; lower case, for slips of case say nothing."""
        asked, described = (self._text(" ".join(text.lower().split())) for text in (requirement, dataset))
        asked = _shortened(asked, MAX_PROMPT - min(len(described), MAX_PROMPT // 2))
        described = _shortened(described, MAX_PROMPT - len(asked))
        ids = [self.marker["<requirement>"], *asked]
        if described:
            ids += [self.marker["<dataset>"], *described]
        if framework:
            ids.append(self.marker[f"<{framework}>"])
        return [*ids, self.marker["<plan>"]]

    def closed(self, name: str, value: str) -> list[int]:
        """The field's marker and its value; a value outside the vocabulary leaves the field out."""
        place = self._places[name].get(value)
        return [] if place is None else [self.marker[f"<{name}>"], self.value_ids[name][place]]

    def open(self, row: PlanRow) -> list[int]:
        """The written fields, each after its marker, up to the end marker."""
        ids = [self.marker["<layers>"]]
        for layer in row.layers:
            ids += [self.marker["<layer>"], *self._layer(layer)]
        for name in ("input", "output", "preprocess"):
            ids += [self.marker[f"<{name}>"], *self._text(row.values.get(name, ""))]
        return [*ids, self.marker["<end>"]]

    def text(self, ids: Iterable[int]) -> str:
        """The text of piece and layer ids."""
        pieces: list[int] = []
        written = ""
        for token in ids:
            if token in self.layer_ids:
                written += self.pieces.decode(pieces) + self.layers[token - self.layer_ids.start]
                pieces = []
            else:
                pieces.append(token)
        return (written + self.pieces.decode(pieces)).strip()

    def save(self, folder: Path) -> None:
        """Two JSON files."""
        self.pieces.save(str(folder / _WORDS_FILE))
        content = json.dumps({"values": self.values, "layers": self.layers}, ensure_ascii=False, indent=0)
        (folder / _VALUES_FILE).write_text(content, encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> "Vocabulary":
        """Raises InputError when a file is missing or none of ours."""
        from tokenizers import Tokenizer

        try:
            content = json.loads((folder / _VALUES_FILE).read_text(encoding="utf-8"))
            pieces = Tokenizer.from_str((folder / _WORDS_FILE).read_text(encoding="utf-8"))
            return cls(pieces, {name: list(content["values"][name]) for name in CLOSED}, list(content["layers"]))
        except Exception as error:  # the tokenizers library raises bare Exceptions for malformed files
            raise InputError(f"{folder} holds no vocabulary of a plan predictor: {type(error).__name__}") from error

    @cached_property
    def names(self) -> list[str]:
        """What the ids after the pieces mean: the same name in another vocabulary means the same there."""
        values = [f"{name} {value}" for name in CLOSED for value in self.values[name]]
        return [*self.marker, *values, *(f"layer {layer}" for layer in self.layers)]

    @cached_property
    def piece_texts(self) -> list[str]:
        """What each piece reads; a part of a letter reads U+FFFD."""
        return [self.pieces.decode([piece]) for piece in range(self.text_size)]

    @cached_property
    def _places(self) -> dict[str, dict[str, int]]:
        return {name: {value: place for place, value in enumerate(values)} for name, values in self.values.items()}

    @cached_property
    def _layer_places(self) -> dict[str, int]:
        return {layer: place for place, layer in enumerate(self.layers)}

    def _layer(self, layer: str) -> list[int]:
        place = self._layer_places.get(layer)
        return self._text(layer) if place is None else [self.layer_ids[place]]

    def _text(self, text: str) -> list[int]:
        ids: list[int] = self.pieces.encode(text, add_special_tokens=False).ids
        return ids


def _shortened(ids: list[int], limit: int) -> list[int]:
    if len(ids) <= limit:
        return ids
    head = limit * 2 // 3
    return ids[:head] + ids[len(ids) - (limit - head) :]


def _texts(rows: Sequence[PlanRow]) -> Iterable[str]:
    for row in rows:
        yield row.requirement.lower()
        yield row.dataset.lower()
        yield from (row.values.get(name, "") for name in ("input", "output", "preprocess"))
        yield from row.layers


def learnt_pieces(texts: Iterable[str], count: int = _PIECES) -> "Tokenizer":
    """A byte-level BPE tokenizer with so many pieces: no text is outside it."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=count,
        min_frequency=2,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer
