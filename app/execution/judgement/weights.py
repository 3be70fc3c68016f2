"""The weights that a run saved, and the models they belong to. A part of the judge (`judge.py`)."""

import copy
import functools
import importlib
import sys
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

JUDGED = Path("judged")


class WeightsError(Exception):
    """What was saved is not what the model needs."""


class Network:
    """A model of PyTorch, and how its weights are copied, put back and loaded."""

    def __init__(self, model: Any) -> None:
        self.model = model

    def state(self) -> dict[str, Any]:
        return copy.deepcopy(dict(self.model.state_dict()))

    def put(self, state: dict[str, Any]) -> None:
        self.model.load_state_dict(state)

    def load(self, files: list[Path]) -> dict[str, Any]:
        """Put the saved tensors that have most names in common with the model into it; `misfit` judges the rest."""
        own = self.model.state_dict().keys()
        candidates = [(path, state) for path in files if path.suffix != ".h5" for state in state_dicts(path)]
        if not candidates:
            raise WeightsError(problems(files))
        path, saved = max(candidates, key=lambda candidate: len(candidate[1].keys() & own))
        try:
            self.model.load_state_dict(saved, strict=False)  # main() may add what train() does not know of: a threshold
        except RuntimeError as error:
            raise WeightsError(f"{path.name} does not fit the model: {one_line(error)}") from error
        return saved

    def misfit(self, saved: dict[str, Any]) -> str:
        """Which names only one of model and file knows."""
        if type(self.model).__name__ in {"DataParallel", "DistributedDataParallel"}:
            return "the saved names begin with `module.`: save model.module.state_dict(), which the bare model can load"
        own = self.model.state_dict().keys()
        sides = {"lacks": own - saved.keys(), "has, and the model lacks,": saved.keys() - own}
        return "; ".join(f"the saved file {verb} {some(names)}" for verb, names in sides.items() if names)

    def unchanged(self, before: dict[str, Any], saved: dict[str, Any]) -> list[int]:
        """How many parameters have the value they had before training, and how many there are."""
        names = [name for name, _ in self.model.named_parameters() if name in before and name in saved]
        return [sum(before[name].equal(saved[name]) for name in names), len(names)]

    def save(self, state: dict[str, Any], path: Path, target: Path) -> None:
        """Write to target what path would hold with other weights, if it holds those of this model."""
        if path.suffix != ".h5" and any(known.keys() == state.keys() for known in state_dicts(path)):
            import torch

            held = content(path)
            inner = {name: state if is_state(value) else value for name, value in held.items()}
            torch.save(state if is_state(held) else inner, target)

    def __call__(self, *inputs: Any) -> Any:
        import torch

        self.model.eval()
        with torch.no_grad():
            return self.model(*inputs)


class KerasNetwork(Network):
    """A model of Keras; its weights are called by their places."""

    def state(self) -> dict[str, Any]:
        return {str(place): value for place, value in enumerate(self.model.get_weights())}

    def put(self, state: dict[str, Any]) -> None:
        self.model.set_weights(list(state.values()))

    def load(self, files: list[Path]) -> dict[str, Any]:
        path = next((path for path in files if path.suffix in {".h5", ".keras"}), None)
        if path is None:
            super().load(files)
            return self.state()
        weights = path
        try:
            if path.suffix == ".keras":  # an archive; its description of the model is not needed, and may hold code
                weights = Path(zipfile.ZipFile(path).extract("model.weights.h5", JUDGED))
            self.model.load_weights(weights)
        except (ValueError, OSError, KeyError, zipfile.BadZipFile) as error:
            raise WeightsError(f"{path.name} cannot be loaded: {one_line(error)}") from error
        return self.state()

    def misfit(self, saved: dict[str, Any]) -> str:
        return ""  # Keras is strict by itself

    def unchanged(self, before: dict[str, Any], saved: dict[str, Any]) -> list[int]:
        trainable = {id(weight) for weight in self.model.trainable_weights}
        places = [str(place) for place, weight in enumerate(self.model.weights) if id(weight) in trainable]
        same = [bool((before[place] == saved[place]).all()) for place in places if place in before]
        return [sum(same), len(same)]

    def save(self, state: dict[str, Any], path: Path, target: Path) -> None:
        if path.suffix == ".keras":
            self.model.save(target)
        elif path.suffix == ".h5":
            self.model.save_weights(target)

    def __call__(self, *inputs: Any) -> Any:
        return self.model(inputs[0] if len(inputs) == 1 else list(inputs), training=False)


def networks(values: Iterable[Any]) -> list[Network]:
    """The models among the values and in what they hold; a loss without weights is none."""
    import torch

    keras = sys.modules.get("keras")
    found: list[Network] = []
    for value in values:
        if keras and isinstance(value, keras.Model):
            found.append(KerasNetwork(value))
        elif isinstance(value, torch.nn.Module):
            found += [Network(value)] if value.state_dict() else []
        elif isinstance(value, list | tuple):
            found += networks(value)
        elif isinstance(value, dict):
            found += networks(value.values())
    return found


@functools.cache
def content(path: Path) -> Any:
    """What a file of PyTorch holds, or the error that says why it cannot be known."""
    import torch

    try:
        if path.suffix == ".safetensors":
            return importlib.import_module("safetensors.torch").load_file(path)
        return torch.load(path, weights_only=True, map_location="cpu")
    except Exception as error:
        return error


def state_dicts(path: Path) -> list[dict[str, Any]]:
    """The dictionaries of tensors in a file: itself, or those that it holds."""
    held = content(path)
    values = [held, *held.values()] if isinstance(held, dict) else []
    return [value for value in values if is_state(value)]


def is_state(value: Any) -> bool:
    return isinstance(value, dict) and bool(value) and all(hasattr(tensor, "shape") for tensor in value.values())


def problems(files: list[Path]) -> str:
    """Why none of the files holds weights."""
    for path in files:
        held = content(path)
        if isinstance(held, Exception):
            if "weights_only" in str(held):
                return f"{path.name} holds more than tensors: save model.state_dict(), not the model"
            return f"{path.name} cannot be loaded: {told(held)}"
    return f"there is no state_dict in {some(path.name for path in files)}" if files else "no weights were saved"


def some(names: Iterable[str]) -> str:
    names = sorted(names)
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:400]


def told(error: BaseException) -> str:
    return f"{type(error).__name__}: {one_line(error)}"
