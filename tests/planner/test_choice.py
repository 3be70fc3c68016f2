"""Who plans: the predictor, and a chat model where it is unsure and one is there."""

import json
from pathlib import Path
from typing import Any

import pytest

from dlcodegen.context import Context
from dlcodegen.errors import SettingsError
from dlcodegen.planner.choice import choose, predict
from dlcodegen.planner.protocol import PlanRequest
from tests.plan_rows import plan

UNCLEAR = PlanRequest("something with pictures of hulls", "image-classification", 0.4, "pytorch")
CLEAR = PlanRequest("classify pictures of hulls", "image-classification", 0.9, "pytorch")


@pytest.fixture
def model(tmp_path: Path) -> str:
    """A chat model that plans a segmentation, whatever it is asked."""
    script = tmp_path / "script.json"
    script.write_text(json.dumps({"rules": [["", json.dumps(plan("Image Segmentation"))]]}))
    return f"scripted:{script}"


def test_the_chat_model_plans_where_the_predictor_is_unsure(model: str) -> None:
    found = predict(UNCLEAR, Context(model=model))
    assert found.planner == "llm"
    assert found.plan.category == "image-segmentation"
    assert found.usage["calls"] == 1
    assert "unsure of the task (0.40)" in found.notes[0]
    assert "takes the task for image-segmentation" in found.notes[1]


def test_where_it_is_sure_no_model_is_asked(model: str) -> None:
    found = predict(CLEAR, Context(model=model))
    assert (found.planner, found.notes) == ("gpt2", [])


def test_without_a_model_the_predictor_plans_what_it_is_unsure_of() -> None:
    found = predict(UNCLEAR, Context())
    assert (found.planner, found.usage) == ("gpt2", {})


def test_the_settings_name_the_planner(model: str) -> None:
    assert predict(CLEAR, Context(planner="llm", model=model)).planner == "llm"
    assert predict(UNCLEAR, Context(planner="gpt2", model=model)).planner == "gpt2"
    assert predict(UNCLEAR, Context(planner="nearest", model=model)).planner == "nearest"


def test_an_answer_that_is_no_plan_leaves_it_to_the_predictor(tmp_path: Path) -> None:
    script = tmp_path / "script.json"
    script.write_text(json.dumps({"rules": [["", "I would rather talk about the weather."]]}))
    found = predict(CLEAR, Context(planner="llm", model=f"scripted:{script}"))
    assert found.planner == "gpt2"
    assert "the plan is the gpt2 planner's" in found.notes[0]
    assert found.usage["calls"] == 2


def test_a_chat_model_must_be_named_to_be_asked() -> None:
    with pytest.raises(SettingsError, match="--model"):
        choose(Context(planner="llm"))


@pytest.mark.parametrize("way", ["greedy", "beam", "sampled", "consensus"])
def test_however_the_plan_is_decoded_it_is_one_that_code_is_written_from(way: Any) -> None:
    found = predict(CLEAR, Context(plan_decoding=way))
    assert found.plan.category == "image-classification"
    assert found.plan.layers
    assert predict(CLEAR, Context(plan_decoding=way)).plan == found.plan, "the seed decides"
