"""A run counts only when the code passed, is of the right category, and honours what the suite says was stated."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dlcodegen.api import Project
from dlcodegen.cli.main import run
from dlcodegen.context import Context
from dlcodegen.corpus.sample import all_samples
from dlcodegen.errors import ModelError, RequirementError, SettingsError
from dlcodegen.evals import model_runs, project_runs
from dlcodegen.evals.evaluation_runs import of_models, of_runs
from dlcodegen.evals.journal import Journal, Row, read_journal
from dlcodegen.evals.sections import Table
from dlcodegen.evals.suite import Sentence, Value, chosen
from tests.small_script import SCRIPT

SYNTAX = project_runs.way(Context(writer="syntax"))
FACTS: dict[str, Value] = {"num_classes": 4, "framework": "pytorch"}
PLAN = {
    "Task Category": "Image Classification",
    "Dataset": {"Input": "images", "Output": "labels"},
    "Model Architecture": {
        "Layers": [],
        "Hyperparameters": {
            "optimizer": "Adam",
            "loss function": "cross-entropy",
            "learning rate": 0.001,
            "batch size": 32,
            "epochs": 10,
            "evaluation metric": "accuracy",
        },
    },
}


def sentence(kept: bool = False, category: str = "image-classification", **facts: Any) -> Sentence:
    return Sentence("one", "Classify photos into 4 kinds", "", "", category, kept, facts or FACTS)


def candidate(name: str, status: str = "passed", *rows: dict[str, Any]) -> dict[str, Any]:
    error = {"rung": "build", "exception": "ValueError", "message": "shapes differ"} if status == "failed" else None
    return {"name": name, "status": status, "error": error, "conformance": list(rows)}


def project(code: str = SCRIPT, status: str = "passed", plan: Any = None, **report: Any) -> Project:
    told = {
        "candidates": [candidate("draft_from_code", status)],
        "chosen": "draft_from_code",
        "usage": {"plan": {"seconds": 1.0}},
    }
    return Project(
        status=status,  # type: ignore[arg-type]
        files={"main.py": code},
        plan=PLAN if plan is None else plan,
        report=told | report,
        answer="",
    )


Made = Callable[..., Row]


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Made:
    """The row of a run whose graph gives this project, or raises this error."""

    def row_of(result: Project | Exception, asked: Sentence | None = None) -> Row:
        def generate(*_: object, **__: object) -> Project:
            if isinstance(result, Exception):
                raise result
            return result

        monkeypatch.setattr(project_runs, "generate", generate)
        return project_runs.run(asked or sentence(), SYNTAX)

    return row_of


def test_a_project_as_it_was_asked_for_is_a_success(made: Made) -> None:
    row = made(project())
    assert row["success"]
    assert (row["facts"], row["honoured"], row["contradicted"], row["why not"]) == (2, 2, 0, [])


def test_a_fact_that_the_code_contradicts_is_named(made: Made) -> None:
    row = made(project(), sentence(num_classes=4, framework="keras"))
    assert not row["success"]
    assert row["why not"] == ["framework keras is contradicted"]


def test_what_the_product_misread_is_no_excuse(made: Made) -> None:
    """Its report is content with 4 classes; the sentence states 9."""
    read = {"name": "num_classes", "expected": "4", "verdict": "honoured", "evidence": "", "line": 1}
    row = made(project(candidates=[candidate("draft_from_code", "passed", read)]), sentence(num_classes=9))
    assert row["why not"] == ["num_classes 9 is not found"]


def test_what_was_seen_running_counts_where_it_is_about_the_same_value(made: Made) -> None:
    seen = {"name": "weight_decay", "expected": "0.1", "verdict": "honoured", "evidence": "ran", "line": None}
    other = seen | {"expected": "0.2"}
    for row, success in ((seen, True), (other, False)):
        ran = project(candidates=[candidate("draft_from_code", "passed", row)])
        assert made(ran, sentence(weight_decay=0.1))["success"] is success


def test_training_is_judged_by_what_the_sentence_states_not_by_the_plan(made: Made) -> None:
    row = made(project(), sentence(learning_rate=0.5))
    assert row["why not"] == ["learning_rate 0.5 is contradicted"]


def test_another_category_is_no_success(made: Made) -> None:
    row = made(project(), sentence(category="image-regression"))
    assert not row["category right"]
    assert row["why not"] == ["planned as Image Classification"]


def test_without_a_plan_the_code_shows_the_category(made: Made) -> None:
    code = all_samples()["image-segmentation/unet-binary"].code
    assert made(project(code, plan={}), sentence(category="image-segmentation"))["category right"]
    assert not made(project(code, plan={}), sentence(category="text-generation"))["category right"]


def test_code_that_failed_says_why(made: Made) -> None:
    row = made(project(status="failed"))
    assert row["why not"] == ["did not pass: build: ValueError shapes differ"]
    assert not row["passed"]


def test_code_that_does_not_parse_honours_nothing(made: Made) -> None:
    row = made(project(code="def", status="failed", plan={}))
    assert (row["honoured"], row["category right"]) == (0, False)


def test_the_course_of_a_run_is_counted(made: Made) -> None:
    told = [
        candidate("draft_from_code"),
        candidate("draft_from_template", "failed"),
        candidate("merged", "failed"),
        candidate("repair_1", "failed"),
        candidate("repair_2"),
    ]
    usage = {"plan": {"seconds": 1.0}, "repair": {"calls": 2, "input_tokens": 30, "output_tokens": 12}}
    row = made(project(candidates=told, chosen="repair_2", usage=usage))
    assert (row["drafts"], row["drafts that run"], row["merged runs"], row["repairs"]) == (2, 1, False, 2)
    assert (row["mended runs"], row["tokens"], row["calls"]) == (True, {"repair": 42}, 2)


def test_a_method_without_a_merge_is_judged_by_its_only_draft(made: Made) -> None:
    row = made(project(candidates=[candidate("direct")], chosen="direct"))
    assert (row["merged runs"], row["mended runs"]) == (None, True)


@pytest.mark.parametrize(
    ("error", "status"), [(RequirementError("what?"), "refused"), (ModelError("the server is gone"), "model error")]
)
def test_a_run_that_delivers_nothing_is_a_failure(error: Exception, status: str, made: Made) -> None:
    row = made(error)
    assert (row["status"], row["success"], row["why not"]) == (status, False, [f"{status}: {error}"])


def test_a_model_that_is_set_up_wrongly_ends_the_measurement(made: Made) -> None:
    with pytest.raises(SettingsError):
        made(SettingsError("no such model"))


@pytest.mark.parametrize("status", ["not_executed", "sandbox_error", "unchecked"])
def test_what_was_not_executed_is_absent(status: str, made: Made) -> None:
    assert status in made(project(status=status))["absent"]


def test_of_the_kept_sentences_nobody_learns_what_they_miss(made: Made) -> None:
    row = made(project(), sentence(kept=True, num_classes=9))
    assert not row["success"]
    assert "why not" not in row


def test_all_ways_share_a_sentence_before_the_next() -> None:
    ways = [SYNTAX, project_runs.way(Context(writer="llm", model="openai:small", method="direct", seed=7))]
    sentences = [sentence()._replace(id=name) for name in ("a", "b")]
    assert [key for key, _ in project_runs.steps(ways, sentences)] == [
        "syntax writer / dlcodegen / a",
        "openai:small / direct, by script, seed 7 / a",
        "syntax writer / dlcodegen / b",
        "openai:small / direct, by script, seed 7 / b",
    ]


def test_the_summary_keeps_the_parts_apart(made: Made) -> None:
    rows = [
        made(project()),
        made(project(status="failed")),
        made(project(), sentence(kept=True)),
        made(RequirementError("what?")),
        made(project(status="not_executed")),
    ]
    held, kept = project_runs.summary(rows)
    assert (held["part"], held["sentences"], held["success %"], held["delivered runs %"]) == ("open", 3, 33.3, 33.3)
    assert (held["first drafts run %"], held["merged runs %"]) == (50.0, None)
    assert (kept["part"], kept["sentences"], kept["success %"]) == ("kept", 1, 100.0)
    assert project_runs.summary([]) == []


def test_the_report_names_what_the_open_sentences_miss(made: Made) -> None:
    made_rows = [made(project(), sentence(num_classes=9)), made(project(), sentence(kept=True, num_classes=9))]
    rows = [{"key": str(number), **row} for number, row in enumerate(made_rows)]
    for write in (of_runs, of_models):
        missed = write(rows)[-1].blocks[0]  # type: ignore[union-attr]
        assert isinstance(missed, Table)
        assert [line[1:] for line in missed.rows] == [["one", "num_classes 9 is not found"]]


def test_every_model_is_asked_directly_and_by_the_method(tmp_path: Path) -> None:
    script = tmp_path / "answers.json"
    script.write_text(json.dumps({"answers": []}), encoding="utf-8")
    model = f"scripted:{script}"
    compared = [key.rpartition(" / ")[0] for key, _ in model_runs.steps([model], [sentence()])]
    assert compared == [
        "syntax writer / dlcodegen",
        f"{model} / direct, by script",
        f"{model} / dlcodegen, by script",
    ]
    without = [key for key, _ in model_runs.steps([model], [sentence()], ablation=True)]
    assert sum("/ no-" in key for key in without) == 5


def test_a_model_that_is_not_here_is_absent_with_the_reason() -> None:
    (key, work), *others = model_runs.steps(["nobody:knows"], [sentence()])
    assert key == "nobody:knows"
    assert "nobody" in work()["absent"]
    assert [name for name, _ in others] == ["syntax writer / dlcodegen / one"]


def test_a_real_run_of_one_sentence() -> None:
    stated: dict[str, Value] = {"num_features": 6, "hidden_units": [16, 8], "learning_rate": 0.01}
    asked = Sentence(
        "table",
        "Predict a flat's rent from 6 numeric features, tabular regression, layers of 16 and 8 units, lr 0.01",
        "",
        "",
        "tabular-regression",
        False,
        stated,
    )
    row = project_runs.run(asked, SYNTAX)
    assert row["success"], row["why not"]
    assert (row["drafts"], row["honoured"], row["calls"]) == (2, 3, 0)
    assert row["plan honoured"] <= row["plan fields"]
    assert row["seconds"] > 0


def summed(rows: list[dict[str, Any]], path: Path, command: list[str], capsys: pytest.CaptureFixture[str]) -> Any:
    """The summary that the command prints when these rows are measured already."""
    journal = Journal(path)
    for row in rows:
        journal.add(f"{row['way']} / {chosen(row['kept'], 1)[0].id}", row)
    assert run(["bench", *command, "--limit", "1", "--out", str(path), "--json"]) == 0
    return json.loads(capsys.readouterr().out)["summary"]


def test_the_kept_part_is_measured_by_a_command_of_its_own(
    made: Made, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [made(project(), sentence(kept=kept)) for kept in (False, True)]
    for command in (["runs"], ["runs", "--kept"]):
        found = summed(rows, tmp_path / "runs.jsonl", command, capsys)
        assert [row["part"] for row in found][:2] == ["open", "kept"]


def test_a_missing_model_leaves_the_others_measured(
    made: Made, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "models.jsonl"
    (row,) = summed([made(project())], path, ["models", "--models", "nobody:knows"], capsys)
    assert row["way"] == SYNTAX.name
    assert [row["key"] for row in read_journal(path) if "absent" in row] == ["nobody:knows"]
