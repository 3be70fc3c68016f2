"""A trained classifier: from a request to how likely each value of a field is."""

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from dlcodegen.errors import InputError
from dlcodegen.planner.classifier.features import BUCKETS, features

if TYPE_CHECKING:
    import numpy as np

TASKS = Path(__file__).parent / "tasks.safetensors"
"""The shipped one: it tells the task."""


class Classifier:
    """Softmax regression over hashed features."""

    def __init__(self, names: Sequence[str], weights: "np.ndarray", bias: "np.ndarray") -> None:
        """`names`: the values; `weights`: (buckets, values); `bias`: (values,)."""
        self.names, self._weights, self._bias = list(names), weights, bias

    def odds(self, requirement: str, dataset: str = "") -> dict[str, float]:
        """How likely each value is; they sum to 1. Without a word in the request: as often as they came in training."""
        import numpy as np

        found = features(requirement, dataset)
        scores = self._bias.astype(np.float32)
        if found.buckets:
            scores = scores + np.asarray(found.values, np.float32) @ self._weights[found.buckets].astype(np.float32)
        shares = np.exp(scores - scores.max())
        return dict(zip(self.names, (shares / shares.sum()).tolist(), strict=True))

    def save(self, path: Path) -> None:
        """In half precision. Raises InputError when the file cannot be written."""
        import numpy as np
        from safetensors.numpy import save_file

        tensors = {"weights": self._weights.astype(np.float16), "bias": self._bias.astype(np.float16)}
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            save_file(tensors, path, metadata={"values": json.dumps(self.names)})
        except OSError as error:
            raise InputError(f"cannot write {path}: {error.strerror or error}") from error

    @classmethod
    def load(cls, path: Path) -> "Classifier":
        """Raises InputError, one line, when the file is missing, damaged or of another kind."""
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(path, framework="numpy") as file:
                names = json.loads(file.metadata()["values"])
                weights, bias = file.get_tensor("weights"), file.get_tensor("bias")
            if weights.shape != (BUCKETS, len(names)) or bias.shape != (len(names),):
                raise ValueError(f"shapes {weights.shape} and {bias.shape}")
        except (OSError, SafetensorError, LookupError, TypeError, ValueError) as error:
            raise InputError(f"{path} holds no classifier: {' '.join(str(error).split())[:120]}") from error
        return cls(names, weights, bias)


@cache
def task_classifier() -> Classifier:
    """The one of the package, loaded once. Raises InputError when it is damaged."""
    return Classifier.load(TASKS)
