"""The rows of the paper protocol: what is given is measured, what is not is absent with the reason."""

import json
import shutil
from pathlib import Path

import pytest

from dlcodegen.evals import protocol_rows
from dlcodegen.evals.journal import Row
from dlcodegen.evals.protocol_rows import BEST, PROTOCOL, Protocol
from dlcodegen.planner.gpt2.rows import CLOSED, requests
from tests.plan_rows import TASKS, plan, tiny_base, toy_rows, write_rows

MEANT = f"{PROTOCOL}memory alone, by words and meaning, consensus"


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder like that of the published data; nothing is trained, and nothing was read."""
    monkeypatch.setenv("DLCODEGEN_CACHE", str(tmp_path / "cache"))
    (tmp_path / "data" / "plans").mkdir(parents=True)
    for seed, (part, count) in enumerate({"train": 40, "dev": 8, "test": 8}.items()):
        rows = [{"id": place, **row} for place, row in enumerate(toy_rows(count, seed))]
        write_rows(tmp_path / "data" / "plans" / f"{part}.jsonl", rows)
    return tmp_path / "data"


@pytest.fixture
def said(data: Path) -> Path:
    """A network that takes everything for the same task, and is sure of it."""
    values = dict(zip(CLOSED, ("Text Classification", *TASKS["Text Classification"]["settings"]), strict=True))
    odds = {name: {f"{value:g}" if isinstance(value, float) else str(value): 1.0} for name, value in values.items()}
    text = json.dumps(plan("Text Classification"))
    asked = requests(data / "plans" / "test.jsonl")
    return write_rows(data / "said.jsonl", [{"id": key, "plan_text": text, "odds": odds} for key, *_ in asked])


def rows(protocol: Protocol, data: Path) -> dict[str, Row]:
    return {key: work() for key, work in protocol_rows.steps(protocol, data)}


def test_what_is_missing_is_asked_for(data: Path, said: Path) -> None:
    found = rows(Protocol(), data)
    assert "--read-by" in found[MEANT]["absent"]
    assert "--said" in found[f"{PROTOCOL}{BEST}"]["absent"]
    assert "--read-by" in rows(Protocol(said), data)[f"{PROTOCOL}{BEST}"]["absent"]
    assert found[f"{PROTOCOL}memory alone, consensus"]["valid"] == 100


def test_the_memory_by_meaning_mends_what_a_network_says(data: Path, said: Path, tmp_path: Path) -> None:
    base = tiny_base(tmp_path)
    protocol = Protocol(said, str(base), "a pocket calculator")
    found = rows(protocol, data)
    alone, mended = found[f"{PROTOCOL}a base that has read the web, alone"], found[f"{PROTOCOL}{BEST}"]
    assert mended["category"] == alone["category"] == 25  # that is for the network to say
    assert mended["optimizer"] > alone["optimizer"]
    assert mended["layers"] < alone["layers"]
    assert mended["made"] == {"model ran on": "a pocket calculator"}
    assert found[MEANT]["category"] > 80
    shutil.rmtree(base)  # it was read once, and what it made of the rows is kept
    assert rows(protocol, data)[f"{PROTOCOL}{BEST}"] == mended
