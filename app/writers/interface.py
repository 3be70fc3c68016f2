"""What a model takes and gives, read from the one line that documents it: `build_model`'s docstring in each sample."""

import ast
import re
from dataclasses import dataclass
from typing import Literal

from dlcodegen.syntax_tree import parse

InputKind = Literal["image", "series", "tokens", "vector"]
OutputKind = Literal["scalar", "vector", "map", "steps"]
Kept = Literal["", "of length one", "coordinates in [0, 1]"]
_KEPT: tuple[Kept, ...] = ("of length one", "coordinates in [0, 1]")

_INPUT_KINDS: dict[tuple[str, ...], InputKind] = {
    ("channels", "image_height", "image_width"): "image",
    ("window", "num_features"): "series",
    ("sequence_length",): "tokens",
    ("num_features",): "vector",
}


# What is written word by word, or learnt from pairs: no list of layers says how; the sample's own model stays.
_WHOLE_MODELS = {
    "automatic-speech-recognition",
    "image-to-text",
    "question-answering",
    "self-supervised-learning",
    "summarization",
    "text-generation",
    "translation",
}


def is_built_from_layers(category: str) -> bool:
    """Whether a list of layers describes the whole model of this task category."""
    return category not in _WHOLE_MODELS


@dataclass(frozen=True)
class Interface:
    """Dimensions behind the batch, as Config fields or expressions of them.

    `Shapes: (N, window, num_features) -> (N, horizon)` is `Interface(("window", "num_features"), ("horizon",))`.
    """

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    kept: Kept = ""
    """What the last step of a model keeps its output to, in the words of the docstring; mostly nothing."""

    @property
    def input_kind(self) -> InputKind | None:
        """None for a task of its own (pairs, waveforms, noise vectors)."""
        return _INPUT_KINDS.get(self.inputs)

    @property
    def output_kind(self) -> OutputKind | None:
        """One number an example, a vector, a map of the image's size, or a vector for each token; else None."""
        if not self.outputs:
            return "scalar"
        if len(self.outputs) == 1:
            return "vector"
        if self.outputs[1:] == ("image_height", "image_width"):
            return "map"
        if len(self.outputs) == 2 and self.outputs[0] == "sequence_length":
            return "steps"
        return None

    @property
    def width(self) -> str:
        """The number of outputs as Python code: `config.num_classes`, `1`, `config.num_keypoints * 2`."""
        kind = self.output_kind
        name = {"scalar": "1", "vector": self.outputs[:1], "map": self.outputs[:1], "steps": self.outputs[-1:]}[
            kind or ""
        ]
        return re.sub(r"[A-Za-z_]\w*", lambda match: f"config.{match.group()}", "".join(name))


def read_interface(code: str) -> Interface | None:
    """The interface that `build_model`'s docstring states, or None when it states none."""
    for node in parse(code).body:
        if isinstance(node, ast.FunctionDef) and node.name == "build_model":
            told = ast.get_docstring(node) or ""
            match = re.search(r"Shapes: \(N(?:, )?([^)]*?),?\) -> \(N(?:, )?([^)]*?),?\)", told)
            if match:
                inputs, outputs = (
                    tuple(filter(None, (part.strip() for part in side.split(",")))) for side in match.groups()
                )
                kept: Kept = next((words for words in _KEPT if words in told), "")
                return Interface(inputs, outputs, kept)
    return None
