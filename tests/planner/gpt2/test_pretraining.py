"""A network that reads text first: a base that training goes on from, and that knows what it has read."""

from pathlib import Path

import pytest

from dlcodegen.errors import InputError
from dlcodegen.planner.gpt2.base import from_base
from dlcodegen.planner.gpt2.examples import Example, loss_of
from dlcodegen.planner.gpt2.pretraining import Reading, pretrain
from dlcodegen.planner.gpt2.rows import PlanRow
from dlcodegen.planner.gpt2.training import Recipe, Training
from dlcodegen.planner.gpt2.training_recipe import SIZES
from dlcodegen.planner.gpt2.weights import load

TEXTS = [
    f"Forecast tide number {number} from {number + 3} past values of the gauge in the harbour." for number in range(90)
]
READING = Reading("small", epochs=12, learning_rate=3e-3, batch_tokens=512, seed=1)


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SIZES, "small", (64, 1))


def test_what_was_read_surprises_less_and_training_goes_on_from_there(
    tmp_path: Path, rows: list[PlanRow], dev: list[PlanRow]
) -> None:
    seen: list[tuple[int, int]] = []
    pretrain(TEXTS, tmp_path / "base", READING, lambda step, steps, _: seen.append((step, steps)))
    assert seen[-1][0] == seen[-1][1] == len(seen) > 4
    network, vocabulary = from_base(str(tmp_path / "base"), rows)
    ids = vocabulary.pieces.encode(" ".join(TEXTS[:9]), add_special_tokens=False).ids
    network.eval()  # type: ignore[no-untyped-call]
    read = loss_of(network, [Example(ids, [1.0] * len(ids))], 0, "cpu").item()
    shuffled = loss_of(network, [Example(ids[::-1], [1.0] * len(ids))], 0, "cpu").item()
    assert read < shuffled - 0.5
    assert network.config.resid_pdrop == READING.dropout
    recipe = Recipe(base=str(tmp_path / "base"), epochs=1, batch_tokens=512)
    Training(rows, dev, tmp_path / "weights", recipe).run(lambda *_: None, lambda _: None)
    assert load(tmp_path / "weights").network.config.n_embd == 64


def test_the_same_seed_reads_the_same(tmp_path: Path) -> None:
    for name in ("one", "other"):
        pretrain(TEXTS, tmp_path / name, READING)
    one, other = ((tmp_path / name / "model.safetensors").read_bytes() for name in ("one", "other"))
    assert one == other


def test_too_little_text_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="fewer than 512 tokens"):
        pretrain(["Tides."], tmp_path / "base", READING)
    assert not (tmp_path / "base").exists()
