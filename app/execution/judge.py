"""Judges a trained project in a clean process: its main() is replayed with `train` replaced by loading what was saved.

Runs as a script in the sandbox, beside main.py: `judge.py ARGUMENT...`, where the arguments are those of the first run
and saved/ holds the weights and the metrics.json which that run left. So no signature has to be guessed: main() itself
hands over the model, the splits and the arguments of `evaluate` and `predict`. Replayed are the saved weights (more
than once where metrics vary), the untrained ones, and the saved ones on data of another seed. One file, since only
torch, numpy, the standard library and, where the project uses it, Keras can be counted on.

Writes judged/facts.json and the model's raw outputs, for `dlcodegen.execution.judgement` to draw conclusions from. The
project runs in this very process: it could forge them if it were written for that, so they are a stranger's data.
"""

import contextlib
import copy
import dataclasses
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
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

FACTS = Path("judged")
MOST_BYTES = 4 << 20  # of each array that is handed over
MOST_EXAMPLES = 30_000  # of a split that are compared with those of another
PATIENCE = 15.0  # seconds after which replays that only refine the picture are left out


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

    def load(self, path: Path) -> dict[str, Any]:
        """The saved tensors, after they were put into the model; `missing` says at the end whether any is left over."""
        saved = max(state_dicts(path), key=lambda state: len(state.keys() & self.model.state_dict().keys()))
        try:
            # Not strict: main() may add to the model what train() does not know of, such as a threshold.
            self.model.load_state_dict(saved, strict=False)
        except RuntimeError as error:
            raise WeightsError(f"{path.name} does not fit the model: {' '.join(str(error).split())}") from error
        return saved

    def missing(self, saved: dict[str, Any]) -> str:
        """Which names only one of model and file knows."""
        own = self.model.state_dict().keys()
        sides = {"lacks": own - saved.keys(), "has unknown": saved.keys() - own}
        return ", ".join(f"{verb} {some(names)}" for verb, names in sides.items() if names)

    def unchanged(self, before: dict[str, Any], saved: dict[str, Any]) -> list[int]:
        """How many parameters have the value they had before training, and how many there are."""
        pairs = [
            (before[name], saved[name]) for name, _ in self.model.named_parameters() if name in before.keys() & saved
        ]
        return [sum(bool((a == b).all()) for a, b in pairs if a.shape == b.shape), len(pairs)]

    def save(self, state: dict[str, Any], path: Path) -> None:
        import torch

        torch.save(state, path)

    def __call__(self, inputs: Any) -> Any:
        import torch

        self.model.eval()
        with torch.no_grad():
            return self.model(inputs)


class KerasNetwork(Network):
    """A model of Keras; the names of its weights are their places."""

    def state(self) -> dict[str, Any]:
        return {str(place): value for place, value in enumerate(self.model.get_weights())}

    def put(self, state: dict[str, Any]) -> None:
        self.model.set_weights(list(state.values()))

    def load(self, path: Path) -> dict[str, Any]:
        if path.suffix not in {".h5", ".keras"}:
            return super().load(path)
        weights = path
        try:
            if path.suffix == ".keras":  # an archive; its description of the model is not needed, and may hold code
                weights = Path(zipfile.ZipFile(path).extract("model.weights.h5", FACTS))
            self.model.load_weights(weights)
        except (ValueError, OSError, KeyError, zipfile.BadZipFile) as error:
            raise WeightsError(f"{path.name} cannot be loaded: {' '.join(str(error).split())}") from error
        return self.state()

    def missing(self, saved: dict[str, Any]) -> str:
        return ""  # Keras is strict by itself

    def unchanged(self, before: dict[str, Any], saved: dict[str, Any]) -> list[int]:
        trainable = {id(weight) for weight in self.model.trainable_weights}
        places = [str(place) for place, weight in enumerate(self.model.weights) if id(weight) in trainable]
        pairs = [(before[place], saved[place]) for place in places if place in before.keys() & saved]
        return [sum(bool((a == b).all()) for a, b in pairs), len(pairs)]

    def save(self, state: dict[str, Any], path: Path) -> None:
        self.put(state)
        self.model.save(path) if path.suffix == ".keras" else self.model.save_weights(path)

    def __call__(self, inputs: Any) -> Any:
        return self.model(inputs, training=False)


class Project:
    """The script as a module, what the first run saved, and the arguments it was called with."""

    def __init__(self, weights: Path, arguments: list[str]) -> None:
        self.weights, self.arguments = weights, arguments
        self.out = Path(arguments[arguments.index("--out") + 1])
        self.shortened = False
        """Whether train() runs for an epoch before its work is replaced: main() may need what else it does."""
        os.environ.setdefault("KERAS_BACKEND", "torch")
        specification = importlib.util.spec_from_file_location("main", "main.py")
        if specification is None or specification.loader is None:
            raise NotJudgedError("main.py is no module")
        self.module = ModuleType("main") if specification is None else importlib.util.module_from_spec(specification)
        sys.modules["main"] = self.module
        specification.loader.exec_module(self.module)
        if absent := [name for name in ("main", "train") if not callable(getattr(self.module, name, None))]:
            raise NotJudgedError(f"there is no function {some(absent)}")
        self.draws = random_state()


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
        """Splits that evaluate() was given, its main one first."""
        self.metrics: dict[str, Any] = {}
        self.predictions: list[dict[str, Any]] = []
        self.in_train_mode: set[str] = set()
        self.phase = ""

    def run(self) -> "Replay":
        """Raises what main() raises, and WeightsError when the weights are not those of the model."""
        module = self.project.module
        stand_ins = {
            "load_data": self.load_data,
            "train": self.train,
            "evaluate": self.evaluate,
            "predict": self.predict,
        }
        self.originals = {name: getattr(module, name) for name in stand_ins if callable(getattr(module, name, None))}
        metrics = self.project.out / "metrics.json"
        metrics.unlink(missing_ok=True)
        restore_random_state(self.project.draws)
        sys.argv = ["main.py", *self.project.arguments, *self.flags]
        for name in self.originals:
            setattr(module, name, stand_ins[name])
        try:
            with self.watching():
                module.main()
        except SystemExit as error:
            if error.code:
                raise NotJudgedError(f"main() exits: {error.code}") from error
        finally:
            for name, original in self.originals.items():
                setattr(module, name, original)
        if self.network is None:
            raise NotJudgedError("main() does not call train() with a model")
        if self.trained and (problem := self.network.missing(self.saved)):
            raise WeightsError(f"{self.project.weights.name} {problem}")
        with contextlib.suppress(OSError, ValueError):  # else what evaluate() returned has to do
            self.metrics = json.loads(metrics.read_text(encoding="utf-8"))
        return self

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
            seen = [network.model for network, _ in known]
            known += [(network, {}) for network in networks([result]) if all(network.model is not m for m in seen)]
        for network, before in known:
            self.put_weights(network, before)
        draw_from(self.noise)  # what follows shall not depend on how often training drew
        return result

    def put_weights(self, network: Network, before: dict[str, Any]) -> None:
        path = self.project.weights
        left = self.project.out / path.name  # train() may save, and main() load
        left.parent.mkdir(parents=True, exist_ok=True)
        if self.trained:
            saved = network.load(path)
            shutil.copyfile(path, left)
            if self.network is None:
                self.saved, self.unchanged = saved, network.unchanged(before, saved)
        elif before:
            network.put(before)
            network.save(before, left)
        self.network = self.network or network

    def evaluate(self, *arguments: Any, **named: Any) -> Any:
        if self.network is None:  # before training
            return self.originals["evaluate"](*arguments, **named)
        self.tested = self.tested or [value for value in [*arguments, *named.values()] if is_split(value)]
        with self.during("evaluate"):
            metrics = self.originals["evaluate"](*arguments, **named)
        if isinstance(metrics, dict):
            self.metrics = metrics
        return metrics

    def predict(self, *arguments: Any, **named: Any) -> Any:
        with self.during("predict"):
            predicted = self.originals["predict"](*arguments, **named)
        self.predictions.append(summary(predicted))
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

    @property
    def test(self) -> Any:
        return self.tested[0] if self.tested else None


def judge(project: Project) -> dict[str, Any]:
    """The facts. Raises WeightsError and NotJudgedError, or whatever main() raises even after an epoch of training."""
    started = time.monotonic()
    try:
        first = Replay(project).run()
    except Exception:
        project.shortened = True
        first = Replay(project).run()
    facts: dict[str, Any] = {
        "unchanged": first.unchanged,
        "tensors": len(first.saved),
        "train": "ran for one epoch before the weights were loaded" if project.shortened else "replaced",
        "predict": joined(first.predictions),
        "train_mode": sorted(first.in_train_mode),
        "overlap": {"test": overlap(first.test, first.fitted[:1]), "validation": overlap(*split_pair(first.fitted))},
    }
    facts |= probe(first, "outputs.npy")
    again = Replay(project, noise=2).run()
    facts["same_data"] = digests(again.test, 32) == digests(first.test, 32)
    trained = [first.metrics, again.metrics]
    untrained = attempt(lambda: Replay(project, trained=False).run())
    if untrained:
        facts["untrained_probe"] = probe(untrained, "untrained_outputs.npy").get("probe")
    if trained[0] != trained[1]:  # more draws tell how far they scatter
        extra = itertools.takewhile(lambda _: time.monotonic() - started < PATIENCE, range(3, 6))
        trained += [Replay(project, noise=noise).run().metrics for noise in extra]
    seed = getattr(first.config, "seed", None)
    fresh = None
    if isinstance(seed, int) and time.monotonic() - started < PATIENCE:
        fresh = attempt(lambda: Replay(project, seed=seed + 1000).run())
    facts["metrics"] = {
        "trained": trained,
        "untrained": untrained.metrics if untrained else None,
        "fresh": fresh.metrics if fresh else None,
    }
    facts["fresh_predict"] = joined(fresh.predictions) if fresh else None
    return facts | {"seconds": time.monotonic() - started}


def probe(replay: Replay, file: str) -> dict[str, Any]:
    """Raw outputs for the test split, where batches are (inputs, targets) and the model answers with one tensor."""
    if replay.test is None:
        return {"probe": "evaluate() is given no batches"}
    try:
        return _probe(replay, file)
    except Exception as error:
        return {"probe": f"the model is not called with the inputs of a batch: {told(error)}"}


def _probe(replay: Replay, file: str) -> dict[str, Any]:
    import numpy as np

    assert replay.network is not None
    outputs, targets, size, whole = [], [], 0, True
    facts: dict[str, Any] = {"probe": ""}
    for batch in batches(replay.test):
        if not (isinstance(batch, list | tuple) and len(batch) == 2 and all(map(is_array, batch))):
            return {"probe": "a batch is no pair of inputs and targets"}
        output = replay.network(batch[0])
        if not is_array(output) or len(output) != len(batch[0]):
            return {"probe": "the model does not answer with one tensor, a row for each example"}
        if not outputs:
            facts |= first_batch(replay.network, batch[0], output)
        size += max(as_array(output).nbytes, as_array(batch[1]).nbytes)
        if size > MOST_BYTES:
            whole = False
            break
        outputs.append(as_array(output))
        targets.append(as_array(batch[1]))
    if not outputs:
        return facts | {"probe": "the outputs for one batch are too large"}
    np.save(FACTS / file, np.concatenate(outputs), allow_pickle=False)
    if file == "outputs.npy":
        np.save(FACTS / "targets.npy", np.concatenate(targets), allow_pickle=False)
    return facts | {"whole": whole}


def first_batch(network: Network, inputs: Any, outputs: Any) -> dict[str, Any]:
    """Shapes, and whether an example gets the same output alone as in its batch."""
    import numpy as np

    facts: dict[str, Any] = {"inputs": list(inputs.shape), "outputs": list(outputs.shape)}
    draw_from(7)
    if not np.array_equal(as_array(network(inputs)), as_array(outputs)):
        return facts | {"alone": None}  # it draws random numbers
    rows = range(min(4, len(inputs)))
    near = 1e-3 * (1 + float(np.abs(as_array(outputs)).max()))
    gaps = [np.abs(as_array(network(inputs[row : row + 1]))[0] - as_array(outputs)[row]).max() for row in rows]
    return facts | {"alone": [sum(not gap <= near for gap in gaps), len(gaps)]}


def overlap(held_out: Any, others: list[Any]) -> list[float] | None:
    """Share of the held-out examples that occur in the other split too, and how much of that one repeats itself."""
    if held_out is None or not others:
        return None
    other = others[0]
    first, second = getattr(held_out, "dataset", held_out), getattr(other, "dataset", other)
    if first is second:
        return [1.0, 0.0]
    mine, known = digests(held_out, MOST_EXAMPLES), digests(other, MOST_EXAMPLES)
    if not mine or not known:
        return None
    shared = sum(digest in set(known) for digest in mine) / len(mine) if len(mine) < 2 else share(mine, known)
    if hasattr(first, "indices") and hasattr(second, "indices") and first.dataset is second.dataset:
        shared = max(shared, share(list(first.indices), list(second.indices)))  # augmentation hides nothing then
    return [shared, 1 - len(set(known)) / len(known)]


def share(some_items: list[Any], known: list[Any]) -> float:
    seen = set(known)
    return sum(item in seen for item in some_items) / len(some_items)


def split_pair(splits: list[Any]) -> tuple[Any, list[Any]]:
    """The second split, to be compared with the first."""
    return (splits[1], splits[:1]) if len(splits) > 1 else (None, [])


def digests(split: Any, most: int) -> list[bytes]:
    """One hash for each example of the split; empty when it has no examples that can be looked up."""
    examples = zip(*split, strict=True) if isinstance(split, list | tuple) else indexed(getattr(split, "dataset", None))
    return [digest(example) for example in itertools.islice(examples, most)]


def indexed(dataset: Any) -> Iterator[Any]:
    if hasattr(dataset, "__len__") and hasattr(dataset, "__getitem__"):
        yield from (dataset[index] for index in range(len(dataset)))


def digest(example: Any) -> bytes:
    parts = example if isinstance(example, list | tuple) else [example]
    joint = hashlib.blake2b(digest_size=16)
    for part in parts:
        joint.update(as_array(part).tobytes() if is_array(part) else repr(part).encode())
    return joint.digest()


def batches(split: Any) -> Iterator[Any]:
    """(inputs, targets), of whatever holds them."""
    if isinstance(split, list | tuple):
        for start in range(0, len(split[0]), 32):
            yield tuple(part[start : start + 32] for part in split)
    elif hasattr(split, "__iter__"):
        yield from split
    else:
        yield from (split[index] for index in range(len(split)))


def is_split(value: Any) -> bool:
    """A loader, a data set of Keras, or a pair of arrays of equal length."""
    if isinstance(value, list | tuple):
        return len(value) == 2 and all(map(is_array, value)) and len(value[0]) == len(value[1])
    names = {kind.__name__ for kind in type(value).__mro__}
    return bool(names & {"DataLoader", "PyDataset"})


def is_array(value: Any) -> bool:
    return hasattr(value, "shape") and hasattr(value, "dtype") and len(value.shape) > 0


def as_array(value: Any) -> Any:
    import numpy as np

    if hasattr(value, "detach"):
        value = value.detach().cpu()
        return (value.float() if value.dtype.is_floating_point else value).numpy()
    return np.asarray(value)


def networks(values: list[Any]) -> list[Network]:
    """Models among the values and what they hold; a loss without weights is none."""
    import torch

    keras = sys.modules.get("keras")
    found: list[Network] = []
    for value in values:
        if keras and isinstance(value, keras.Model):
            found.append(KerasNetwork(value))
        elif isinstance(value, torch.nn.Module) and value.state_dict():
            found.append(Network(value))
        elif isinstance(value, list | tuple):
            found += networks(list(value))
        elif isinstance(value, dict):
            found += networks(list(value.values()))
    return found


def state_dicts(path: Path) -> list[dict[str, Any]]:
    """The dictionaries of tensors in a file: itself, or those that it holds. Raises WeightsError when it has none."""
    import torch

    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            return [load_file(path)]
        held = torch.load(path, weights_only=True, map_location="cpu")
    except Exception as error:
        if "weights_only" in str(error).lower() or "Unsupported" in str(error):
            raise WeightsError(
                f"{path.name} holds more than tensors: save model.state_dict(), not the model"
            ) from error
        raise WeightsError(f"{path.name} cannot be loaded: {told(error)}") from error
    if not isinstance(held, dict):
        raise WeightsError(f"{path.name} holds no state_dict but a {type(held).__name__}")
    found = [state for state in (held, *held.values()) if is_state(state)]
    if not found:
        raise WeightsError(f"{path.name} holds no state_dict")
    return found


def is_state(value: Any) -> bool:
    return isinstance(value, dict) and bool(value) and all(hasattr(tensor, "shape") for tensor in value.values())


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
    found = {"kind": "array" if is_array(predicted) else type(predicted).__name__, "shape": [], "dtype": ""}
    if is_array(predicted):
        found |= {"shape": list(arrays[0].shape), "dtype": str(arrays[0].dtype)}
    return found | {"finite": all(bool(np.isfinite(array).all()) for array in numbers)}


def leaves(value: Any) -> list[Any]:
    if is_array(value):
        return [value]
    inner = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list | tuple) else []
    return [leaf for item in inner for leaf in leaves(item)]


def joined(predictions: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The first call's summary; finite where all were."""
    return predictions[0] | {"finite": all(p["finite"] for p in predictions)} if predictions else None


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
    """Replays of other weights or other data may fail where that of the first run does not."""
    try:
        return run()
    except Exception as error:
        print(f"left out: {told(error)}", file=sys.stderr)
        return None


def some(names: Any) -> str:
    names = sorted(names)
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def told(error: BaseException) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"[:300]


def main() -> None:
    FACTS.mkdir(exist_ok=True)
    try:
        facts = judge(Project(Path(sys.argv[1]), sys.argv[2:]))
    except WeightsError as error:
        facts = {"weights": str(error)[:600]}
    except Exception as error:
        facts = {"not_applicable": str(error)[:300] if isinstance(error, NotJudgedError) else told(error)}
    (FACTS / "facts.json").write_text(json.dumps(facts, default=float), encoding="utf-8")


if __name__ == "__main__":
    main()
