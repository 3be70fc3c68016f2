"""Judges a trained project in a clean process: its main() is replayed with `train` replaced by loading what was saved.

Runs as a script in the sandbox, beside main.py: `judge.py ARGUMENT...`, where the arguments are those of the first run
and saved/ holds the weights and the metrics.json which that run left. So no signature has to be guessed: main() itself
hands over the model, the splits and the arguments of `evaluate` and `predict`. Replayed are the saved weights (more
than once where metrics vary), the untrained ones, and the saved ones on data of another seed. It is one file, since
only the standard library, torch, numpy and, where the project uses it, Keras can be counted on in there.

Writes judged/facts.json and the model's raw outputs, for `dlcodegen.execution.judgement` to draw conclusions from. The
project runs in this very process: it could forge them if it were written for that, so they are a stranger's data.
"""

import contextlib
import copy
import dataclasses
import functools
import hashlib
import importlib.util
import itertools
import json
import os
import random
import shutil
import sys
import time
import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

SAVED, JUDGED = Path("saved"), Path("judged")
MOST_BYTES = 8 << 20  # of each array that is handed over
MOST_EXAMPLES = 30_000  # of a split that are compared with those of another
PATIENCE = 10.0  # seconds after which replays that only refine the picture are left out


class WeightsError(Exception):
    """What was saved is not what the model needs."""


class NotJudgedError(Exception):
    """The project is built in a way that cannot be replayed."""


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

    def __call__(self, inputs: Any) -> Any:
        import torch

        self.model.eval()
        with torch.no_grad():
            return self.model(inputs)


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

    def __call__(self, inputs: Any) -> Any:
        return self.model(inputs, training=False)


class Project:
    """The script as a module, what its first run saved, and the arguments that it was given."""

    def __init__(self, arguments: list[str]) -> None:
        self.arguments = arguments
        self.out = Path(arguments[arguments.index("--out") + 1])
        saved = [path for path in SAVED.iterdir() if path.suffix != ".json"]
        self.files = sorted(saved, key=lambda path: (not path.name.startswith("model"), path.name))
        self.shortened = False
        """Whether train() runs for an epoch before its work is replaced: main() may need what else it does."""
        os.environ.setdefault("KERAS_BACKEND", "torch")
        specification = importlib.util.spec_from_file_location("main", "main.py")
        assert specification is not None and specification.loader is not None
        self.module: ModuleType = importlib.util.module_from_spec(specification)
        sys.modules["main"] = self.module
        specification.loader.exec_module(self.module)
        for name in ("main", "train"):
            if not callable(getattr(self.module, name, None)):
                raise NotJudgedError(f"there is no function {name}()")
        self.draws = random_state()
        self.predicted: list[Any] = []
        """What predict() gave main() in the first replay; main() only writes it, and it can be most of the work."""


class Replay:
    """One run of main() in which nothing is learned, and what was seen of it."""

    def __init__(self, project: Project, trained: bool = True, noise: int = 1, seed: int | None = None) -> None:
        self.project, self.trained, self.noise = project, trained, noise
        self.flags = [] if seed is None else ["--seed", str(seed)]
        self.network: Network | None = None
        self.saved: dict[str, Any] = {}
        self.unchanged = [0, 0]
        self.config: Any = None
        self.fitted: list[Any] = []
        """Splits that train() was given: training and validation."""
        self.tested: list[Any] = []
        """Splits that evaluate() was given after training."""
        self.evaluated: list[dict[str, Any]] = []
        self.metrics: dict[str, Any] = {}
        """What main() wrote, else what evaluate() returned."""
        self.predictions: list[dict[str, Any]] = []
        self.predicted: list[Any] = []
        self.known = list(project.predicted) if seed is None else []
        self.in_train_mode: set[str] = set()
        self.phase = ""

    def run(self) -> "Replay":
        """Raises what main() raises, and WeightsError when the weights are not those of the model."""
        module, metrics = self.project.module, self.project.out / "metrics.json"
        names = [name for name in ("load_data", "train", "evaluate", "predict") if hasattr(module, name)]
        self.originals = {name: getattr(module, name) for name in names}
        metrics.unlink(missing_ok=True)
        restore_random_state(self.project.draws)
        sys.argv = ["main.py", *self.project.arguments, *self.flags]
        try:
            for name in names:
                setattr(module, name, getattr(self, name))
            with self.watching():
                module.main()
        except SystemExit as error:
            if error.code:
                raise NotJudgedError(f"main() exits: {one_line(error)}") from error
        finally:
            for name, original in self.originals.items():
                setattr(module, name, original)
        if self.network is None:
            raise NotJudgedError("main() does not call train() with a model")
        if self.trained and (problem := self.network.misfit(self.saved)):
            raise WeightsError(problem)
        self.metrics = read_json(metrics) or (self.evaluated[-1] if self.evaluated else {})
        return self

    @property
    def test(self) -> Any:
        """The held-out split: of what was evaluated, that which training did not get."""
        strange = [split for split in self.tested if all(split is not known for known in self.fitted)]
        return next(iter(strange or self.tested), None)

    def load_data(self, *arguments: Any, **named: Any) -> Any:
        self.config = next((value for value in [*arguments, *named.values()] if hasattr(value, "seed")), None)
        return self.originals["load_data"](*arguments, **named)

    def train(self, *arguments: Any, **named: Any) -> Any:
        """Instead of training: the weights that were saved, or those of before."""
        given = [*arguments, *named.values()]
        self.fitted = [value for value in given if is_split(value)]
        known = [(network, network.state()) for network in networks(given)]
        result = None
        if self.project.shortened:
            result = self.originals["train"](*map(one_epoch, arguments), **{k: one_epoch(v) for k, v in named.items()})
            new = networks([result])
            known += [(made, {}) for made in new if all(made.model is not network.model for network, _ in known)]
        for network, before in known:
            self.put_weights(network, before)
        draw_from(self.noise)  # what follows shall not depend on how often training drew
        return result

    def put_weights(self, network: Network, before: dict[str, Any]) -> None:
        out, files = self.project.out, self.project.files
        out.mkdir(parents=True, exist_ok=True)
        if self.trained:
            saved = network.load(files)
            if self.network is None:
                self.saved, self.unchanged = saved, network.unchanged(before, saved)
        elif before:
            network.put(before)
        for path in files:  # train() may save, and main() load
            if self.trained:
                shutil.copyfile(path, out / path.name)
            elif before:
                network.save(before, path, out / path.name)
        self.network = self.network or network

    def evaluate(self, *arguments: Any, **named: Any) -> Any:
        if self.network is None:  # before training
            return self.originals["evaluate"](*arguments, **named)
        self.tested += [value for value in [*arguments, *named.values()] if is_split(value)][:1]
        with self.during("evaluate"):
            metrics = self.originals["evaluate"](*arguments, **named)
        if isinstance(metrics, dict):
            self.evaluated.append(metrics)
        return metrics

    def predict(self, *arguments: Any, **named: Any) -> Any:
        if self.known and self.evaluated and not self.phase:
            return self.known.pop(0)
        with self.during("predict"):
            predicted = self.originals["predict"](*arguments, **named)
        if self.network and not self.phase:
            self.predictions.append(summary(predicted))
            self.predicted.append(predicted)
        return predicted

    @contextlib.contextmanager
    def during(self, phase: str) -> Iterator[None]:
        outer, self.phase = self.phase, phase
        try:
            yield
        finally:
            self.phase = outer

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """Layers that act differently in training are noted when they still do in evaluate() or predict()."""
        from torch.nn.modules.module import register_module_forward_pre_hook

        def note(module: Any, inputs: Any) -> None:
            if self.phase and self.network and module.training and differs_in_training(module):
                self.in_train_mode.add(f"{type(module).__name__} in {self.phase}()")

        handle = register_module_forward_pre_hook(note)
        try:
            yield
        finally:
            handle.remove()


def judge(project: Project) -> dict[str, Any]:
    """The facts. Raises WeightsError and NotJudgedError, or whatever main() raises even after an epoch of training."""
    started = time.monotonic()
    try:
        first = Replay(project).run()
    except Exception:
        project.shortened = True
        first = Replay(project).run()
    project.predicted = first.predicted
    train_split, validation_split = [*first.fitted, None, None][:2]
    facts = {
        "unchanged": first.unchanged,
        "tensors": len(first.saved),
        "predict": joined(first.predictions),
        "train_mode": sorted(first.in_train_mode),
        "evaluated": first.evaluated[:5],
        "leak": overlap(first.test, train_split),
        "validation_leak": overlap(validation_split, train_split),
        **probe(first),
    }
    trained = [first.metrics]
    if first.metrics != read_json(SAVED / "metrics.json"):  # more draws tell how far they scatter
        again = Replay(project, noise=2).run()
        facts["same_data"] = digests(again.test, 32) == digests(first.test, 32)
        trained.append(again.metrics)
        if trained[0] != trained[1]:
            in_time = itertools.takewhile(lambda _: time.monotonic() - started < PATIENCE, range(3, 6))
            trained += [Replay(project, noise=noise).run().metrics for noise in in_time]
    untrained = attempt(Replay(project, trained=False).run)
    if untrained:
        probe(untrained)
    seed, fresh = getattr(first.config, "seed", None), None
    if isinstance(seed, int) and time.monotonic() - started < PATIENCE:
        fresh = attempt(Replay(project, seed=seed + 1000).run)
    return facts | {
        "trained": trained,
        "untrained": untrained and untrained.metrics,
        "fresh": fresh and fresh.metrics,
        "fresh_predict": fresh and joined(fresh.predictions),
        "shortened": project.shortened,
    }


def probe(replay: Replay) -> dict[str, Any]:
    """Raw outputs for the test split, where batches are (inputs, targets) and the model answers with one tensor."""
    if replay.test is None or replay.network is None:
        return {"probe": "evaluate() is given no batches"}
    try:
        return outputs_of(replay.network, batches(replay.test), replay.trained)
    except Exception as error:
        return {"probe": f"the model cannot be called with the inputs of a batch: {told(error)}"}


def outputs_of(network: Network, split: Iterable[Any], trained: bool) -> dict[str, Any]:
    import numpy as np

    facts: dict[str, Any] = {"probe": "", "whole": True}
    parts: list[tuple[Any, Any]] = []
    room = MOST_BYTES
    for batch in split:
        if not (isinstance(batch, list | tuple) and len(batch) == 2 and all(map(is_array, batch))):
            return {"probe": "a batch is no pair of inputs and targets"}
        output = network(batch[0])
        if not is_array(output) or not len(output) == len(batch[0]) == len(batch[1]):
            return {"probe": "the model does not answer with one tensor that has a row for each example"}
        if not parts and trained:
            facts |= first_batch(network, batch[0], output)
        arrays = as_array(output), as_array(batch[1])
        rows = min(len(output), room // max(1, *(array.nbytes // len(array) for array in arrays)))
        parts.append((arrays[0][:rows], arrays[1][:rows]))
        room -= max(array.nbytes for array in arrays)
        if rows < len(output):
            facts["whole"] = False
            break
    outputs, targets = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    np.save(JUDGED / ("outputs.npy" if trained else "untrained_outputs.npy"), outputs, allow_pickle=False)
    np.save(JUDGED / "targets.npy", targets, allow_pickle=False)
    return facts


def first_batch(network: Network, inputs: Any, outputs: Any) -> dict[str, Any]:
    """Shapes, and how many of some examples get another output alone than in their batch."""
    import numpy as np

    expected = as_array(outputs)
    near = 1e-3 * (1 + float(np.abs(expected).max()))
    rows = sorted({0, len(inputs) - 1})
    gaps = [np.abs(as_array(network(inputs[row : row + 1]))[0] - expected[row]).max() for row in rows]
    facts = {"inputs": list(inputs.shape), "outputs": list(outputs.shape)}
    differing = sum(not gap <= near for gap in gaps)
    draw_from(7)
    if differing and not np.array_equal(as_array(network(inputs)), expected):
        return facts  # it draws random numbers
    return facts | {"alone": [differing, len(rows)]}


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


def batches(split: Any) -> Iterator[Any]:
    """Inputs and targets, of whatever holds them."""
    if isinstance(split, list | tuple):
        yield from (tuple(part[start : start + 32] for part in split) for start in range(0, len(split[0]), 32))
    elif hasattr(split, "__iter__"):
        yield from split
    else:
        yield from (split[index] for index in range(len(split)))


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
            from safetensors.torch import load_file

            return load_file(path)
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
    return f"there is no state_dict in {some(path.name for path in files)}"


def differs_in_training(module: Any) -> bool:
    from torch.nn.modules import batchnorm, dropout

    if isinstance(module, batchnorm._BatchNorm):
        return True
    rate = module.p if isinstance(module, dropout._DropoutNd) else getattr(module, "dropout", 0.0)
    return isinstance(rate, float) and rate > 0


def one_epoch(value: Any) -> Any:
    """The configuration, cut to one epoch; anything else as it is."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type) and hasattr(value, "epochs"):
        return dataclasses.replace(value, epochs=1)
    return value


def summary(predicted: Any) -> dict[str, Any]:
    """What predict() gave: its kind, and whether all numbers in it are finite."""
    import numpy as np

    arrays = [as_array(value) for value in leaves(predicted)]
    numbers = [array for array in arrays if np.issubdtype(array.dtype, np.inexact)]
    kind = "array" if is_array(predicted) else type(predicted).__name__
    shape, dtype = (list(arrays[0].shape), str(arrays[0].dtype)) if kind == "array" else ([], "")
    finite = all(bool(np.isfinite(array).all()) for array in numbers)
    return {"kind": kind, "shape": shape, "dtype": dtype, "finite": finite}


def leaves(value: Any) -> list[Any]:
    if is_array(value):
        return [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
    return [leaf for item in inner for leaf in leaves(item)]


def joined(predictions: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The first call's summary, finite where all were."""
    return predictions[0] | {"finite": all(one["finite"] for one in predictions)} if predictions else None


def random_state() -> tuple[Any, ...]:
    import numpy as np
    import torch

    return random.getstate(), np.random.get_state(), torch.get_rng_state()


def restore_random_state(state: tuple[Any, ...]) -> None:
    import numpy as np
    import torch

    random.setstate(state[0])
    np.random.set_state(state[1])
    torch.set_rng_state(state[2])


def draw_from(seed: int) -> None:
    import numpy as np
    import torch

    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def attempt(run: Callable[[], Replay]) -> Replay | None:
    """A replay of other weights or other data, which may fail where that of the first run does not."""
    try:
        return run()
    except Exception as error:
        sys.stderr.write(f"left out: {told(error)}\n")
        return None


def read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def some(names: Iterable[str]) -> str:
    names = sorted(names)
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:400]


def told(error: BaseException) -> str:
    return f"{type(error).__name__}: {one_line(error)}"


def main() -> None:
    started = time.monotonic()
    JUDGED.mkdir(exist_ok=True)
    try:
        facts = judge(Project(sys.argv[1:]))
    except WeightsError as error:
        facts = {"weights": str(error)}
    except NotJudgedError as error:
        facts = {"not_applicable": str(error)}
    except Exception as error:
        facts = {"not_applicable": f"main() cannot be replayed: {told(error)}"}
    facts["seconds"] = time.monotonic() - started
    (JUDGED / "facts.json").write_text(json.dumps(facts, default=float), encoding="utf-8")


if __name__ == "__main__":
    main()
