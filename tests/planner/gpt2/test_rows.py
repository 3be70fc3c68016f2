"""Reading training rows: what is broken is counted and named by its line, what is drifted is understood."""

import json
from pathlib import Path
from typing import Any

import pytest

from dlcodegen.errors import InputError
from dlcodegen.planner.gpt2.rows import PlanRow, read_rows, requests
from tests.plan_rows import plan, toy_rows, write_rows

REGRESSION = "Tabular Regression"


def read(folder: Path, *rows: Any, canonical: bool = True) -> list[PlanRow]:
    return read_rows(write_rows(folder / "rows.jsonl", list(rows)), canonical).rows


def row(plan_text: Any, requirement: Any = "what will it cost", **others: Any) -> dict[str, Any]:
    return {"requirement": requirement, "plan_text": plan_text, **others}


def changed(**values: Any) -> dict[str, Any]:
    return row(plan(REGRESSION, **{name.replace("_", " "): value for name, value in values.items()}))


def test_a_row_has_every_field_as_text(tmp_path: Path) -> None:
    [made] = read(tmp_path, row(json.dumps(plan(REGRESSION)), dataset="a csv", framework="keras"))
    assert (made.requirement, made.dataset, made.framework) == ("what will it cost", "a csv", "keras")
    assert made.layers == ["Dense(64, activation='relu')", "Dropout(0.1)", "Dense(1)"]
    assert made.values == {
        **{"category": REGRESSION, "optimizer": "SGD(momentum=0.9)", "loss": "MSE", "learning_rate": "0.01"},
        **{"batch_size": "64", "epochs": "60", "metric": "RMSE", "preprocess": "Scale to [0, 1]"},
        **{"input": "nine numbers, shape (N, 9)", "output": "a price, shape (N, 1)"},
    }


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('{"requirement": "cut', "no JSON"),
        ("[1, 2]", "no object with a requirement"),
        ('"a text"', "no object with a requirement"),
        ("null", "no object with a requirement"),
        ("[" * 100_000, "no JSON"),
        (row(json.dumps(plan(REGRESSION)), requirement=" \t "), "no object with a requirement"),
        (row(json.dumps(plan(REGRESSION)), requirement=None), "no object with a requirement"),
        ({"requirement": "a"}, "plan_text is missing or no JSON"),
        (row(json.dumps(plan(REGRESSION))[:200]), "plan_text is missing or no JSON"),
        (row("{" * 5000), "plan_text is missing or no JSON"),
        (row('{"a":' * 100_000), "plan_text is missing or no JSON"),
        (row(None), "plan_text is missing or no JSON"),
        (row("[]"), "the plan lacks its task category or its layers"),
        (row('{"Task Category": "Tabular Regression", "Layers": []}'), "the plan lacks its task category or its"),
        (row('{"Task Category": "", "Layers": ["Dense(1)"]}'), "the plan lacks its task category or its layers"),
    ],
)
def test_a_broken_row_is_named_by_its_line_and_left_out(tmp_path: Path, line: Any, said: str) -> None:
    good = toy_rows(3)
    made = read_rows(write_rows(tmp_path / "rows.jsonl", [good[0], "", good[1], line, good[2]]))
    assert len(made.rows) == 3
    assert len(made.broken) == 1
    assert made.broken[0].startswith(f"line 4: {said}")


@pytest.mark.parametrize("rows", [[], ["", "  "], ["{", "["], [*toy_rows(2), "{", "[", "{"]], ids=str)
def test_a_file_that_is_mostly_unusable_is_refused_in_one_line(tmp_path: Path, rows: list[Any]) -> None:
    path = write_rows(tmp_path / "rows.jsonl", rows)
    with pytest.raises(InputError, match=r"rows can be used.*write \{\"requirement\"") as caught:
        read_rows(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("content", "said"), [(None, "cannot read"), (b"\xff\xfe\x00", "is no UTF-8 text")])
def test_a_file_that_cannot_be_read_is_one_line(tmp_path: Path, content: bytes | None, said: str) -> None:
    path = tmp_path / "rows.jsonl"
    if content is not None:
        path.write_bytes(content)
    for reader in (read_rows, lambda path: list(requests(path))):
        with pytest.raises(InputError, match=said) as caught:
            reader(path)
        assert "\n" not in str(caught.value)
    with pytest.raises(InputError, match="Is a directory"):
        read_rows(tmp_path)


def test_only_a_line_feed_ends_a_line_and_a_byte_order_mark_is_none_of_the_text(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    odd = "flats\u2028in\x85Rome or\u2029Paris"
    first, second = (json.dumps(row(plan(REGRESSION), requirement=text), ensure_ascii=False) for text in (odd, "b"))
    path.write_bytes(f"\ufeff{first}\r\n{second}".encode())
    made = read_rows(path)
    assert (made.broken, [each.requirement for each in made.rows]) == ([], ["flats in Rome or Paris", "b"])
    assert [asked[1] for asked in requests(path)] == ["flats in Rome or Paris", "b"]


def test_a_category_outside_the_list_becomes_the_nearest_and_is_named(tmp_path: Path) -> None:
    foreign = {**plan(REGRESSION), "Task Category": "House Price Regression (Tabular)"}
    path = write_rows(tmp_path / "rows.jsonl", [row(foreign), row(plan(REGRESSION))])
    made = read_rows(path)
    assert [each.values["category"] for each in made.rows] == [REGRESSION, REGRESSION]
    assert made.foreign == {"House Price Regression (Tabular)": "tabular-regression"}
    written = read_rows(path, canonical=False)
    assert [each.values["category"] for each in written.rows] == ["House Price Regression (Tabular)", REGRESSION]
    assert written.foreign == {}


def test_a_row_that_asks_for_no_plan_has_its_category_alone(tmp_path: Path) -> None:
    [made] = read(tmp_path, row('{"Task Category": "Other"}', requirement="what time is it"))
    assert (made.values, made.layers) == ({"category": "Other"}, [])


@pytest.mark.parametrize(
    ("dataset", "text"),
    [
        (None, ""),
        ("a csv\n of  flats", "a csv of flats"),
        ({"rows": 400, "columns": ["rent", "area"], "source": None}, "rows: 400; columns: rent, area; source: "),
        (["400 rows", {"px": [64, 64]}], "400 rows, px: 64, 64"),
        (7, "7"),
    ],
)
def test_a_dataset_comes_as_prose_list_or_keys(tmp_path: Path, dataset: Any, text: str) -> None:
    path = write_rows(tmp_path / "rows.jsonl", [row(plan(REGRESSION), dataset=dataset)])
    assert [each.dataset for each in read_rows(path).rows] == [text]
    assert [asked[2] for asked in requests(path)] == [text]


def test_drifted_keys_and_nesting_are_understood(tmp_path: Path) -> None:
    drifted = {
        "task": "tabular regression",
        "Model architecture": {"layers": {"encoder": ["Dense(8)", "ReLU()"], "head": "Dense(1)"}},
        "Hypermeters": {"LR": "1e-3 (with decay)", "batch_size": "32 to 64", "Epoch": [10], "metrics": ["MAE", "R2"]},
        "Optimizer": "Adam",
        "loss": "MSE",
    }
    [made] = read(tmp_path, row(drifted))
    assert made.layers == ["Dense(8)", "ReLU()", "Dense(1)"]
    assert made.values == {
        **{"category": REGRESSION, "optimizer": "Adam", "loss": "MSE", "learning_rate": "0.001"},
        **{"batch_size": "32", "epochs": "10", "metric": "MAE, R2"},
    }


@pytest.mark.parametrize("number", ["", "unknown", None, 0, "0.0", "1e999", -0.0, {}, []])
def test_a_number_that_makes_no_sense_is_not_learnt(tmp_path: Path, number: Any) -> None:
    [made] = read(tmp_path, changed(learning_rate=number, batch_size=number, epochs=number))
    assert not made.values.keys() & {"learning_rate", "batch_size", "epochs"}


def test_half_a_batch_is_no_number_of_rows_but_half_is_a_learning_rate(tmp_path: Path) -> None:
    [made] = read(tmp_path, changed(learning_rate=0.5, batch_size=0.5, epochs="0.25 of the data"))
    assert made.values["learning_rate"] == "0.5"
    assert not made.values.keys() & {"batch_size", "epochs"}


@pytest.mark.parametrize("framework", ["plan", "TensorFlow", ["keras"], 3, None, "", "end"])
def test_a_framework_that_nobody_knows_is_left_open(tmp_path: Path, framework: Any) -> None:
    [made] = read(tmp_path, row(plan(REGRESSION), framework=framework))
    assert made.framework == ""


def test_requests_need_no_plan_and_are_numbered_by_line_where_they_have_no_id(tmp_path: Path) -> None:
    path = write_rows(tmp_path / "rows.jsonl", [{"requirement": "a", "id": "x7"}, "", {"requirement": "b"}])
    assert list(requests(path)) == [("x7", "a", ""), (3, "b", "")]


def test_a_broken_request_is_named_by_its_line(tmp_path: Path) -> None:
    path = write_rows(tmp_path / "rows.jsonl", [{"requirement": "a"}, '{"requirement": ""}'])
    with pytest.raises(InputError, match=r"rows\.jsonl, line 2: no object with a requirement"):
        list(requests(path))
