"""Scores a model's raw outputs against the targets, without a line of the project's own code."""

import math
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

MOST_BYTES = 16 << 20
_LEAST = 1e-12  # a probability of nothing would be an infinite loss


@dataclass(frozen=True)
class Score:
    """What the outputs are worth."""

    loss: float
    """Cross-entropy, or the mean squared error; the lower, the better."""
    metrics: dict[str, float]
    """By the names that they usually have in metrics.json."""
    one_of_many: bool = False
    """Whether each example belongs to one class, and has a logit for each: then there is but one accuracy."""
    variety: float = 0.0
    """Share of the examples that do not get the most frequent answer, where an answer can be told from the outputs."""


def read_array(content: bytes) -> "NDArray[Any]":
    """The numbers in a .npy file of a stranger. Raises ValueError when it is anything else, or does not add up."""
    import numpy as np
    from numpy.lib import format as npy

    if len(content) > MOST_BYTES:
        raise ValueError("the array is too large")
    stream = BytesIO(content)
    if npy.read_magic(stream) != (1, 0):
        raise ValueError("the array has another format")
    shape, columns_first, dtype = npy.read_array_header_1_0(stream)
    numbers = stream.read()
    if dtype.kind not in "biuf" or not 1 <= len(shape) <= 8 or math.prod(shape) * dtype.itemsize != len(numbers):
        raise ValueError("the array is not what its header says")
    return np.frombuffer(numbers, dtype).reshape(shape, order="F" if columns_first else "C")


def score(outputs: "NDArray[Any]", targets: "NDArray[Any]") -> Score | None:
    """As classes, as zeros and ones, or as numbers, whatever the targets look like; None where they fit nothing."""
    import numpy as np

    values = outputs.astype(np.float64)
    if not len(values) or len(values) != len(targets) or not np.isfinite(values).all():
        return None
    if targets.dtype.kind in "iu" and values.ndim == targets.ndim + 1:
        return _classes(values, targets.astype(np.int64))
    wanted = targets.astype(np.float64)
    values, wanted = (array[..., 0] if array.ndim > 1 and array.shape[-1] == 1 else array for array in (values, wanted))
    if values.shape != wanted.shape or not np.isfinite(wanted).all():
        return None
    return _labels(values, wanted) if np.isin(wanted, (0, 1)).all() else _numbers(values, wanted)


def _classes(values: "Array", targets: "NDArray[np.int64]") -> Score | None:
    """One class each: of examples (N, classes), pixels (N, classes, ...) or tokens (N, length, classes)."""
    import numpy as np

    axes = [axis for axis in (1, values.ndim - 1) if np.delete(values.shape, axis).tolist() == list(targets.shape)]
    if len(set(axes)) != 1:
        return None
    logits = np.moveaxis(values, axes[0], -1).reshape(-1, values.shape[axes[0]])
    wanted = targets.reshape(-1)
    counted = wanted >= 0  # negative ones mark what shall be ignored
    if not counted.any() or logits.shape[1] < 2 or wanted.max() >= logits.shape[1]:
        return None
    logits, wanted = logits[counted], wanted[counted]
    likely = logits if _are_probabilities(logits) else _softmax(logits)
    chosen = likely[np.arange(len(wanted)), wanted]
    answers = likely.argmax(axis=1)
    metrics = {"accuracy": float((answers == wanted).mean())}
    variety = 1 - float(np.bincount(answers).max()) / len(answers)
    return Score(float(-np.log(chosen.clip(_LEAST)).mean()), metrics, targets.ndim == 1, variety)


def _labels(values: "Array", targets: "Array") -> Score:
    """Zeros and ones, from logits or, where nothing lies outside of [0, 1], from probabilities."""
    import numpy as np

    probable = values if ((values >= 0) & (values <= 1)).all() else 1 / (1 + np.exp(-values.clip(-60, 60)))
    losses = np.where(targets == 1, -np.log(probable.clip(_LEAST)), -np.log((1 - probable).clip(_LEAST)))
    return Score(float(losses.mean()), {"accuracy": float(((probable > 0.5) == (targets == 1)).mean())})


def _numbers(values: "Array", targets: "Array") -> Score:
    import numpy as np

    errors = values - targets
    mse = float(np.square(errors).mean())
    variety = 1 - 1 / len(np.unique(values, axis=0))
    return Score(mse, {"mse": mse, "rmse": math.sqrt(mse), "mae": float(np.abs(errors).mean())}, variety=variety)


def _are_probabilities(rows: "Array") -> bool:
    import numpy as np

    return bool((rows >= 0).all() and np.allclose(rows.sum(axis=1), 1, atol=1e-3))


def _softmax(rows: "Array") -> "Array":
    import numpy as np

    powers = np.exp(rows - rows.max(axis=1, keepdims=True))
    shares: Array = powers / powers.sum(axis=1, keepdims=True)
    return shares
