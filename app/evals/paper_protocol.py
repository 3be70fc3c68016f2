"""The small predictors of the paper protocol: trained on the published rows, kept in the cache and never shipped.

The paper fine-tunes a GPT-2 Large that has read the web. Where nothing like it can be had, seven small ones decide
together: three that know the rows and nothing else, and four wider ones that have read what the installed packages say
of themselves. In category and loss a linear classifier each has a say, too: on the dev rows that is right more often;
in optimizer and metric it is not.
"""

import hashlib
from dataclasses import replace
from pathlib import Path

from dlcodegen.corpus.store import cache_folder
from dlcodegen.evals.docstrings import docstrings
from dlcodegen.planner.classifier.classifier import Classifier
from dlcodegen.planner.classifier.training import Schooling, train
from dlcodegen.planner.gpt2.examples import Noise
from dlcodegen.planner.gpt2.meaning import Meanings, WordsAndMeaning, read
from dlcodegen.planner.gpt2.memory import Memory
from dlcodegen.planner.gpt2.pretraining import Reading, pretrain
from dlcodegen.planner.gpt2.rows import PlanRow, read_rows, requests
from dlcodegen.planner.gpt2.training import Training
from dlcodegen.planner.gpt2.training_recipe import Recipe
from dlcodegen.planner.gpt2.voice import Asked
from dlcodegen.planner.gpt2.weights import Predictor, load

_COPYING = Noise(renamed=0.7)
_DONE = "done"
"""A file in the folder of a network whose training has ended."""
_SCHOOLING = Schooling(epochs=15, batch=32)


def predictors(data: Path) -> list[Predictor]:
    """The trained networks, four of about 31 and three of about 14 million parameters, those that write best first.

    Those that are missing are trained first: minutes on a GPU, days on two cores.
    """
    return [_trained(data, recipe, _folder(name)) for name, recipe in _recipes().items()]


def are_trained() -> bool:
    """Whether all are there."""
    return all((_folder(name) / _DONE).exists() for name in _recipes())


def _recipes() -> dict[str, Recipe]:
    """Name of the folder -> how its network is trained."""
    alone = replace(Recipe.of("", 30, 42, "medium"), dropout=0.2, patience=30, noise=_COPYING)
    base = str(_folder("base"))
    well_read = replace(alone, base=base, epochs=20, patience=20, learning_rate=8e-4)
    wanted = {f"large-{seed}": replace(well_read, seed=seed) for seed in (42, 43, 44, 45)}
    return wanted | {f"medium-{seed}": replace(alone, seed=seed) for seed in (42, 43, 44)}


def classifiers(data: Path) -> dict[str, Classifier]:
    """Of category and loss; those that are missing are trained first: a minute on one core."""
    return {name: _classifier(data, name) for name in ("category", "loss")}


def memory(data: Path) -> Memory:
    """The published training rows, found by their words."""
    return Memory(_rows(data, "train"))


def memory_of_meaning(data: Path, base: str) -> WordsAndMeaning:
    """The same, found by what they mean, too, as `base` reads them: a quarter of an hour on two cores, once."""
    return WordsAndMeaning(memory(data), _meanings(data, base))


def _meanings(data: Path, base: str) -> Meanings:
    """Of all published rows: those to learn from, to choose by, and to be measured on."""
    import numpy as np

    asked = [
        Asked(requirement, dataset)
        for part in ("train", "dev", "test")
        for _, requirement, dataset in requests(data / "plans" / f"{part}.jsonl")
    ]
    mark = hashlib.sha256(repr((base, asked)).encode()).hexdigest()[:16]
    path = _folder("meanings") / f"{mark}.npy"
    if not path.exists():
        found = read(base, asked)
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.with_suffix(".part.npy")  # what an interruption leaves is not taken for the whole
        np.save(aside, np.stack([found[each] for each in asked]))
        aside.replace(path)
    return dict(zip(asked, np.load(path), strict=True))


def _folder(name: str) -> Path:
    return cache_folder() / "plans-paper-protocol" / name


def _rows(data: Path, part: str) -> list[PlanRow]:
    return read_rows(data / "plans" / f"{part}.jsonl", canonical=False).rows


def _classifier(data: Path, field: str) -> Classifier:
    path = _folder("classifiers") / f"{field}.safetensors"
    if not path.exists():
        train(_rows(data, "train"), field, _SCHOOLING).save(path)
    return Classifier.load(path)


def _trained(data: Path, recipe: Recipe, out: Path) -> Predictor:
    """What an interruption left is gone on with; a base is a GPT-2 that has read docstrings."""
    if not (out / _DONE).exists():
        if recipe.base and not Path(recipe.base, "config.json").exists():
            pretrain(docstrings(), Path(recipe.base), Reading("large"))
        rows, dev = (_rows(data, part) for part in ("train", "dev"))
        Training(rows, dev, out, recipe).run(lambda *_: None, lambda _: None)
        (out / _DONE).touch()
    return load(out)
