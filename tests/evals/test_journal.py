"""A benchmark's journal survives interruptions and refuses files that are not its own; the page is made from it."""

import json
from pathlib import Path

import pytest

from dlcodegen.cli.main import run
from dlcodegen.errors import InputError
from dlcodegen.evals.evaluation import render
from dlcodegen.evals.journal import Journal

FAULT = {"fault": "a", "kind": "shapes", "sample": "x/y", "expected": ["build"], "caught_by": "build", "said": "a | b"}


def test_what_is_measured_is_not_measured_again(tmp_path: Path) -> None:
    path = tmp_path / "results" / "a.jsonl"
    Journal(path).add("one", {"seconds": 1.5})
    again = Journal(path)
    assert "one" in again
    assert "two" not in again
    assert again.rows[0]["seconds"] == 1.5
    assert set(again.rows[0]["made"]) == {"date", "commit", "machine", "python", "torch"}


def test_a_row_that_was_cut_off_is_measured_again(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    journal = Journal(path)
    journal.add("one", {})
    journal.add("two", {})
    path.write_text(path.read_text()[:-10])
    again = Journal(path)
    assert "one" in again
    assert "two" not in again


def test_everything_can_be_measured_anew(tmp_path: Path) -> None:
    Journal(tmp_path / "a.jsonl").add("one", {})
    assert Journal(tmp_path / "a.jsonl", fresh=True).rows == []


@pytest.mark.parametrize("text", ["no json\n{}\n", "[1]\n", '{"other": 1}\n'])
def test_a_file_of_somebody_else_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(text)
    with pytest.raises(InputError, match="line 1 is no"):
        Journal(path)
    assert path.read_text() == text


def test_the_page_counts_what_was_caught_and_names_what_was_not(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "ladder.jsonl")
    journal.add("fault / a", {**FAULT, "ms": 120})
    journal.add("fault / b", {**FAULT, "fault": "b", "caught_by": "", "ms": 500})
    journal.add("sample / x", {"sample": "x/y", "caught_by": "", "said": "", "ms": 900})
    page = render(tmp_path)
    assert "| all | 2 | 2 | 1 | 1 | 120 |" in page
    assert "Not caught, though expected: b." in page
    assert "False alarms on sound samples: none." in page
    assert "a \\| b" in page


def test_without_results_there_is_no_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["bench", "report", str(tmp_path), "--out", str(tmp_path / "page.md")]) == 2
    assert "there are no results in" in capsys.readouterr().err


def test_a_benchmark_prints_its_summary(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What is in the journal already is only summed up."""
    from dlcodegen.evals import sandbox_speed

    journal = Journal(tmp_path / "a.jsonl")
    for key, _ in sandbox_speed.steps(1):
        journal.add(key, {"what": "small CNN", "way": "cold", "seconds": 2.0})
    assert run(["bench", "sandbox", "--repeats", "1", "--out", str(tmp_path / "a.jsonl"), "--json"]) == 0
    summary = json.loads(capsys.readouterr().out)["summary"]
    assert summary[0]["median"] == 2.0
