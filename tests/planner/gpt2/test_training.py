"""Training: it learns, it is seeded, it stops when it should, and it goes on where it was interrupted."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dlcodegen.errors import InputError
from dlcodegen.planner.gpt2.rows import PlanRow
from dlcodegen.planner.gpt2.training import CHECKPOINT, Progress, Recipe, Training
from dlcodegen.planner.gpt2.weights import load
from tests.plan_rows import TASKS
from tests.planner.gpt2.conftest import TINY

SHORT = replace(TINY, epochs=3)


class PowerCutError(Exception):
    """What stops a run in these tests."""


def nothing(*_: Any) -> None:
    pass


def run(training: Training, stop_after: int | None = None) -> Progress:
    """Train; `stop_after`: steps until it is interrupted, with a checkpoint."""
    left = stop_after

    def count(progress: Progress, steps: int, loss: float) -> None:
        nonlocal left
        if left is not None:
            left -= 1
            if left == 0:
                training.checkpoint()
                raise PowerCutError

    return training.run(count, nothing)


def weights_of(training: Training) -> list[Any]:
    return [parameter.detach().clone() for parameter in training.network.parameters()]


def equal(one: list[Any], other: list[Any]) -> bool:
    import torch

    return all(torch.equal(ours, theirs) for ours, theirs in zip(one, other, strict=True))


@pytest.fixture(scope="module")
def uninterrupted(rows: list[PlanRow], dev: list[PlanRow], tmp_path_factory: pytest.TempPathFactory) -> Training:
    training = Training(rows, dev, tmp_path_factory.mktemp("whole"), SHORT)
    run(training)
    return training


def test_a_tiny_network_learns_a_toy_set(trained_folder: Path, dev: list[PlanRow]) -> None:
    facts = json.loads((trained_folder / "planner.json").read_text())
    losses = [epoch["dev_loss"] for epoch in facts["history"]]
    assert losses[-1] < losses[0] / 5
    assert (facts["trained_on"], facts["stopped_by"]) == (40, 12)
    assert facts["recipe"]["width"] == TINY.width
    assert not (trained_folder / CHECKPOINT).exists()


@pytest.mark.parametrize("steps", [1, 7, 10, 17])
def test_an_interruption_changes_nothing(
    rows: list[PlanRow], dev: list[PlanRow], uninterrupted: Training, tmp_path: Path, steps: int
) -> None:
    """To the bit: in the first epoch, in its midst, and in a later one; dropout and noise are on."""
    import torch

    first = Training(rows, dev, tmp_path, SHORT)
    with pytest.raises(PowerCutError):
        run(first, stop_after=steps)
    torch.manual_seed(12345)  # another process has other random numbers
    second = Training(rows, dev, tmp_path, SHORT)
    assert second.progress == first.progress
    run(second)
    assert equal(weights_of(second), weights_of(uninterrupted))
    assert second.progress == uninterrupted.progress
    for name in ("model.safetensors", "tokenizer.json", "values.json", "planner.json", "config.json"):
        assert (tmp_path / name).read_bytes() == (uninterrupted.out / name).read_bytes()


def test_two_interruptions_change_nothing_either(
    rows: list[PlanRow], dev: list[PlanRow], uninterrupted: Training, tmp_path: Path
) -> None:
    for steps in (3, 9):
        with pytest.raises(PowerCutError):
            run(Training(rows, dev, tmp_path, SHORT), stop_after=steps)
    last = Training(rows, dev, tmp_path, SHORT)
    run(last)
    assert equal(weights_of(last), weights_of(uninterrupted))


def test_the_seed_settles_everything(
    rows: list[PlanRow], dev: list[PlanRow], uninterrupted: Training, tmp_path: Path
) -> None:
    again = Training(rows, dev, tmp_path / "again", SHORT)
    run(again)
    other = Training(rows, dev, tmp_path / "other", replace(SHORT, seed=7))
    run(other)
    assert equal(weights_of(again), weights_of(uninterrupted))
    assert not equal(weights_of(other), weights_of(uninterrupted))


def test_it_stops_early_and_keeps_the_best_weights(
    rows: list[PlanRow], dev: list[PlanRow], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    losses = iter([3.0, 2.0, 2.5, 2.0, 2.1, 1.0])
    monkeypatch.setattr(Training, "dev_loss", lambda _: next(losses))
    kept: list[list[Any]] = []
    training = Training(rows[:8], dev, tmp_path, replace(TINY, epochs=6, patience=3))
    ended = training.run(nothing, lambda _: kept.append(weights_of(training)))
    assert [epoch["dev_loss"] for epoch in ended.history] == [3.0, 2.0, 2.5, 2.0, 2.1]
    assert (ended.best_epoch, ended.best_loss) == (1, 2.0)
    loaded = [parameter.data for parameter in load(tmp_path).network.parameters()]
    assert equal(loaded, [weights.half().float() for weights in kept[1]])


def test_a_recipe_for_a_base_does_not_wash_it_out() -> None:
    assert Recipe.of("gpt2", 3, 1).learning_rate < Recipe.of("", 3, 1).learning_rate / 10
    assert (Recipe.of("", 3, 1).epochs, Recipe.of("", 3, 1).seed) == (3, 1)


@pytest.mark.parametrize("change", ["rows", "dev", "recipe"])
def test_a_checkpoint_of_another_run_is_refused(
    rows: list[PlanRow], dev: list[PlanRow], tmp_path: Path, change: str
) -> None:
    with pytest.raises(PowerCutError):
        run(Training(rows, dev, tmp_path, SHORT), stop_after=1)
    given: dict[str, Any] = {"rows": rows, "dev": dev, "recipe": SHORT}
    given[change] = {"rows": rows[1:], "dev": [*dev, dev[0]], "recipe": replace(SHORT, learning_rate=1e-3)}[change]
    with pytest.raises(InputError, match="is of other rows or settings: delete it, or name another folder") as caught:
        Training(given["rows"], given["dev"], tmp_path, given["recipe"])
    assert "\n" not in str(caught.value)


def cut(content: bytes) -> bytes:
    return content[: len(content) // 2]


def flipped(content: bytes) -> bytes:
    return bytes(255 - byte for byte in content)


@pytest.mark.parametrize("damage", [lambda _: b"", lambda _: b"no checkpoint", cut, flipped], ids=range(4))
def test_a_damaged_checkpoint_is_one_line(
    rows: list[PlanRow], dev: list[PlanRow], tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    with pytest.raises(PowerCutError):
        run(Training(rows, dev, tmp_path, SHORT), stop_after=1)
    path = tmp_path / CHECKPOINT
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(InputError, match="is damaged: delete it to train from the start") as caught:
        Training(rows, dev, tmp_path, SHORT)
    assert "\n" not in str(caught.value)


def test_a_checkpoint_of_another_kind_is_damaged_and_runs_nothing(
    rows: list[PlanRow], dev: list[PlanRow], tmp_path: Path
) -> None:
    import torch

    for content in ([1, 2], {"mark": 3, "x": Path("y")}, {}):
        torch.save(content, tmp_path / CHECKPOINT)
        with pytest.raises(InputError, match="is damaged"):
            Training(rows, dev, tmp_path, SHORT)


@pytest.mark.parametrize("empty", ["rows", "dev"])
def test_without_rows_nothing_is_trained(rows: list[PlanRow], tmp_path: Path, empty: str) -> None:
    given = {"rows": rows, "dev": rows, empty: []}
    with pytest.raises(InputError, match="give --train and --dev"):
        Training(given["rows"], given["dev"], tmp_path, SHORT)


def test_dev_rows_that_say_nothing_do_not_count(rows: list[PlanRow], dev: list[PlanRow], tmp_path: Path) -> None:
    """A row without a plan, of a category that the training rows lack: there is nothing that it could judge."""
    nothing_said = PlanRow("what time is it", "", {"category": "Other"}, [])
    with_it = Training(rows, [nothing_said, *dev], tmp_path, SHORT)
    assert with_it.dev_loss() == pytest.approx(Training(rows, dev, tmp_path, SHORT).dev_loss(), abs=1e-4)
    with pytest.raises(InputError, match="no dev row has a plan like those of the training rows"):
        Training(rows, [nothing_said], tmp_path, SHORT)


def test_rows_may_lack_fields_a_dataset_and_even_a_plan(
    rows: list[PlanRow], dev: list[PlanRow], tmp_path: Path
) -> None:
    poor = [replace(row, values={"category": row.values["category"]}, dataset="") for row in rows[:4]]
    none = [PlanRow("what time is it", "", {"category": "Other"}, [], "keras")]
    long = [replace(rows[0], requirement="word " * 2000, layers=rows[0].layers * 500)]
    training = Training([*rows, *poor, *none, *long], dev, tmp_path, replace(SHORT, epochs=1))
    assert run(training).history[0]["dev_loss"] < 20
    known = load(tmp_path).vocabulary.values["category"]
    assert set(known) == {*TASKS, "Other"}
