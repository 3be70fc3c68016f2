"""The layers that the running model holds, read from what they print: `Linear(in_features=128, out_features=10)`."""

import re
from dataclasses import dataclass, field

from dlcodegen.execution.conformance.layer_names import ALIASES
from dlcodegen.execution.conformance.wanted import Number, as_number, positions

_ITEM = re.compile(r"(?:(\w+)=)?(\([^()]*\)|[^,()\s]+)")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e-?\d+)?")
_LONGEST = 400
"""Characters of a printed layer that are read; it is a stranger's text."""


@dataclass
class Built:
    """A layer of the running model."""

    text: str
    name: str
    numbers: dict[str, Number] = field(default_factory=dict)
    left: int = 1
    """How many layers of the plan it can still stand for: an LSTM of two layers stands for two."""


def read_built(layers: list[str], framework: str) -> list[Built]:
    """Each printed layer; what is no layer is left out."""
    return [built for text in layers if (built := _read(text[:_LONGEST], framework == "keras")) is not None]


def _read(text: str, keras: bool) -> Built | None:
    bare = re.sub(r"^(?:Bidirectional|TimeDistributed)\((.*)\)$", r"\1", text.strip())
    match = re.match(r"(\w+)(?:\((.*?)\))?$", bare)
    if match is None:
        return None
    name, places = match[1], positions(match[1], keras) or []
    numbers: dict[str, Number] = {}
    for index, (keyword, value) in enumerate(_ITEM.findall(match[2] or "")):
        place = keyword or (places[index] if index < len(places) else "")
        read = _number(value)
        if place and read is not None:
            numbers[ALIASES.get(place, place)] = read
    stacked = numbers.get("num_layers", 1)
    return Built(text, name, numbers, stacked if isinstance(stacked, int) else 1)


def _number(text: str) -> Number | None:
    found = [float(one) if set(one) & set(".e") else int(one) for one in _NUMBER.findall(text)]
    plain = re.sub(r"[-\d.e(),\s]", "", text) == ""
    return as_number(found) if plain and found else None
