"""The paper protocol, measured: predictors that are trained on the published rows, and never shipped."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

from dlcodegen.evals import paper_protocol
from dlcodegen.evals.journal import Row
from dlcodegen.evals.plan_rows import as_files_have_them, believable, measured, scored
from dlcodegen.evals.said import recorded, silent
from dlcodegen.planner.gpt2.decoding import Asked, Decoder, Settings
from dlcodegen.planner.gpt2.memory import Remembering
from dlcodegen.planner.gpt2.rows import requests

PROTOCOL = "paper protocol: "
"""Begins the keys of these rows."""
BEST = "a base that has read the web, with the memory by words and meaning"


class _Way(NamedTuple):
    """How a large network that is trained on these rows is asked, and whether rows near in meaning have a say."""

    settings: Settings
    by_meaning: bool = False


_TOLD = Settings(untold=frozenset(("category", "loss", "metric")), layers="remembered")
"""On the dev rows the memory mends all but these fields."""
_READERS: dict[str, _Way] = {
    "a base that has read the web, alone": _Way(Settings(trust=0.0)),
    "a base that has read the web, with the memory": _Way(_TOLD),
    BEST: _Way(replace(_TOLD, trust=0.8), by_meaning=True),
}
"""Rows near in words and meaning are right more often: on the dev rows they deserve more than half of the say."""
_MEMORY_ALONE = Settings(way="consensus", trust=1.0)
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
    read_by: str = ""
    """The base by whose reading training rows are near in meaning, too: `local:NAME`, a folder or a hub name."""
    asked_on: str = ""
    """The machine that it was asked on."""
    train: bool = False
    """Train the small ones where they are not there."""


NOTHING_SAID = Protocol()


def _absent(why: str) -> Callable[[], Row]:
    return partial(dict, absent=why)


_UNSAID = _absent("a GPU trains it; give what it said with --said FILE")
_UNREAD = _absent("a base finds what is near in meaning; name one with --read-by local:NAME")
_UNTRAINED = _absent("the small networks are not trained yet: type `dlcodegen bench plans --train`")


def steps(protocol: Protocol, folder: Path) -> Iterator[tuple[str, Callable[[], Row]]]:
    """What can be measured here, and why the rest is absent."""
    yield f"{PROTOCOL}memory alone, consensus", partial(_memory_alone, folder)
    by_meaning = partial(_memory_alone, folder, protocol.read_by) if protocol.read_by else _UNREAD
    yield f"{PROTOCOL}memory alone, by words and meaning, consensus", by_meaning
    for name, way in _READERS.items():
        yield f"{PROTOCOL}{name}", _reader(folder, protocol, way)
    trained = protocol.train or paper_protocol.are_trained()
    for name, settings in _SMALL.items():
        yield f"{PROTOCOL}{name}", partial(_small, folder, settings) if trained else _UNTRAINED


def _reader(folder: Path, protocol: Protocol, way: _Way) -> Callable[[], Row]:
    if not protocol.said:
        return _UNSAID
    if way.by_meaning and not protocol.read_by:
        return _UNREAD
    return partial(_recorded, folder, protocol.said, protocol.asked_on, way, protocol.read_by)


def _memory_alone(folder: Path, read_by: str = "") -> Row:
    """The nearest training rows, and nothing learnt."""
    return measured(folder, Decoder([silent], _memory(folder, read_by), _MEMORY_ALONE).decode)


def _memory(folder: Path, read_by: str) -> Remembering:
    return paper_protocol.memory_of_meaning(folder, read_by) if read_by else paper_protocol.memory(folder)


def _small(folder: Path, settings: Settings) -> Row:
    """The networks alone, or with the memory and classifiers."""
    alone = settings.trust == 0
    memory = None if alone else paper_protocol.memory(folder)
    classifiers = None if alone else paper_protocol.classifiers(folder)
    return measured(folder, Decoder(paper_protocol.predictors(folder), memory, settings, classifiers).decode)


def _recorded(folder: Path, said: Path, asked_on: str, way: _Way, read_by: str) -> Row:
    """A network that was asked elsewhere, alone or with the training rows as its memory."""
    rows = requests(folder / "plans" / "test.jsonl")
    asked = {key: Asked(requirement, dataset) for key, requirement, dataset in rows}
    memory = _memory(folder, read_by if way.by_meaning else "") if way.settings.trust else None
    decoder = Decoder([recorded(said, asked)], memory, way.settings)
    plans = dict(zip(asked, decoder.decode_all(list(asked.values())), strict=True))
    made = {"made": {"model ran on": asked_on}} if asked_on else {}
    return {**scored(folder, as_files_have_them(plans)), **believable(folder, plans), **made}
