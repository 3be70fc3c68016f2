"""Files of plans are read tolerantly, and what is wrong with them is said in a line."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dlcodegen.errors import InputError, SettingsError
from dlcodegen.evals.plan_files import mismatches, read_plans
from dlcodegen.evals.plan_scores import score
from dlcodegen.evals.published import published_data, published_predictions

PLAN: dict[str, Any] = {
    "Task Category": "Time Series Forecasting",
    "Dataset": {"Input": "48 hours of river levels", "Output": "the level in six hours"},
    "Layers": ["GRU(24)", "Dense(1)"],
    **{"optimizer": "Adam", "loss function": "MAE", "learning rate": 0.001},
    **{"batch size": 64, "epochs": 12, "evaluation metric": "MAE"},
}


def write(path: Path, *lines: str) -> Path:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def row(key: int | str, text: str = json.dumps(PLAN)) -> str:
    return json.dumps({"id": key, "plan_text": text})


def test_missing_ids_count_as_empty_plans_and_are_said(tmp_path: Path) -> None:
    right = read_plans(write(tmp_path / "right.jsonl", *(row(key) for key in range(4))))
    made = read_plans(write(tmp_path / "made.jsonl", row(1), row(3), row(9)))
    assert score(right, made).valid == 50
    assert score(right, made).batch == 500
    assert mismatches(right, made) == [
        f"{tmp_path}/made.jsonl: missing ids count as empty plans: 2 (0, 2)",
        f"{tmp_path}/made.jsonl: ids that no reference has are left out: 1 (9)",
    ]
    assert mismatches(right, right) == []


def test_predictions_for_something_else_are_refused(tmp_path: Path) -> None:
    right = read_plans(write(tmp_path / "right.jsonl", row(1)))
    made = read_plans(write(tmp_path / "made.jsonl", row("1")))
    with pytest.raises(InputError, match=r"made.jsonl has no id of .*right.jsonl \(first ids: '1' and 1\)"):
        score(right, made)


def test_broken_rows_are_left_out_and_named(tmp_path: Path) -> None:
    path = write(
        tmp_path / "made.jsonl",
        *(row(1), "", "{", "[1]", '{"plan_text": "{}"}', '{"id": 5}', '{"id": [6], "plan_text": "{}"}', row(7)[:-4]),
        json.dumps({"id": 8, "plan_text": PLAN}),
        json.dumps({"id": 9, "plan_text": "a line break \u2028 of its own"}, ensure_ascii=False),
    )
    read = read_plans(path)
    assert list(read.by_id) == [1, 8, 9]
    assert read.by_id[8].valid
    assert read.remarks == [
        f"{path}: broken rows are left out: 6 (line 3: no JSON, line 4: no JSON object, line 5: no id, ...)"
    ]


def test_of_rows_with_the_same_id_the_last_counts(tmp_path: Path) -> None:
    read = read_plans(write(tmp_path / "made.jsonl", row(1, "{}"), row(2), row(1)))
    assert read.by_id[1].valid
    assert read.remarks == [f"{tmp_path}/made.jsonl: of rows with the same id the last counts: 1 (1)"]


def test_references_without_ids_are_numbered_by_line(tmp_path: Path) -> None:
    path = write(tmp_path / "right.jsonl", json.dumps({"plan_text": "{}"}), "", json.dumps({"plan_text": "{}"}))
    assert list(read_plans(path, numbered=True).by_id) == [1, 3]


@pytest.mark.parametrize(
    ("make", "line"),
    [
        (lambda path: None, "cannot read .*: No such file or directory"),
        (lambda path: path.mkdir(), "cannot read .*: Is a directory"),
        (lambda path: path.write_bytes(b"\xff\xfe"), "is no UTF-8 text: give a file of JSON lines"),
        (lambda path: path.write_text(""), r"has no plan: write {\"id\": 1,"),
        (lambda path: path.write_text("no plan\n"), r"has no plan \(line 1: no JSON\): write {\"id\": 1,"),
    ],
)
def test_what_is_no_file_of_plans_is_one_line(make: Callable[[Path], object], line: str, tmp_path: Path) -> None:
    make(tmp_path / "made.jsonl")
    with pytest.raises(InputError, match=line) as raised:
        read_plans(tmp_path / "made.jsonl")
    assert "\n" not in str(raised.value)


def test_where_published_data_is_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DLCODEGEN_PUBLISHED_DATA", str(tmp_path))
    with pytest.raises(SettingsError, match=r"there is no published data in .*: set DLCODEGEN_PUBLISHED_DATA"):
        published_data()
    (tmp_path / "plans" / "published").mkdir(parents=True)
    write(tmp_path / "plans" / "test.jsonl", row(1))
    write(tmp_path / "plans" / "published" / "b.jsonl", row(1))
    assert published_data() == tmp_path
    assert [path.stem for path in published_predictions(tmp_path)] == ["b"]
