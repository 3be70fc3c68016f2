"""What is missing or broken costs a benchmark the rows that need it, with the reason, or is one line to act on."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from dlcodegen.cli.main import run
from dlcodegen.cli.measuring import measured
from dlcodegen.errors import SettingsError
from dlcodegen.evals import plan_prediction, quick
from dlcodegen.evals.evaluation import sections
from dlcodegen.evals.journal import Journal, Row, read_journal
from dlcodegen.evals.report import html, markdown

PLAN = {
    "Task Category": "Image Regression",
    "Dataset": {"Input": "photos of dials", "Output": "what they show"},
    "Layers": ["Conv2D(8)", "Dense(1)"],
    **{"optimizer": "Adam", "loss function": "MSE", "learning rate": 0.001},
    **{"batch size": 8, "epochs": 3, "evaluation metric": "MAE"},
}


def row(key: int | str, plan: object = PLAN) -> str:
    return json.dumps({"id": key, "requirement": "read dials", "dataset": "photos", "plan_text": json.dumps(plan)})


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of published data with two references and one file of predictions."""
    folder = tmp_path / "data"
    (folder / "plans" / "published").mkdir(parents=True)
    (folder / "plans" / "test.jsonl").write_text(f"{row(1)}\n{row(2)}\n", encoding="utf-8")
    (folder / "plans" / "published" / "them.jsonl").write_text(f"{row(1)}\n{row(2)}\n", encoding="utf-8")
    monkeypatch.setenv("DLCODEGEN_PUBLISHED_DATA", str(folder))
    return folder


def published_rows(out: Path) -> list[Row]:
    """Of the published predictors, as the command measures them; the weights of ours are another test's."""
    steps = [step for step in plan_prediction.quick_steps() if step[0].startswith("published")]
    measured("plans", steps, list, out / "plans.jsonl", fresh=False)
    return read_journal(out / "plans.jsonl")


def test_sound_predictions_have_no_remarks(data: Path, tmp_path: Path) -> None:
    (found,) = published_rows(tmp_path)
    assert found["BLEU"] == pytest.approx(100)
    assert "remarks" not in found


@pytest.mark.parametrize("folder", ["nowhere", "empty"])
def test_without_the_data_folder_rows_are_absent_with_the_reason(
    folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("DLCODEGEN_PUBLISHED_DATA", str(tmp_path / folder))
    (found,) = published_rows(tmp_path)
    assert found["absent"].startswith(
        f"there is no published data in {tmp_path / folder}: set DLCODEGEN_PUBLISHED_DATA"
    )
    assert "Not measured: published data: there is no published data" in markdown.page(sections(tmp_path))
    quick_code = dict(quick.steps()["code"])
    assert "there is no published data" in quick_code["published tasks"]()["absent"]


def test_data_that_turns_up_is_measured_at_the_next_start(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DLCODEGEN_PUBLISHED_DATA", str(tmp_path / "nowhere"))
    published_rows(tmp_path)
    monkeypatch.setenv("DLCODEGEN_PUBLISHED_DATA", str(data))
    assert [row["key"] for row in published_rows(tmp_path)] == ["published: them"]


def test_without_predictions_their_rows_are_absent(data: Path, tmp_path: Path) -> None:
    (data / "plans" / "published" / "them.jsonl").unlink()
    (found,) = published_rows(tmp_path)
    assert found["absent"] == f"there are no files in {data / 'plans' / 'published'}"


def test_a_truncated_file_of_predictions_is_scored_with_a_remark(data: Path, tmp_path: Path) -> None:
    path = data / "plans" / "published" / "them.jsonl"
    path.write_text(path.read_text(encoding="utf-8")[:-40], encoding="utf-8")
    (found,) = published_rows(tmp_path)
    assert found["valid"] == 50
    assert found["remarks"] == [
        f"{path}: broken rows are left out: 1 (line 2: no JSON)",
        f"{path}: missing ids count as empty plans: 1 (2)",
    ]
    for page in (markdown.page(sections(tmp_path)), html.page(sections(tmp_path))):
        assert "broken rows are left out: 1 (line 2: no JSON)" in page


@pytest.mark.parametrize(
    ("write", "reason"),
    [
        (lambda path: path.write_text(f"{row(7)}\n{row(8)}\n"), "has no id of "),
        (lambda path: path.write_text(""), "has no plan: write "),
        (lambda path: path.write_text("nothing here\n"), "has no plan (line 1: no JSON): write "),
        (lambda path: path.write_bytes(b"\xff\xfe\x00"), "is no UTF-8 text: give a file of JSON lines"),
        (lambda path: (path.unlink(), path.mkdir()), "cannot read "),
    ],
    ids=["other ids", "empty", "no JSON", "no text", "a folder"],
)
def test_predictions_that_cannot_be_used_cost_their_own_row_only(
    write: Callable[[Path], object],
    reason: str,
    data: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (data / "plans" / "published" / "us.jsonl").write_text(f"{row(1)}\n{row(2)}\n", encoding="utf-8")
    write(data / "plans" / "published" / "them.jsonl")
    them, us = published_rows(tmp_path)
    assert reason in them["absent"]
    assert "\n" not in them["absent"]
    assert f"plans: published: them is absent: {them['absent']}" in capsys.readouterr().err
    assert us["valid"] == 100


def test_plans_that_are_empty_or_no_plans_are_scored_as_wrong(data: Path, tmp_path: Path) -> None:
    path = data / "plans" / "published" / "them.jsonl"
    path.write_text(f"{row(1, '')}\n{row(2, 'I cannot help with that.')}\n", encoding="utf-8")
    (found,) = published_rows(tmp_path)
    assert (found["valid"], found["category"], found["lr"]) == (0, 0, 1)


def test_a_scorer_that_is_not_installed_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert run(["bench", "plans", "--out", str(tmp_path / "plans.jsonl")]) == 2
    assert capsys.readouterr().err.strip().splitlines()[-1] == (
        "error: scoring plans needs sacrebleu and rapidfuzz: pip install 'dlcodegen[eval]'"
    )
    with pytest.raises(SettingsError, match=r"dlcodegen\[eval\]"):
        list(plan_prediction.quick_steps())


def test_what_is_set_up_wrongly_stops_the_measurement(tmp_path: Path) -> None:
    def work() -> Row:
        raise SettingsError("there is no model 'x': give --model")

    with pytest.raises(SettingsError, match="give --model"):
        measured("a", [("one", work)], list, tmp_path / "a.jsonl", fresh=False)
    assert read_journal(tmp_path / "a.jsonl") == []


def test_an_interrupted_run_goes_on_where_it_was(tmp_path: Path) -> None:
    done: list[str] = []

    def step(key: str, interrupted: bool = False) -> tuple[str, Callable[[], Row]]:
        def work() -> Row:
            if interrupted:
                raise KeyboardInterrupt
            done.append(key)
            return {}

        return key, work

    out = tmp_path / "a.jsonl"
    with pytest.raises(KeyboardInterrupt):
        measured("a", [step("one"), step("two", interrupted=True), step("three")], list, out, fresh=False)
    measured("a", [step("one"), step("two"), step("three")], list, out, fresh=False)
    assert done == ["one", "two", "three"]
    assert [row["key"] for row in read_journal(out)] == done


@pytest.mark.parametrize(
    ("write", "line"),
    [
        (lambda path: path.write_text("my notes\n"), "line 1 is no JSON"),
        (lambda path: path.write_text('{"a": 1}\n'), "line 1 is no result of a benchmark"),
        (lambda path: path.write_bytes(b"\xff\xfe"), "is no UTF-8 text"),
        (lambda path: path.mkdir(), "cannot read "),
    ],
    ids=["notes", "other JSON", "no text", "a folder"],
)
def test_results_that_are_none_are_one_line_and_stay_as_they_are(
    write: Callable[[Path], object], line: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "ladder.jsonl"
    write(path)
    before = path.read_bytes() if path.is_file() else b""
    for arguments in (["bench", "ladder", "--out", str(path)], ["bench", "report", str(tmp_path)]):
        assert run(arguments) == 2
        error = capsys.readouterr().err.strip()
        assert error.startswith("error: ")
        assert line in error
        assert "\n" not in error
    assert (path.read_bytes() if path.is_file() else b"") == before


def test_without_results_there_is_no_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["bench", "report", str(tmp_path), "--out", str(tmp_path / "page.md")]) == 2
    assert "there are no results in" in capsys.readouterr().err
    assert not (tmp_path / "page.md").exists()


def test_rows_of_an_older_version_are_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Journal(tmp_path / "ladder.jsonl").add("fault / a", {"fault": "a"})
    assert run(["bench", "report", str(tmp_path), "--out", str(tmp_path / "page.md")]) == 2
    assert "ladder.jsonl has no 'kind': measure anew with `dlcodegen bench ladder --fresh`" in capsys.readouterr().err


def test_a_page_that_cannot_be_written_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    row = {"fault": "a", "kind": "k", "sample": "s", "expected": [], "caught_by": "", "said": "", "ms": 1}
    Journal(tmp_path / "ladder.jsonl").add("fault / a", row)
    assert run(["bench", "report", str(tmp_path), "--out", str(tmp_path / "ladder.jsonl" / "page.md")]) == 2
    assert "error: cannot write" in capsys.readouterr().err
