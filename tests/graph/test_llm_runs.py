"""The same graph with a model that writes well, badly, or not at all."""

from typing import Any

import pytest

from tests.graph.conftest import Run
from tests.graph.scripts import FAILS, FAILS_ELSEWHERE, RUNS, fenced
from tests.small_script import edited


def names(state: dict[str, Any]) -> list[str]:
    return [candidate["name"] for candidate in state["candidates"]]


def test_drafts_that_run_are_merged_and_delivered(run_scripted: Run) -> None:
    state = run_scripted(
        draft_from_code=fenced(RUNS),
        draft_from_template=fenced(RUNS + "\n# the template's\n"),
        merge="imports: draft_from_code - shorter\n" + fenced(RUNS),
    )
    assert state["status"] == "passed"
    assert names(state) == ["draft_from_code", "draft_from_template", "merged"]
    assert state["files"]["main.py"] == RUNS
    assert state["report"]["writer"] == "llm"
    assert state["usage"]["draft_from_code"]["output_tokens"] > 0


def test_a_failing_merge_is_repaired(run_scripted: Run) -> None:
    state = run_scripted(
        draft_from_code=fenced(FAILS), draft_from_template=fenced(FAILS), merge=fenced(FAILS), repair=fenced(RUNS)
    )
    assert state["status"] == "passed"
    assert state["report"]["chosen"] == "repair_1"
    failed = state["candidates"][2]["report"]
    assert failed["error"]["exception"] == "ValueError"
    assert failed["error"]["message"] == "shapes differ"


def test_an_error_that_comes_back_ends_the_asking_and_not_the_run(run_scripted: Run) -> None:
    state = run_scripted(
        draft_from_code=fenced(FAILS), draft_from_template=fenced(FAILS), merge=fenced(FAILS), repair=fenced(FAILS)
    )
    assert state["status"] == "passed"
    assert names(state)[:4] == ["draft_from_code", "draft_from_template", "merged", "repair_1"]
    assert state["report"]["chosen"] == names(state)[-1]
    assert state["candidates"][-1]["origin"][0].startswith("all: ")
    assert state["usage"]["repair"]["calls"] == 2


def test_repairs_are_bounded_by_their_own_counter(run_scripted: Run) -> None:
    state = run_scripted(
        repairs=1,
        draft_from_code=fenced(FAILS),
        draft_from_template=fenced(FAILS),
        merge=fenced(FAILS),
        repair=fenced(FAILS_ELSEWHERE),
    )
    assert names(state)[-1] == "repair_1"
    assert "repair" not in state["usage"] or not state["usage"]["repair"]["calls"]


def test_a_draft_that_runs_wins_over_a_merge_that_does_not(run_scripted: Run) -> None:
    state = run_scripted(
        draft_from_code=fenced(RUNS), draft_from_template=fenced(FAILS), merge=fenced(FAILS), repair=fenced(FAILS)
    )
    assert state["status"] == "passed"
    assert state["report"]["chosen"] == "draft_from_code"
    assert state["repairs"] == 0


def test_after_rubbish_and_silence_the_sample_is_delivered(run_scripted: Run) -> None:
    for answer in ("", "I am sorry, I cannot do that.", "```python\ndef broken(:\n```"):
        state = run_scripted(draft_from_code=answer, draft_from_template=answer, merge=answer, repair=answer)
        assert state["status"] == "passed"
        assert state["report"]["candidates"][0]["error"]["rung"] == "parse"
        assert set(state["files"]) >= {"main.py", "README.md", "report.json"}


def test_without_repairs_rubbish_ends_in_a_diagnosis(run_scripted: Run) -> None:
    state = run_scripted(repairs=0, draft_from_code="no", draft_from_template="no", merge="no")
    assert state["status"] == "failed"
    assert state["report"]["candidates"][0]["error"]["rung"] == "parse"


def test_unchecked_code_says_so(run_scripted: Run) -> None:
    state = run_scripted(
        check=False, draft_from_code=fenced(FAILS), draft_from_template=fenced(FAILS), merge=fenced(FAILS)
    )
    assert state["status"] == "unchecked"
    assert all(candidate["report"] is None for candidate in state["candidates"])
    assert "check" not in state["usage"]


def test_no_secret_and_no_instruction_of_the_requirement_gets_through(run_scripted: Run, monkeypatch: Any) -> None:
    """Generated code sees no key, whatever it tries."""
    monkeypatch.setenv("MY_API_KEY", "sk-very-secret")
    spy = edited(
        ('"accuracy": right', '"keys": float(sum("API_KEY" in name for name in os.environ)), "accuracy": right'),
        ("import json", "import json\nimport os"),
    )
    state = run_scripted(draft_from_code=fenced(spy), draft_from_template=fenced(spy), merge=fenced(spy))
    assert state["candidates"][0]["report"]["metrics"]["keys"] == 0
    assert "sk-very-secret" not in str(state)


@pytest.mark.parametrize(("bound", "asked"), [(14_000, False), (27_000, True)])
def test_stages_side_by_side_keep_to_the_runs_tokens_together(run_scripted: Run, bound: int, asked: bool) -> None:
    """Each of the two would take 11,000; the second bound has room for both."""
    long = fenced(RUNS + "# more\n" * 3_000)
    usage = run_scripted(max_tokens=bound, check=False, draft_from_code=long, abstract_template=long)["usage"]
    used = [stage.get("input_tokens", 0) + stage.get("output_tokens", 0) for stage in usage.values()]
    assert sum(used) <= bound
    assert bool(usage["draft_from_code"]["output_tokens"] and usage["abstract_template"]["output_tokens"]) == asked
