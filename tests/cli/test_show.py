import json
from pathlib import Path

import pytest

from dlcodegen.cli import show
from dlcodegen.plan import SolutionPlan
from dlcodegen.planner import PlannedRequest
from dlcodegen.report import CheckReport, Fact

PLAN = SolutionPlan.from_paper(
    {
        "Task Category": "Image Segmentation",
        "Dataset": {"Input": "images [red]of 64x64\x1b[2J", "Output": "masks"},
        "Model Architecture": {
            "Layers": ["Conv2D(32)", "Dense(5)"],
            "Hyperparameters": {
                **{"optimizer": "Adam", "loss function": "cross-entropy", "learning rate": 0.001},
                **{"batch size": 16, "epochs": 5, "evaluation metric": "Dice"},
            },
        },
    }
)
REPORT: CheckReport = {
    "status": "failed",
    "rungs": [
        {"name": "parse", "passed": True, "seconds": 0.01, "message": ""},
        {"name": "smoke", "passed": False, "seconds": 2.34, "message": "NameError: name 'x' is not defined"},
    ],
    "error": {
        "rung": "smoke",
        "exception": "NameError",
        "message": "name 'x'",
        "line": 3,
        "code": "y = x[0]",
        "tensors": ["y: 3 float32"],
        "hint": "Define x.",
    },
    "metrics": {"dice": float("nan"), "iou": 0.25},
    "conformance": [],
    "untrained": {},
    "lint": 2,
    "sandbox": {},
    "seconds": 2.5,
}


def lines(text: str) -> list[str]:
    return [" ".join(line.split()) for line in text.splitlines()]


def test_a_plan_is_a_page_of_rows_and_the_stated_facts(capsys: pytest.CaptureFixture[str]) -> None:
    facts: list[Fact] = [{"name": "epochs", "value": 5, "text": "for 5 epochs"}]
    show.plan(PlannedRequest(PLAN, facts, ["No loss is stated."], 0.5, "nearest"))
    shown = lines(capsys.readouterr().out)
    assert shown[0] == "Image Segmentation (planned by nearest, confidence 0.50)"
    assert "input images [red]of 64x64[2J" in shown  # no markup, no escape sequence
    assert shown[shown.index("layers Conv2D(32)") + 1] == "Dense(5)"
    assert "learning rate 0.001" in shown
    assert "note No loss is stated." in shown
    assert "epochs 5 for 5 epochs" in shown


def test_a_check_shows_how_far_the_script_came(capsys: pytest.CaptureFixture[str]) -> None:
    show.check(Path("main.py"), REPORT)
    shown = lines(capsys.readouterr().out)
    assert shown[0] == "✗ Not passed main.py"
    assert shown[1:3] == ["✓ parse 0.01 s", "✗ smoke 2.34 s NameError: name 'x' is not defined"]
    assert "smoke metrics iou 0.25" in shown
    assert "line 3 y = x[0]" in shown
    assert "lint findings 2" in shown


MEASURED = {"way": "syntax writer / dlcodegen", "part": "open", "repairs": 0, "merged runs %": None, "median s": 13.42}


@pytest.mark.parametrize("columns", [200, 40])
def test_rows_are_a_table_where_it_fits_and_else_one_below_the_other(
    columns: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    show.rows([MEASURED, MEASURED | {"way": "direct"}])
    shown = lines(capsys.readouterr().out)
    if columns == 200:
        assert "syntax writer / dlcodegen open 0 13.4" in shown
    else:
        assert shown.index("syntax writer / dlcodegen") < shown.index("repairs 0") < shown.index("direct")
        assert "median s 13.4" in shown


def test_json_is_readable_whatever_the_terminals_encoding(capsys: pytest.CaptureFixture[str]) -> None:
    show.as_json({"requirement": "Bäume ✓"})
    shown = capsys.readouterr().out
    assert shown.isascii()
    assert json.loads(shown) == {"requirement": "Bäume ✓"}
