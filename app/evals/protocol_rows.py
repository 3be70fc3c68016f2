"""The paper protocol, measured: predictors that are trained on the published rows, and never shipped."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

from dlcodegen.evals import paper_protocol
from dlcodegen.evals.journal import Row
from dlcodegen.evals.plan_rows import as_files_have_them, believable, measured, scored
from dlcodegen.evals.said import recorded, silent
from dlcodegen.planner.gpt2.decoding import Asked, Decoder, Settings
from dlcodegen.planner.gpt2.rows import requests

PROTOCOL = "paper protocol: "
"""Begins the keys of these rows."""
BEST = "a base that has read the web, with the memory"
_MEMORY_ALONE = Settings(way="consensus", trust=1.0)
_READERS: dict[str, Settings] = {
    "a base that has read the web, alone": Settings(trust=0.0),
    BEST: Settings(untold=frozenset(("category", "loss", "metric")), layers="remembered"),
}
"""How a large network that is trained on these rows is asked: on the dev rows the memory mends all but these fields."""
_SMALL: dict[str, Settings] = {
    "networks, classifiers and memory, consensus": Settings(way="consensus"),
    "networks alone, beam 3": Settings(way="beam", trust=0.0),
    "networks alone, greedy": Settings(trust=0.0),
}
"""How the small ones are asked."""


class Protocol(NamedTuple):
    """What is measured of predictors that are trained on the published rows."""

    said: Path | None = None
    """What a large network said of the test rows."""
    asked_on: str = ""
    """The machine that it was asked on."""
    train: bool = False
    """Train the small ones where they are not there."""


NOTHING_SAID = Protocol()


def steps(protocol: Protocol, folder: Path) -> Iterator[tuple[str, Callable[[], Row]]]:
    """What can be measured here, and why the rest is absent."""
    trained = protocol.train or paper_protocol.are_trained()
    yield f"{PROTOCOL}memory alone, consensus", partial(_memory_alone, folder)
    for name, settings in _READERS.items():
        work: Callable[[], Row] = partial(dict, absent="a GPU trains it; give what it said with --said FILE")
        if protocol.said:
            work = partial(_recorded, folder, protocol.said, protocol.asked_on, settings)
        yield f"{PROTOCOL}{name}", work
    for name, settings in _SMALL.items():
        work = partial(dict, absent="the small networks are not trained yet: type `dlcodegen bench plans --train`")
        yield f"{PROTOCOL}{name}", partial(_small, folder, settings) if trained else work


def _memory_alone(folder: Path) -> Row:
    """The nearest training rows, and nothing learnt."""
    return measured(folder, Decoder([silent], paper_protocol.memory(folder), _MEMORY_ALONE).decode)


def _small(folder: Path, settings: Settings) -> Row:
    """The networks alone, or with the memory and classifiers."""
    alone = settings.trust == 0
    memory = None if alone else paper_protocol.memory(folder)
    classifiers = None if alone else paper_protocol.classifiers(folder)
    return measured(folder, Decoder(paper_protocol.predictors(folder), memory, settings, classifiers).decode)


def _recorded(folder: Path, said: Path, asked_on: str, settings: Settings) -> Row:
    """A network that was asked elsewhere, alone or with the training rows as its memory."""
    rows = requests(folder / "plans" / "test.jsonl")
    asked = {key: Asked(requirement, dataset) for key, requirement, dataset in rows}
    memory = paper_protocol.memory(folder) if settings.trust else None
    decoder = Decoder([recorded(said, asked)], memory, settings)
    plans = dict(zip(asked, decoder.decode_all(list(asked.values())), strict=True))
    made = {"made": {"model ran on": asked_on}} if asked_on else {}
    return {**scored(folder, as_files_have_them(plans)), **believable(folder, plans), **made}
