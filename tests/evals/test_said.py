"""A network that was asked elsewhere: its record speaks for it, and the memory mends what it may mend."""

import json
from pathlib import Path
from typing import Any

import pytest

from dlcodegen.errors import InputError
from dlcodegen.evals.said import recorded, silent
from dlcodegen.planner.gpt2.decoding import Asked, Decoder, Settings
from dlcodegen.planner.gpt2.memory import Memory
from dlcodegen.planner.gpt2.rows import read_rows
from tests.plan_rows import TASKS, plan, toy_rows, write_rows

HIDDEN = "Text Classification"
ASKED = {7: Asked("outline barnacles on hull photos"), 8: Asked("outline barnacles on hull photos"), 9: Asked("tides")}


def said(key: int, **changed: Any) -> dict[str, Any]:
    """It holds every request for a text classification, and is not quite sure of it."""
    values = dict(
        zip(("optimizer", "loss", "learning_rate", "batch_size", "epochs"), TASKS[HIDDEN]["settings"], strict=False)
    )
    values |= {"category": HIDDEN, "metric": TASKS[HIDDEN]["settings"][5]}
    odds = {name: {f"{value:g}" if isinstance(value, float) else str(value): 0.9} for name, value in values.items()}
    return {"id": key, "plan_text": json.dumps(plan(HIDDEN)), "odds": odds} | changed


@pytest.fixture
def memory(tmp_path: Path) -> Memory:
    return Memory(read_rows(write_rows(tmp_path / "train.jsonl", toy_rows(40))).rows)


def test_the_record_speaks_for_the_network(tmp_path: Path) -> None:
    """Rows 7 and 8 ask the same: both have their plan."""
    path = write_rows(tmp_path / "said.jsonl", [said(key) for key in ASKED])
    plans = Decoder([recorded(path, ASKED)], None, Settings(trust=0.0)).decode_all(list(ASKED.values()))
    assert len(plans) == 3
    assert all(one.layers == TASKS[HIDDEN]["layers"] and one.values["category"] == HIDDEN for one in plans)
    assert plans[0].odds["category"] == {HIDDEN: 0.9}


def test_the_memory_mends_the_fields_that_it_is_told(tmp_path: Path, memory: Memory) -> None:
    path = write_rows(tmp_path / "said.jsonl", [said(key) for key in ASKED])
    settings = Settings(trust=0.8, untold=frozenset(("category",)), layers="remembered")
    [one, *_] = Decoder([recorded(path, ASKED)], memory, settings).decode_all(list(ASKED.values()))
    nearest = TASKS["Image Segmentation"]
    assert one.values["category"] == HIDDEN
    assert (one.values["optimizer"], one.values["loss"]) == nearest["settings"][:2]
    assert one.layers == nearest["layers"]
    assert one.values["input"] == plan(HIDDEN)["Dataset"]["Input"]


def test_the_memory_alone_needs_nobody(memory: Memory) -> None:
    decoder = Decoder([silent], memory, Settings(way="consensus", trust=1.0))
    assert decoder.decode(*ASKED[7]).values["category"] == "Image Segmentation"


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (
            [{"id": 7, "plan_text": "{}"}],
            "no plan with its odds; write it with `dlcodegen planner predict --odds`",
        ),
        ([said(7, odds={})], "line 1: no plan with its odds"),
        ([said(7, plan_text="{}")], "line 1: no plan with its odds"),
        (["{"], "line 1: no plan with its odds"),
        ([said(7), said(9)], "1 of 3 requests have no answer, 8 among them"),
    ],
)
def test_a_record_that_lacks_something_is_told(tmp_path: Path, rows: list[Any], words: str) -> None:
    with pytest.raises(InputError) as caught:
        recorded(write_rows(tmp_path / "said.jsonl", rows), ASKED)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
