"""The predictor of the paper protocol: networks trained on the published rows, kept in the cache and never shipped."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from dlcodegen.corpus.store import cache_folder
from dlcodegen.planner.gpt2.examples import Noise
from dlcodegen.planner.gpt2.memory import Memory
from dlcodegen.planner.gpt2.rows import PlanRow, read_rows
from dlcodegen.planner.gpt2.training import Recipe, Training
from dlcodegen.planner.gpt2.weights import Predictor, load

EPOCHS = 30
"""Rows told about other things are never twice the same: the dev rows' loss still falls after twenty epochs."""
SEEDS = (42, 43)
"""One network each; together about as many parameters as an issue allows one to have."""


def recipes() -> list[Recipe]:
    """How the networks are trained: medium ones, minutes each on a GPU and hours on two cores."""
    return [
        replace(Recipe.of("", EPOCHS, seed, "medium"), dropout=0.2, patience=EPOCHS, noise=Noise(renamed=0.7))
        for seed in SEEDS
    ]


def predictors(data: Path) -> list[Predictor]:
    """The trained networks; those that are missing are trained first, from where an interruption left them."""
    rows, dev = (_rows(data, part) for part in ("train", "dev"))
    return [_trained(rows, dev, recipe) for recipe in recipes()]


def memory(data: Path) -> Memory:
    """The published training rows."""
    return Memory(_rows(data, "train"))


def _rows(data: Path, part: str) -> list[PlanRow]:
    return read_rows(data / "plans" / f"{part}.jsonl", canonical=False).rows


def _trained(rows: Sequence[PlanRow], dev: Sequence[PlanRow], recipe: Recipe) -> Predictor:
    out = cache_folder() / "plans-paper-protocol" / f"seed-{recipe.seed}"
    done = out / "done"
    if not done.exists():
        Training(rows, dev, out, recipe).run(lambda *_: None, lambda _: None)
        done.touch()
    return load(out)
