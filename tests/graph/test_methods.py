"""What the method is compared with, and the method without one of its parts: edges of the same graph, switched off."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from dlcodegen.corpus.own import OwnCorpus
from dlcodegen.corpus.sample import all_samples
from tests.graph.conftest import REQUIREMENT, Run
from tests.graph.scripts import FAILS, RUNS, fenced

ANSWERS = {"draft_from_code": fenced(RUNS), "draft_from_template": fenced(RUNS + "# t\n"), "merge": fenced(RUNS)}


def names(state: dict[str, Any]) -> list[str]:
    return [candidate["name"] for candidate in state["candidates"]]


@pytest.mark.parametrize("method", ["direct", "ps", "c-cot", "cedar"])
def test_a_simple_method_is_one_answer_taken_as_it_is(run_scripted: Run, method: str) -> None:
    task = {"direct": "direct", "ps": "plan_and_solve", "c-cot": "chain_of_code", "cedar": "cedar"}[method]
    state = run_scripted(method=method, **{task: fenced(FAILS)})
    assert len(state["candidates"]) == 1
    assert state["status"] == "failed"
    assert "merge" not in state["usage"]
    assert ("retrieve" in state["usage"]) == (method == "cedar")


def test_without_a_draft_there_is_nothing_to_merge(run_scripted: Run) -> None:
    assert names(run_scripted(method="no-code-rag", **ANSWERS)) == ["draft_from_template"]
    assert names(run_scripted(method="no-template-rag", **ANSWERS)) == ["draft_from_code"]


def test_without_merge_the_better_draft_is_delivered(run_scripted: Run) -> None:
    state = run_scripted(method="no-merge", **(ANSWERS | {"draft_from_template": fenced(FAILS)}))
    assert names(state) == ["draft_from_code", "draft_from_template"]
    assert state["report"]["chosen"] == "draft_from_code"


def test_without_repair_a_failure_stays_one(run_scripted: Run) -> None:
    failing = fenced(FAILS)
    state = run_scripted(method="no-repair", draft_from_code=failing, draft_from_template=failing, merge=failing)
    assert state["status"] == "failed"
    assert state["repairs"] == 0


def test_without_a_planner_the_plan_is_that_of_the_nearest_sample(run_scripted: Run) -> None:
    state = run_scripted(method="no-plan", **ANSWERS)
    assert state["planner"]["name"] == "nearest"
    assert state["status"] == "passed"


@pytest.fixture
def notebook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The id of a user's own sample: a small CNN, as the sentence asks, that has none of the contract's parts."""
    monkeypatch.setenv("DLCODEGEN_DATA", str(tmp_path / "data"))
    likest = all_samples()["image-classification/small-cnn"]
    own = dataclasses.replace(
        likest,
        id="image-classification/own-notebook",
        plan=likest.plan.model_copy(update={"layers": likest.plan.layers[1:]}),
        code=f'"""{REQUIREMENT}."""\nimport torch\n',
        source="me",
        by_contract=False,
        known={"config": likest.config},
    )
    OwnCorpus().add([own])
    return own.id


def test_by_segment_a_sample_without_the_contracts_parts_serves_nobody(run_scripted: Run, notebook: str) -> None:
    state = run_scripted(pieces="segment")
    assert state["status"] == "passed"
    assert notebook not in state["samples"]


@pytest.mark.parametrize("method", ["dlcodegen", "cedar"])
def test_whole_scripts_are_written_after_any_sample(run_scripted: Run, notebook: str, method: str) -> None:
    assert notebook in run_scripted(method=method, repairs=0, cedar=fenced(RUNS), **ANSWERS)["samples"]
