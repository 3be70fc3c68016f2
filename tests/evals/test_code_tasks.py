"""`bench code`: tasks of any file, a fair pool for each, outputs that can be resumed, one table."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from dlcodegen.cli.main import run
from dlcodegen.context import Context, Method
from dlcodegen.corpus.own import OwnCorpus
from dlcodegen.corpus.pool import open_pool
from dlcodegen.errors import InputError
from dlcodegen.evals import code_outputs, code_systems, code_table
from dlcodegen.evals.code_files import Codes, Task, in_order, read_codes, read_references, read_tasks
from dlcodegen.evals.code_pool import ReferencePool
from dlcodegen.evals.evaluation_code import of_ablation, of_code, of_temperature
from dlcodegen.evals.journal import Row
from dlcodegen.evals.report.markdown import page
from dlcodegen.evals.sections import Section

NOTEBOOK = """
!pip install keras
import keras
from keras import layers

model = keras.Sequential([layers.Input((32, 32, 3)), layers.Conv2D({width}, 3, activation="relu"), layers.Flatten(),
                          layers.Dense(5, activation="softmax")])
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
images = keras.utils.image_dataset_from_directory("flowers", image_size=(32, 32))
model.fit(images, epochs={width})
"""
TASKS = [
    Task(1, "I want to classify photos of flowers into 5 classes", "photos: 32x32", NOTEBOOK.format(width=8)),
    Task(2, "I want to classify pictures of dogs into 5 breeds", "photos: 32x32", NOTEBOOK.format(width=16)),
    Task("c", "I want to forecast the load of a power grid", "hourly values", "x = 1"),
]


def lines(path: Path, *rows: Any) -> Path:
    path.write_text("".join(f"{row if isinstance(row, str) else json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return path


def tasks_file(folder: Path, **changed: Any) -> Path:
    names = ("id", "requirement", "dataset", "reference")
    return lines(folder / "tasks.jsonl", *({**dict(zip(names, task, strict=True)), **changed} for task in TASKS))


def test_tasks_are_read_as_they_stand(tmp_path: Path) -> None:
    assert read_tasks(tasks_file(tmp_path)) == TASKS
    attributes = {"instances": 120, "classes": ["a", "b"]}
    assert read_tasks(lines(tmp_path / "a", {"id": 1, "requirement": "r", "dataset": attributes})) == [
        Task(1, "r", "instances: 120; classes: a, b", "")
    ]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "has no task"),
        ([{"id": 1, "requirement": "r"}, '{"id": 2, "requir'], "line 2: no JSON"),
        ([{"id": 1}], "line 1: no object with a requirement"),
        ([{"id": 1, "requirement": "r"}] * 2, "line 2: there is a task 1 already"),
        ([{"id": [1], "requirement": "r"}], "line 1: the id is a number or text"),
        ([{"id": 1, "requirement": "r", "reference": 5}], "the reference is code as text"),
    ],
)
def test_tasks_that_cannot_be_used_are_named(rows: list[Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=message):
        read_tasks(lines(tmp_path / "tasks.jsonl", *rows))


def test_a_truncated_file_of_outputs_is_used_as_far_as_it_goes(tmp_path: Path) -> None:
    path = lines(tmp_path / "codes.jsonl", {"id": 1, "code": "a"}, {"id": 9, "code": ""}, '{"id": 2, "co')
    codes, remarks = in_order(TASKS, read_codes(path))
    assert codes == ["a", "", ""]
    assert [remark.removeprefix(f"{path}: ") for remark in remarks] == [
        "1 broken rows are left out (line 3: no JSON)",
        "tasks without code count as empty: 2, c",
    ]


@pytest.mark.parametrize("row", ['{"id"', {"id": 1}, {"id": 1, "code": ["a"]}, {"code": "a"}, [1]])
def test_a_file_without_code_is_refused(row: Any, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"has no code \(line 1: "):
        read_codes(lines(tmp_path / "codes.jsonl", row))


def test_ids_of_other_tasks_are_refused() -> None:
    with pytest.raises(InputError, match="code for none of the tasks \\(first ids: 1 and 7\\)"):
        in_order(TASKS, Codes("theirs", {7: "a"}))


@pytest.fixture(scope="module")
def pool() -> ReferencePool:
    references = {task.id: task.reference for task in TASKS} | {"copy of 1": f"{TASKS[0].reference}\n\n"}
    return ReferencePool(Codes("references", references))


def test_a_task_retrieves_the_references_of_the_others(pool: ReferencePool) -> None:
    before = {**os.environ}
    with pool.for_task(TASKS[0]) as count:
        own = OwnCorpus()
        found = own.samples(own.ids()).values()
        assert [sample.plan.hyperparameters.epochs for sample in found] == [16]
        assert [sample.framework for sample in found] == ["keras"]
        assert count == 1
        assert any(sample.startswith("image-classification/own-") for sample in open_pool().index.ids)
    assert {**os.environ} == before


def test_the_users_corpus_stays_as_it_is(pool: ReferencePool) -> None:
    with pool.for_task(TASKS[2]) as count:
        assert count == 2
    assert OwnCorpus().is_empty


def test_a_task_may_be_allowed_its_own_reference() -> None:
    with ReferencePool(Codes("references", {1: TASKS[0].reference}), keep_itself=True).for_task(TASKS[0]) as count:
        assert count == 1


def test_a_pool_may_be_a_file_of_outputs_or_empty(tmp_path: Path) -> None:
    assert read_references(lines(tmp_path / "a", {"id": 1, "code": "x"})).by_id == {1: "x"}
    empty = read_references(lines(tmp_path / "b", {"id": 1, "requirement": "r"}))
    with ReferencePool(empty).for_task(TASKS[0]) as count:
        assert count == 0


@pytest.fixture
def scripted(tmp_path: Path) -> str:
    script = {"rules": [["# Task: direct", "```python\nimport keras\n\n\ndef main():\n    print(keras)\n```"]]}
    return f"scripted:{lines(tmp_path / 'script.json', script)}"


def test_an_output_is_a_line_that_other_tools_can_score(pool: ReferencePool, scripted: str) -> None:
    context = Context(method="direct", model=scripted, check=False, planner="nearest")
    ((key, write),) = code_outputs.steps(TASKS[:1], pool, [context], "keras")
    row = write()
    assert key == f"direct, {scripted}, seed 42: 1"
    assert (row["id"], row["code"]) == (1, "import keras\n\n\ndef main():\n    print(keras)\n")
    assert row["references"] == 1
    assert row["tokens"] > 0
    assert row["category"] == "Image Classification"


def test_what_cannot_be_understood_is_an_output_without_code(pool: ReferencePool) -> None:
    ((_, write),) = code_outputs.steps([Task(5, "hello", "", "")], pool, [Context(planner="nearest")], "keras")
    row = write()
    assert (row["code"], row["status"]) == ("", "needs_input")
    assert "say what should be learnt from which data" in row["problem"]


def test_without_a_model_only_what_asks_none_is_measured() -> None:
    found = code_systems.of_table(Context(), code_systems.TABLE, 0)
    assert [context.method for context in found.contexts] == ["dlcodegen"]
    assert list(found.absent) == ["direct", "ps", "c-cot", "cedar"]
    assert all("give --model" in reason for reason in found.absent.values())
    assert code_systems.of_parts(Context(), 1).contexts == []
    sampling = code_systems.of_sampling(Context(), 1)
    assert list(sampling.absent) == [f"temperature {value:g}" for value in code_systems.TEMPERATURES]
    assert [context.plan_decoding for context in sampling.contexts] == ["greedy", "beam", "sampled", "consensus"]


def test_with_a_model_each_system_has_three_seeds() -> None:
    found = code_systems.of_table(Context(model="openai:x"), ["direct", "dlcodegen"], 0)
    assert [(context.method, context.seed) for context in found.contexts] == [
        (method, seed) for seed in (42, 43, 44) for method in ("direct", "dlcodegen")
    ]


def test_sampling_is_of_the_model_and_of_the_plan() -> None:
    measured = code_systems.of_sampling(Context(model="openai:x"), 1).contexts
    assert [code_outputs.name_of(context).removeprefix("dlcodegen, openai:x") for context in measured] == [
        *(f", temperature {value}" for value in ("0", "0.5", "1", "1.5", "2")),
        "",
        *(f", plan by {way}" for way in ("beam", "sampled", "consensus")),
    ]


def output(system: str, task: Task, seed: int = 42, code: str = "x = 1", **changed: Any) -> Row:
    fields = {"method": "dlcodegen", "model": "m", "temperature": None, "stopped": "", "seconds": 2.0, "tokens": 10}
    row = {"system": system, "id": task.id, "seed": seed, "code": code, "status": "passed", "rungs": ["smoke run"]}
    return row | fields | changed


def test_systems_that_are_not_through_have_no_row() -> None:
    rows = [output("a", task) for task in TASKS] + [output("b", TASKS[0])]
    assert [found.system for found in code_table.outputs_of(TASKS, rows)] == ["a"]
    assert [found.system for found in code_table.outputs_of(TASKS[:1], rows)] == ["a", "b"]


def test_the_table_says_what_ran_and_how_sure_it_is() -> None:
    failed = {"status": "failed", "rungs": ["parse"], "stopped": "build: no", "code": "open('/path/to/data')"}
    rows = [output("ours", task, seed) for task in TASKS[:2] for seed in (42, 43)]
    rows[1] |= failed
    made = code_table.steps(TASKS[:2], TASKS, [], code_table.outputs_of(TASKS[:2], rows), {"direct": "no model"})
    journal = [{"key": key, **work()} for key, work in made]
    floor, ours, absent = code_table.summary(journal)
    assert floor["system"] == code_table.FLOOR
    assert 0 < ours["CodeBLEU"] < 100
    assert (ours["seeds"], ours["smoke run"], ours["passed"], ours["no placeholder"]) == (2, 75, 75, 75)
    assert ours["±"] > 0
    assert ours["answered"] == 100
    assert absent == {"system": "direct", "absent": "no model"}
    assert [line["system"] for line in code_table.brief(journal)] == [code_table.FLOOR, "ours", "direct: no model"]
    measured = [row for row in journal if "absent" not in row]
    text = page([Section("code", "Code", write(measured)) for write in (of_code, of_ablation)])
    assert "43 | 1: build: no" in text
    assert f"| {code_table.FLOOR} | 2 | 1 |" in text


def test_the_floor_is_the_nearest_other_reference() -> None:
    others = [Task(name, f"I want to sort {name} by smell", "a table", name) for name in ("cheese", "shoes", "soap")]
    known = [*TASKS, *others]
    assert code_table.nearest(TASKS[:2], known).by_id == {1: TASKS[1].reference, 2: TASKS[0].reference}


def test_tasks_without_a_reference_are_solved_and_not_scored() -> None:
    tasks = [task._replace(reference="") for task in TASKS]
    outputs = code_table.outputs_of(tasks, [output("ours", task) for task in tasks])
    made = code_table.steps(tasks, tasks, [Path("anything.jsonl")], outputs, {})
    assert [work() for _, work in made] == [{"absent": "task 1 has no reference"}]


def scored(system: str, tasks: int, **changed: Any) -> Row:
    shares = ("answered", "ngram", "w-ngram", "syntax", "dataflow", "parses", "names", "no placeholder", "lines")
    executed = {"CodeBLEU": 10.0, "smoke run": 50.0, "passed": 0.0, "temperature": None, "decoding": "greedy"}
    return {"system": system, "tasks": tasks, "model": "m", **dict.fromkeys(shares, 1.0), **executed, **changed}


def test_temperatures_are_in_order() -> None:
    rows = [scored(f"t{value}", 2, temperature=value) for value in (2.0, 0.0)]
    curves = of_temperature(rows)[-1]
    assert getattr(curves, "x", None) == [0.0, 2.0]


def test_each_writer_has_its_own_number_of_tasks_for_the_decoding_of_plans() -> None:
    of_model = [scored("m", 3), scored("m, plan by beam", 3, decoding="beam")]
    offline = [scored("syntax", 20, model="offline"), scored("syntax, plan by beam", 20, model="offline")]
    *_, what, table = of_temperature([*of_model, *offline, scored("hot", 3, temperature=2.0)])
    assert "beam search" in getattr(what, "text", "")
    lines = [(line[0], line[1]) for line in getattr(table, "rows", [])]
    assert lines == [("m", 3), ("m, plan by beam", 3), ("syntax", 20), ("syntax, plan by beam", 20)]


def test_without_the_published_data_the_rows_are_absent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DLCODEGEN_PUBLISHED_DATA", str(tmp_path / "nowhere"))
    out = tmp_path / "outputs.jsonl"
    assert run(["bench", "code", "--out", str(out), "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)["summary"]
    assert "there is no published data" in row["absent"]


def test_without_a_model_each_row_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tasks = tasks_file(tmp_path, reference="")
    assert run(["bench", "ablation", "--tasks", str(tasks), "--out", str(tmp_path / "o.jsonl"), "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["summary"]
    assert len(rows) >= 5
    assert all("give --model" in row["absent"] for row in rows)


def test_one_command_writes_outputs_and_scores_and_goes_on(
    tmp_path: Path, scripted: str, capsys: pytest.CaptureFixture[str]
) -> None:
    tasks, out = tasks_file(tmp_path), tmp_path / "outputs.jsonl"
    command = ["bench", "code", "--tasks", str(tasks), "--out", str(out), "--methods", "direct", "--model", scripted]
    command += ["--seeds", "1", "--limit", "1", "--model-on", "a server far away", "--json"]
    assert run(command) == 0
    ours = json.loads(capsys.readouterr().out)["summary"][-1]
    assert ours["system"] == f"direct, {scripted}"
    assert (ours["parses"], ours["passed"]) == (100, 0)
    written = out.read_text()
    assert [json.loads(line)["id"] for line in written.splitlines()] == [1]
    scores = (tmp_path / "outputs.scores.jsonl").read_text().splitlines()
    assert json.loads(scores[-1])["made"]["model ran on"] == "a server far away"
    assert run(command) == 0
    assert out.read_text() == written


def test_an_unknown_method_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["bench", "code", "--methods", "direct,guessing"]) == 2
    assert "there is no method 'guessing': use any of dlcodegen, direct" in capsys.readouterr().err


def test_every_method_of_the_table_is_one_of_the_graph() -> None:
    methods: list[Method] = [*code_systems.TABLE, *code_systems.PARTS]
    assert [Context(method=method).method for method in methods] == methods
