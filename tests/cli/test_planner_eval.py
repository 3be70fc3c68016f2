"""`dlcodegen planner eval`: a table for people, one object for machines, one line for what is wrong."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from dlcodegen.cli.main import run

HEAVY = ("torch", "numpy", "transformers", "sacrebleu", "json_repair", "rapidfuzz")
RIGHT: dict[str, Any] = {
    "Task Category": "Text Classification",
    "Dataset": {"Input": "a letter to the editor", "Output": "one of five departments"},
    "Preprocess": "",
    "Model Architecture": {
        "Layers": ["Embedding(5000, 32)", "GRU(32)", "Dense(5)"],
        "Hyperparameters": {
            **{"optimizer": "RMSprop", "loss function": "Cross Entropy", "learning rate": 0.002},
            **{"batch size": 16, "epochs": 8, "evaluation metric": "macro F1"},
        },
    },
}


def write(path: Path, plans: dict[int, str]) -> str:
    path.write_text("".join(f"{json.dumps({'id': key, 'plan_text': text})}\n" for key, text in plans.items()))
    return str(path)


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """References, good predictions, and bad ones of which one is missing."""
    text = json.dumps(RIGHT)
    return [
        write(tmp_path / "right.jsonl", {1: text, 2: text}),
        write(tmp_path / "good.jsonl", {1: text, 2: text}),
        write(tmp_path / "bad.jsonl", {1: text[:60]}),
    ]


def test_a_wide_table_has_a_row_for_each_file(
    files: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "140")
    assert run(["planner", "eval", *files]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines() if line.strip()]
    assert lines[0][:6] == ["valid↑", "BLEU↑", "category↑", "input↑", "output↑", "layers↓"]
    assert lines[2] == ["good", *["*100.00"] * 5, *["*0.00"] * 2, *["*100.00"] * 2, *["*0.00"] * 2, "*100.00"]
    assert lines[3][:2] == ["bad", "0.00"]
    assert lines[4][:2] == ["2", "plans;"]
    assert "missing ids count as empty plans: 1 (2)" in " ".join(lines[5])


def test_a_narrow_table_has_a_column_for_each_file(
    files: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    assert run(["planner", "eval", *files]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines() if line.strip()]
    assert lines[0] == ["good", "bad"]
    assert lines[2] == ["valid↑", "*100.00", "0.00"]
    assert lines[11] == ["batch↓", "*0.00", "1000.00"]


def test_a_single_file_is_not_the_best(files: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["planner", "eval", *files[:2]]) == 0
    assert "*" not in capsys.readouterr().out


def test_files_of_the_same_name_are_told_apart(
    files: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "500")
    (tmp_path / "other").mkdir()
    other = write(tmp_path / "other" / "good.jsonl", {1: json.dumps(RIGHT)})
    assert run(["planner", "eval", *files, other]) == 0
    shown = capsys.readouterr().out
    assert f" {files[1]} " in shown
    assert f" {other} " in shown


def test_json_has_every_score_and_remark(files: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["planner", "eval", *files, "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert (made["references"], made["plans"]) == (files[0], 2)
    assert [row["file"] for row in made["scores"]] == files[1:]
    assert list(made["scores"][0])[1:] == [
        *("valid", "BLEU", "category", "input", "output", "layers"),
        *("lr", "loss", "optimizer", "batch", "epochs", "metric"),
    ]
    assert made["scores"][1]["category"] == 50
    assert made["remarks"] == [f"{files[2]}: missing ids count as empty plans: 1 (2)"]


def test_what_cannot_be_compared_is_one_line(
    files: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    strange = write(tmp_path / "strange.jsonl", {77: "{}"})
    for path, said in [
        (strange, "strange.jsonl has no id of"),
        ("nowhere.jsonl", "cannot read nowhere.jsonl: No such"),
    ]:
        assert run(["planner", "eval", files[0], path]) == 2
        shown = capsys.readouterr()
        assert shown.out == ""
        assert said in shown.err
        assert shown.err.count("\n") == 1


def test_help_teaches_by_example(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["planner", "eval", "--help"]) == 0
    assert "\n dlcodegen planner eval test.jsonl predicted.jsonl" in capsys.readouterr().out


def test_help_imports_nothing_heavy() -> None:
    program = f"""
import sys
from dlcodegen.cli.main import run
run(["planner", "eval", "--help"])
print([name for name in {HEAVY} if name in sys.modules])
"""
    made = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert made.stdout.splitlines()[-1] == "[]"
