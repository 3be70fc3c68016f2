"""Splits of data, whatever holds them, and what is predicted for them. A part of the judge (`judge.py`)."""

import dataclasses
import hashlib
import itertools
from collections.abc import Iterable, Iterator
from typing import Any

MOST_EXAMPLES = 30_000  # of a split that are compared with those of another


def is_split(value: Any) -> bool:
    """A loader, a data set of Keras, or a pair of arrays of equal length."""
    if isinstance(value, list | tuple):
        return len(value) == 2 and all(map(is_array, value)) and len(value[0]) == len(value[1])
    return not {kind.__name__ for kind in type(value).__mro__}.isdisjoint({"DataLoader", "PyDataset"})


def is_array(value: Any) -> bool:
    return hasattr(value, "dtype") and len(getattr(value, "shape", ())) > 0


def as_array(value: Any) -> Any:
    import numpy as np

    if hasattr(value, "detach"):
        value = value.detach().cpu()
        return (value.float() if value.dtype.is_floating_point else value).numpy()
    return np.asarray(value)


def batches(split: Any) -> Iterator[Any]:
    """Inputs and targets, of whatever holds them."""
    if isinstance(split, list | tuple):
        yield from (tuple(part[start : start + 32] for part in split) for start in range(0, len(split[0]), 32))
    elif hasattr(split, "__iter__"):
        yield from split
    else:
        yield from (split[index] for index in range(len(split)))


def overlap(held_out: Any, other: Any) -> list[float] | None:
    """Share of the held-out examples that occur in the other split, and share of repetitions within that one."""
    if held_out is None or other is None:
        return None
    first, second = getattr(held_out, "dataset", held_out), getattr(other, "dataset", other)
    if first is second:
        return [1.0, 0.0]
    mine, known = digests(held_out, MOST_EXAMPLES), digests(other, MOST_EXAMPLES)
    if not mine or not known:
        return None
    shared = share(mine, known)
    if hasattr(first, "indices") and hasattr(second, "indices") and first.dataset is second.dataset:
        shared = max(shared, share(first.indices, second.indices))  # random augmentation hides nothing here
    return [shared, 1 - len(set(known)) / len(known)]


def share(items: Iterable[Any], known: Iterable[Any]) -> float:
    items, seen = [*items], {*known}
    return sum(item in seen for item in items) / len(items)


def digests(split: Any, most: int) -> list[bytes]:
    """A hash for each example of the split; empty when its examples cannot be looked up."""
    examples = zip(*split, strict=True) if isinstance(split, list | tuple) else rows_of(getattr(split, "dataset", None))
    return [digest(example) for example in itertools.islice(examples, most)]


def rows_of(dataset: Any) -> Iterable[Any]:
    inner = getattr(dataset, "dataset", dataset)
    if hasattr(inner, "tensors"):  # one look-up for all: the usual data set is one of tensors, or a part of one
        columns = [as_array(tensor) for tensor in inner.tensors]
        return zip(*(column if inner is dataset else column[list(dataset.indices)] for column in columns), strict=True)
    sized = hasattr(dataset, "__len__") and hasattr(dataset, "__getitem__")
    return (dataset[index] for index in range(len(dataset) if sized else 0))


def digest(example: Any) -> bytes:
    parts = example if isinstance(example, list | tuple) else [example]
    joint = hashlib.blake2b(digest_size=16)
    for part in parts:
        joint.update(as_array(part).tobytes() if hasattr(part, "dtype") else repr(part).encode())
    return joint.digest()


@dataclasses.dataclass
class Prediction:
    """One call of predict() by main()."""

    given: list[int]
    """Shape of the first array among its arguments; empty when there is none."""
    value: Any
    repeatable: bool | None = None
    """Whether it gave the same when it was asked again, with other random numbers."""


def shape_given(values: Iterable[Any]) -> list[int]:
    return next((list(value.shape) for value in values if is_array(value)), [])


def described(predictions: list[Prediction]) -> dict[str, Any] | None:
    """Kind and shapes of the first, and what is true of all of them."""
    import numpy as np

    if not predictions:
        return None
    first = predictions[0]
    kind = "array" if is_array(first.value) else type(first.value).__name__
    arrays = [as_array(leaf) for prediction in predictions for leaf in leaves(prediction.value)]
    numbers = [array for array in arrays if np.issubdtype(array.dtype, np.inexact)]
    return {
        "kind": kind,
        "given": first.given,
        "shape": list(first.value.shape) if kind == "array" else [],
        "dtype": str(arrays[0].dtype) if kind == "array" else "",
        "finite": all(bool(np.isfinite(array).all()) for array in numbers),
        "rows": sum(map(len, arrays)),
        "distinct": len({row.tobytes() for array in arrays for row in array}),
        "repeatable": first.repeatable,
    }


def same(first: Any, second: Any) -> bool | None:
    """Whether two arrays are equal; None when they are none."""
    import numpy as np

    if not (is_array(first) and is_array(second)):
        return None
    first, second = as_array(first), as_array(second)
    return first.shape == second.shape and bool(np.allclose(first, second, rtol=1e-3, atol=1e-5, equal_nan=True))


def leaves(value: Any) -> list[Any]:
    if is_array(value):
        return [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
    return [leaf for item in inner for leaf in leaves(item)]
