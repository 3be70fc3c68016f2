"""A benchmark's journal survives interruptions and refuses files that are not its own."""

import json
from pathlib import Path

import pytest

from dlcodegen.cli.main import run
from dlcodegen.errors import InputError
from dlcodegen.evals.journal import Journal, read_journal


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


@pytest.mark.parametrize("text", ["no json\n{}\n", "a note", "[1]\n", '{"other": 1}\n', '{"key": 1}\n', "{" * 99999])
def test_a_file_of_somebody_else_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(text)
    with pytest.raises(InputError, match="line 1 is no"):
        Journal(path)
    assert path.read_text() == text


def test_what_was_absent_is_tried_again(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    Journal(path).add("one", {"absent": "no key"})
    assert [row["absent"] for row in read_journal(path)] == ["no key"]
    assert "one" not in Journal(path)
    assert read_journal(path) == []


def test_reading_a_journal_leaves_it_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    assert read_journal(path) == []
    Journal(path).add("one", {})
    path.write_text(path.read_text() + '{"key": "tw')
    assert [row["key"] for row in read_journal(path)] == ["one"]
    assert path.read_text().endswith('{"key": "tw')


def test_a_benchmark_prints_its_summary(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What is in the journal already is only summed up."""
    from dlcodegen.evals import sandbox_speed

    journal = Journal(tmp_path / "a.jsonl")
    for key, _ in sandbox_speed.steps(1):
        journal.add(key, {"what": "small CNN", "way": "cold", "seconds": 2.0})
    assert run(["bench", "sandbox", "--repeats", "1", "--out", str(tmp_path / "a.jsonl"), "--json"]) == 0
    summary = json.loads(capsys.readouterr().out)["summary"]
    assert summary[0]["median"] == 2.0


def test_what_takes_time_is_one_benchmark_that_shares_the_others_journals(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from dlcodegen.evals import plan_prediction, pool_growth, sandbox_speed

    steps = {
        "sandbox": sandbox_speed.steps(1),
        "plans": plan_prediction.speed_steps(),
        "growth": pool_growth.steps(),
    }
    for name, some in steps.items():
        journal = Journal(tmp_path / f"{name}.jsonl")
        for key, _ in some:
            journal.add(key, {"what": key, "way": "cold", "seconds": 2.0, "size": 1})
    assert run(["bench", "speed", "--repeats", "1", "--out", str(tmp_path), "--json"]) == 0
    assert list(json.loads(capsys.readouterr().out)["summary"]) == ["sandbox", "plans", "growth"]


def test_retrieval_is_a_benchmark_of_its_own_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from dlcodegen.evals import retrieval

    row = {"way": "by words", "category": "known", "part": "tuning", "pairs": 2, "hit@1": 0.5, "hit@3": 1, "MRR": 0.75}
    journal = Journal(tmp_path / "retrieval.jsonl")
    for key, _ in retrieval.steps(None):
        journal.add(key, {**row, "missed": []})
    assert run(["bench", "retrieval", "--out", str(tmp_path / "retrieval.jsonl"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["summary"][0]["hit@1"] == 0.5
