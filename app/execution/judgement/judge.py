"""Judges a trained project in a clean process: its main() is replayed with `train` replaced by loading what was saved.

Runs as a script in the sandbox, beside main.py: `judge.py ARGUMENT...`, where the arguments are those of the first run
and saved/ holds the weights and the metrics.json which that run left. So no signature has to be guessed: main() itself
hands over the model, the splits and the arguments of `evaluate` and `predict`. Replayed are the saved weights (more
than once where metrics vary), the untrained ones, and the saved ones on data of another seed. Its parts are joined to
one text (`verdict.driver`), since only the standard library, torch, numpy and, where the project uses it, Keras can be
counted on in there.

Writes judged/facts.json and the model's raw outputs, for `verdict.py` to draw conclusions from. The project runs in
this very process: it could forge them if it were written for that, so they are a stranger's data.
"""

import itertools
import json
import sys
import time
from collections.abc import Callable, Iterable
from typing import Any

from dlcodegen.execution.judgement.replay import (
    SAVED,
    NotJudgedError,
    Project,
    Replay,
    UntrainedError,
    draw_from,
    read_json,
)
from dlcodegen.execution.judgement.splits import as_array, batches, described, digests, is_array, overlap
from dlcodegen.execution.judgement.weights import JUDGED, Network, WeightsError, told

MOST_BYTES = 8 << 20  # of each array that is handed over
PATIENCE = 10.0  # seconds after which replays that only refine the picture are left out


def judge(project: Project) -> dict[str, Any]:
    """The facts. Raises WeightsError and NotJudgedError, or whatever main() raises even after an epoch of training."""
    started = time.monotonic()
    try:
        first = Replay(project).run()
    except Exception:
        project.shortened = True
        first = Replay(project).run()
    project.predictions = first.predictions
    train_split, validation_split = [*first.fitted, None, None][:2]
    facts = {
        "unchanged": first.unchanged,
        "tensors": len(first.saved),
        "predict": described(first.predictions),
        "train_mode": sorted(first.in_train_mode),
        "evaluated": first.evaluated[:5],
        "leak": overlap(first.test, train_split),
        "validation_leak": overlap(validation_split, train_split),
        "test_validated": overlap(first.test, validation_split),
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
        "fresh_predict": fresh and described(fresh.predictions),
        "shortened": project.shortened,
        "unused_evaluate": "evaluate" in first.originals and not first.evaluations,
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
        if not (isinstance(batch, list | tuple) and len(batch) > 1 and all(map(is_array, batch))):
            return {"probe": "a batch is no tuple of inputs and targets"}
        *inputs, targets = batch
        output = network(*inputs)
        if not is_array(output) or not len(output) == len(inputs[0]) == len(targets):
            return {"probe": "the model does not answer with one tensor that has a row for each example"}
        if not parts and trained:
            facts |= first_batch(network, inputs, output)
        arrays = as_array(output), as_array(targets)
        rows = min(len(output), room // max(1, *(array.nbytes // len(array) for array in arrays)))
        parts.append((arrays[0][:rows], arrays[1][:rows]))
        room -= max(array.nbytes for array in arrays)
        if rows < len(output):
            facts["whole"] = False
            break
    for name, arrays in zip(("outputs", "targets"), zip(*parts, strict=True), strict=True):
        file = JUDGED / f"{'' if trained else 'untrained_'}{name}.npy"  # each its own: loaders may shuffle
        np.save(file, np.concatenate(arrays), allow_pickle=False)
    return facts


def first_batch(network: Network, inputs: list[Any], outputs: Any) -> dict[str, Any]:
    """Shapes, and how many of some examples get another output alone than in their batch."""
    import numpy as np

    expected, count = as_array(outputs), len(inputs[0])
    near = 1e-3 * (1 + float(np.abs(expected).max()))
    rows = sorted({count // 2, count - 1}) if count > 2 else range(count)  # the first may be right by chance
    alone = [as_array(network(*(part[row : row + 1] for part in inputs)))[0] for row in rows]
    differing = sum(not np.abs(got - expected[row]).max() <= near for got, row in zip(alone, rows, strict=True))
    facts = {"inputs": list(inputs[0].shape), "outputs": list(outputs.shape)}
    draw_from(7)
    if differing and not np.array_equal(as_array(network(*inputs)), expected):
        return facts  # it draws random numbers
    return facts | {"alone": [differing, len(rows)]}


def attempt(run: Callable[[], Replay]) -> Replay | None:
    """A replay of other weights or other data, which may fail where that of the first run does not."""
    try:
        return run()
    except Exception as error:
        sys.stderr.write(f"left out: {told(error)}\n")
        return None


def main() -> None:
    started = time.monotonic()
    JUDGED.mkdir(exist_ok=True)
    try:
        facts = judge(Project(sys.argv[1:]))
    except WeightsError as error:
        facts = {"weights": str(error)}
    except UntrainedError as error:
        facts = {"untrained_main": str(error)}
    except NotJudgedError as error:
        facts = {"not_applicable": str(error)}
    except Exception as error:
        facts = {"not_applicable": f"main() cannot be replayed: {told(error)}"}
    facts["seconds"] = time.monotonic() - started
    (JUDGED / "facts.json").write_text(json.dumps(facts), encoding="utf-8")


if __name__ == "__main__":
    main()
