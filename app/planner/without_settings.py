"""A request without how the model is to be trained: what is left tells the task.

Readers that were trained on whole requests take `6 layers, 8 heads, label smoothing 0.1` for a sign of a task.
"""

import re
from collections.abc import Iterator

from dlcodegen import vocabulary
from dlcodegen.planner.quantities import findings, number_positions
from dlcodegen.planner.reading import blank
from dlcodegen.planner.stated_names import settings_in_words
from dlcodegen.techniques import TECHNIQUES

_NUMBERS = (
    "learning_rate", "batch_size", "patience", "epochs", "seed", "weight_decay", "momentum", "label_smoothing",
    "gradient_clip", "dropout", "num_layers", "num_heads", "hidden_size", "kernel_size", "patch_size",
)  # fmt: skip


def without_settings(text: str) -> str:
    """The text without numbers of model and training, optimizers, schedules and techniques."""
    lower = text.lower()
    if len(lower) != len(text):  # a letter that becomes two: places would not be the same
        return text
    for match in _settings(lower):
        text = blank(text, match)
    return " ".join(text.split())


def _settings(lower: str) -> Iterator[re.Match[str]]:
    numbers = number_positions(lower)
    for name in _NUMBERS:
        yield from findings(name, lower, numbers)
    words = (*(technique.words for technique in TECHNIQUES), *settings_in_words())
    for pattern in words:
        yield from re.finditer(rf"\b(?:{pattern})", lower, re.IGNORECASE)
    yield from filter(None, (optimizer.search(lower) for optimizer in vocabulary.OPTIMIZERS))
