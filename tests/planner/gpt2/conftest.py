"""A toy predictor: what its vocabulary knows, an untrained network, and a trained one."""

from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

from dlcodegen.planner.gpt2.examples import Noise
from dlcodegen.planner.gpt2.rows import PlanRow, read_rows
from dlcodegen.planner.gpt2.training import Recipe, Training
from dlcodegen.planner.gpt2.vocabulary import Vocabulary
from dlcodegen.planner.gpt2.weights import Predictor, load, new_network
from tests.plan_rows import toy_rows, write_rows

if TYPE_CHECKING:
    from transformers import GPT2LMHeadModel

TINY = Recipe(
    width=64,
    depth=1,
    dropout=0.05,
    epochs=32,
    patience=32,
    learning_rate=6e-3,  # by larger steps a processor that multiplies 16-bit floats is led astray
    seed=1,
    batch_tokens=512,
    noise=Noise(renamed=0.0),  # so small a network can only learn by heart
)


def tiny_network(vocabulary: Vocabulary, seed: int = 0) -> "GPT2LMHeadModel":
    """Random weights, the same for each seed."""
    import torch

    torch.manual_seed(seed)
    network = cast("GPT2LMHeadModel", new_network(vocabulary.size, width=64, depth=1, dropout=0.0))
    network.eval()  # type: ignore[no-untyped-call]
    return network


@pytest.fixture(scope="session")
def rows(tmp_path_factory: pytest.TempPathFactory) -> list[PlanRow]:
    return read_rows(write_rows(tmp_path_factory.mktemp("rows") / "train.jsonl", toy_rows(40))).rows


@pytest.fixture(scope="session")
def dev(tmp_path_factory: pytest.TempPathFactory) -> list[PlanRow]:
    return read_rows(write_rows(tmp_path_factory.mktemp("rows") / "dev.jsonl", toy_rows(12, seed=1))).rows


@pytest.fixture(scope="session")
def untrained(rows: list[PlanRow]) -> Predictor:
    """Whatever such a network says, it says at random."""
    vocabulary = Vocabulary.of(rows)
    return Predictor(tiny_network(vocabulary), vocabulary, {"temperature": 1.0})


@pytest.fixture(scope="session")
def trained_folder(rows: list[PlanRow], dev: list[PlanRow], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights that know the toy rows; tests that change something work on a copy."""
    out = tmp_path_factory.mktemp("weights")
    Training(rows, dev, out, TINY).run(lambda *_: None, lambda _: None)
    return out


@pytest.fixture(scope="session")
def trained(trained_folder: Path) -> Predictor:
    return load(trained_folder)
