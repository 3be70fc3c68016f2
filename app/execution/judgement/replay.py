"""Replays main() with `train` replaced by loading what was saved. A part of the judge (`judge.py`)."""

import contextlib
import dataclasses
import importlib.util
import json
import os
import random
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from dlcodegen.execution.judgement.splits import Prediction, is_split, same, shape_given
from dlcodegen.execution.judgement.weights import Network, WeightsError, networks, one_line

SAVED = Path("saved")


class NotJudgedError(Exception):
    """The project is built in a way that cannot be replayed."""


class UntrainedError(Exception):
    """main() comes to its end without calling train()."""


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
        self.predictions: list[Prediction] = []
        """Those of the first replay; main() only writes them, and they can be most of the work."""


class Replay:
    """One run of main() in which nothing is learned, and what was seen of it."""

    def __init__(self, project: Project, trained: bool = True, noise: int = 1, seed: int | None = None) -> None:
        self.project, self.trained, self.noise = project, trained, noise
        self.flags = [] if seed is None else ["--seed", str(seed)]
        self.trains = False
        """Whether train() was called."""
        self.network: Network | None = None
        self.saved: dict[str, Any] = {}
        self.unchanged = [0, 0]
        self.config: Any = None
        self.fitted: list[Any] = []
        """Splits that train() was given: training and validation."""
        self.tested: list[Any] = []
        """Splits that evaluate() was given after training."""
        self.evaluations = 0
        """Calls of evaluate() after training."""
        self.evaluated: list[dict[str, float]] = []
        self.metrics: dict[str, float] = {}
        """What main() wrote, else what evaluate() returned."""
        self.predictions: list[Prediction] = []
        self.known = list(project.predictions) if seed is None else []
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
        if not self.trains:
            raise UntrainedError("main() ends without calling train()")
        if self.network is None:
            raise NotJudgedError("main() does not call train() with a model")
        if self.trained and (problem := self.network.misfit(self.saved)):
            raise WeightsError(problem)
        written = read_json(metrics)
        self.metrics = numbers(written) if isinstance(written, dict) else (self.evaluated or [{}])[-1]
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
        self.trains = True
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
        else:
            raise NotJudgedError("nobody knows its weights before training: train() makes them")
        for path in files:  # train() may save, and main() load
            if self.trained:
                shutil.copyfile(path, out / path.name)
            else:
                network.save(before, path, out / path.name)
        self.network = self.network or network

    def evaluate(self, *arguments: Any, **named: Any) -> Any:
        if self.network is None:  # before training
            return self.originals["evaluate"](*arguments, **named)
        self.tested += [value for value in [*arguments, *named.values()] if is_split(value)][:1]
        with self.during("evaluate"):
            metrics = self.originals["evaluate"](*arguments, **named)
        self.evaluations += 1
        if isinstance(metrics, dict):
            self.evaluated.append(numbers(metrics))  # a copy: main() may change what it got
        return metrics

    def predict(self, *arguments: Any, **named: Any) -> Any:
        given = shape_given([*arguments, *named.values()])
        if self.evaluated and not self.phase and self.known and self.known[0].given == given:
            return self.known.pop(0).value
        with self.during("predict"):
            value = self.originals["predict"](*arguments, **named)
        if self.network and not self.phase:
            self.predictions.append(Prediction(given, value))
            if len(self.predictions) == 1 and not self.project.predictions:
                draw_from(self.noise + 1)
                with self.during("predict"):
                    again = self.originals["predict"](*arguments, **named)
                self.predictions[0].repeatable = same(value, again)
        return value

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


def differs_in_training(module: Any) -> bool:
    """Whether a module acts otherwise in training mode; Keras tells its layers so with each call, not by a mode."""
    from torch.nn.modules import batchnorm, dropout

    if any(base.__module__.startswith("keras.") for base in type(module).__mro__):
        return False
    if isinstance(module, batchnorm._BatchNorm):
        return True
    rate = module.p if isinstance(module, dropout._DropoutNd) else getattr(module, "dropout", 0.0)
    return isinstance(rate, float) and rate > 0


def one_epoch(value: Any) -> Any:
    """The configuration, cut to one epoch; anything else as it is."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type) and hasattr(value, "epochs"):
        return dataclasses.replace(value, epochs=1)
    return value


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


def numbers(metrics: dict[Any, Any]) -> dict[str, float]:
    """Those of the metrics that are numbers, be it in a tensor."""
    found = {}
    for name, value in metrics.items():
        with contextlib.suppress(TypeError, ValueError, RuntimeError):
            found[str(name)] = float(value)
    return found


def read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
