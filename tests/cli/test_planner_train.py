"""`dlcodegen planner data`, `train` and `predict` on a toy set: from rows to plans, and one line for what is wrong."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from dlcodegen.cli.main import run
from dlcodegen.plan import SolutionPlan
from dlcodegen.planner.gpt2 import examples
from dlcodegen.planner.gpt2.training import CHECKPOINT, Recipe
from dlcodegen.planner.gpt2.training_recipe import Size
from tests.plan_rows import TASKS, tiny_base, toy_rows, write_rows

HEAVY = ("torch", "numpy", "transformers", "tokenizers", "safetensors")


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command line trains a network of a toy's size."""
    plain = Recipe.of

    def of(base: str, epochs: int, seed: int, size: Size, renamed: float) -> Recipe:
        from dataclasses import replace

        small = {"width": 64, "depth": 1, "dropout": 0.05, "batch_tokens": 512, "learning_rate": 1e-2}
        return replace(plain(base, epochs, seed, size, renamed), **small)  # type: ignore[arg-type]

    monkeypatch.setattr(Recipe, "of", of)


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """`--train FILE --dev FILE --out DIR`."""
    train = write_rows(tmp_path / "train.jsonl", toy_rows(40))
    dev = write_rows(tmp_path / "dev.jsonl", toy_rows(12, seed=1))
    return ["--train", str(train), "--dev", str(dev), "--out", str(tmp_path / "weights")]


def train(files: list[str], *more: str) -> int:
    return run(["planner", "train", *files, "--epochs", "2", *more])


def failed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The one line that is said of bad input."""
    capsys.readouterr()
    assert run(["planner", *arguments]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("error: ")
    assert shown.err.count("\n") == 1
    return shown.err


def test_from_rows_to_a_score(files: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["planner", "train", *files, "--epochs", "20", "--memory"]) == 0
    shown = capsys.readouterr()
    assert shown.out.startswith(f"{tmp_path / 'weights'}: loss ")
    assert "million parameters, 40 rows, on" in shown.err
    assert "epoch 1: loss" in shown.err
    assert "shards" not in shown.err
    asked = [
        {"id": f"row {place}", "requirement": row["requirement"], "plan_text": row["plan_text"]}
        for place, row in enumerate(toy_rows(8, seed=2))
    ]
    source = write_rows(tmp_path / "test.jsonl", asked)
    for way in ("greedy", "beam", "consensus"):
        out = tmp_path / f"{way}.jsonl"
        asking = ["--in", str(source), "--out", str(out), "--weights", files[5], "--decode", way, "--odds"]
        assert run(["planner", "predict", *asking]) == 0
        assert f"{out}: 8 plans" in capsys.readouterr().out
        rows = [json.loads(line) for line in out.read_text().splitlines()]
        assert [row["id"] for row in rows] == [row["id"] for row in asked]
        assert all(SolutionPlan.from_text(row["plan_text"]).layers for row in rows)
        assert all(sum(row["odds"]["category"].values()) == pytest.approx(1) for row in rows)
        assert run(["planner", "eval", str(source), str(out), "--json"]) == 0
        [score] = json.loads(capsys.readouterr().out)["scores"]
        assert score["valid"] == 100
        assert score["category"] >= 75


def test_the_recipe_writes_rows_that_can_be_trained_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = [str(tmp_path / name) for name in ("train.jsonl", "again.jsonl", "dev.jsonl")]
    for path, more in zip(made, ([], [], ["--dev"]), strict=True):
        assert run(["planner", "data", "--rows", "40", "--out", path, *more]) == 0
        assert f"{path}: 40 rows" in capsys.readouterr().out
    first, again, dev = (Path(path).read_text() for path in made)
    assert first == again != dev
    assert set(json.loads(first.splitlines()[0])) == {"requirement", "dataset", "plan_text", "framework"}
    assert train(["--train", made[0], "--dev", made[2], "--out", str(tmp_path / "weights")]) == 0
    assert "left out" not in capsys.readouterr().err


@pytest.mark.slow  # trains twice
def test_the_same_command_gives_the_same_weights(files: list[str], tmp_path: Path) -> None:
    for name in ("one", "other"):
        assert train([*files[:5], str(tmp_path / name)]) == 0
    one, other = ((tmp_path / name / "model.safetensors").read_bytes() for name in ("one", "other"))
    assert one == other


def test_broken_rows_are_named_and_left_out(
    files: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    odd = json.dumps(
        {"requirement": "a", "plan_text": toy_rows(1)[0]["plan_text"].replace("Image Seg", "Blurred-picture Seg")}
    )
    rows = [*toy_rows(30), "{", *toy_rows(2), '{"requirement": ""}', "[]", '{"requirement": "x"}', odd]
    write_rows(tmp_path / "train.jsonl", rows)
    assert train(files) == 0
    err = " ".join(capsys.readouterr().err.split())
    assert "4 rows are left out (line 31: no JSON; line 34: no object with a requirement; line 35: no object" in err
    assert "1 categories are outside the list and read as the nearest: 'Blurred-picture" in err


def test_ctrl_c_leaves_a_checkpoint_and_says_so(
    files: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the midst of a step: the step is finished first, so that nothing differs in the end."""
    assert train([*files[:5], str(tmp_path / "whole")]) == 0
    left, plain = 4, examples.loss_of

    def loss_of(*arguments: Any) -> Any:
        nonlocal left
        left -= 1
        if left == 0:
            signal.raise_signal(signal.SIGINT)
        return plain(*arguments)

    monkeypatch.setattr("dlcodegen.planner.gpt2.training.loss_of", loss_of)
    before = signal.getsignal(signal.SIGINT)
    capsys.readouterr()
    assert train(files) == 130
    shown = capsys.readouterr()
    assert "interrupted: the same command goes on from here" in shown.err
    assert shown.err.splitlines()[-1] == "error: interrupted"
    assert signal.getsignal(signal.SIGINT) is before
    assert (tmp_path / "weights" / CHECKPOINT).exists()
    assert train(files) == 0
    assert "going on in epoch 1, step 4" in capsys.readouterr().err
    assert not (tmp_path / "weights" / CHECKPOINT).exists()
    one, other = ((tmp_path / name / "model.safetensors").read_bytes() for name in ("whole", "weights"))
    assert one == other


def test_a_second_ctrl_c_does_not_wait(
    files: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def loss_of(*_: Any) -> Any:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        pytest.fail("it went on")

    monkeypatch.setattr("dlcodegen.planner.gpt2.training.loss_of", loss_of)
    assert train(files) == 130
    assert "goes on from here" not in capsys.readouterr().err
    assert not (tmp_path / "weights" / CHECKPOINT).exists()  # half a step is not kept


def test_a_base_from_a_folder_is_trained_on(
    files: list[str], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    base = tiny_base(tmp_path)
    capfd.readouterr()
    assert train(files, "--base", str(base)) == 0
    err = capfd.readouterr().err
    assert "epoch 2: loss" in err
    assert "transformers" not in err  # libraries are quiet
    source, out = write_rows(tmp_path / "asked.jsonl", [{"requirement": "predict tides"}]), tmp_path / "predicted.jsonl"
    assert run(["planner", "predict", "--in", str(source), "--out", str(out), "--weights", files[5]]) == 0
    assert SolutionPlan.from_text(json.loads(out.read_text())["plan_text"]).layers


def test_a_base_that_is_none_is_one_line(files: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty").mkdir()
    said = failed(capsys, "train", *files, "--base", str(tmp_path / "empty"))
    assert "no network could be loaded from there" in said


def test_a_memory_of_an_earlier_training_does_not_stay(files: list[str], tmp_path: Path) -> None:
    assert train(files, "--memory") == 0
    assert (tmp_path / "weights" / "memory.jsonl").exists()
    assert train(files) == 0
    assert not (tmp_path / "weights" / "memory.jsonl").exists()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot read"),
        ([], "0 of 0 rows can be used"),
        (["{", "[", *toy_rows(1)], "1 of 3 rows can be used; line 1: no JSON"),
        ([{"requirement": "a", "plan_text": '{"Task Category": "Other"}'}], "no plan has a value for optimizer, loss"),
    ],
)
def test_rows_that_cannot_be_trained_on_are_one_line(
    files: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], content: list[Any] | None, said: str
) -> None:
    (tmp_path / "train.jsonl").unlink()
    if content is not None:
        write_rows(tmp_path / "train.jsonl", content)
    assert said in failed(capsys, "train", *files)


def test_a_checkpoint_of_other_rows_is_one_line(
    files: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / CHECKPOINT).write_text("no checkpoint")
    assert "is damaged: delete it to train from the start" in failed(capsys, "train", *files)


@pytest.mark.parametrize(
    ("rows", "said"),
    [(["{"], "line 1: no JSON"), ([{"requirement": " "}], "line 1: no object with a requirement")],
)
def test_requests_that_cannot_be_read_are_one_line(
    trained_toy: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], rows: list[Any], said: str
) -> None:
    source = write_rows(tmp_path / "asked.jsonl", rows)
    out = tmp_path / "predicted.jsonl"
    assert said in failed(capsys, "predict", "--in", str(source), "--out", str(out), "--weights", trained_toy)
    assert not out.exists()


@pytest.fixture(scope="module")
def trained_toy(tmp_path_factory: pytest.TempPathFactory) -> str:
    from dlcodegen.planner.gpt2.rows import read_rows
    from dlcodegen.planner.gpt2.training import Training

    folder = tmp_path_factory.mktemp("toy")
    rows = read_rows(write_rows(folder / "rows.jsonl", toy_rows(8))).rows
    Training(rows, rows, folder / "weights", Recipe(width=64, depth=1, epochs=1)).run(lambda *_: None, lambda _: None)
    return str(folder / "weights")


def test_odd_requests_have_plans_too(trained_toy: str, tmp_path: Path) -> None:
    odd = ["word " * 5000, "用卷积神经网络", "<plan><end>", "\x00\x1b[31m", "a\u2028b", '{"Task Category": 1}']
    source = write_rows(tmp_path / "asked.jsonl", [{"requirement": text} for text in odd])
    out = tmp_path / "predicted.jsonl"
    assert run(["planner", "predict", "--in", str(source), "--out", str(out), "--weights", trained_toy]) == 0
    rows = [json.loads(line) for line in out.read_text(encoding="utf-8").split("\n") if line]
    assert [row["id"] for row in rows] == [1, 2, 3, 4, 5, 6]
    assert all(SolutionPlan.from_text(row["plan_text"]).layers for row in rows)


def test_no_weights_are_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = write_rows(tmp_path / "asked.jsonl", [{"requirement": "predict tides"}])
    asking = ["--in", str(source), "--out", str(tmp_path / "out.jsonl"), "--weights", str(tmp_path / "nowhere")]
    assert "holds no weights: train some with `dlcodegen planner train" in failed(capsys, "predict", *asking)


def test_a_file_that_cannot_be_written_is_one_line(
    trained_toy: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = str(tmp_path / "no folder" / "out.jsonl")
    source = write_rows(tmp_path / "asked.jsonl", [{"requirement": "predict tides"}])
    assert "cannot write" in failed(capsys, "data", "--rows", "3", "--out", out)
    (tmp_path / "file").write_text("")
    rows = str(write_rows(tmp_path / "rows.jsonl", toy_rows(8)))
    said = failed(capsys, "train", "--train", rows, "--dev", rows, "--out", str(tmp_path / "file"))
    assert "cannot write to" in said
    assert "cannot write" in failed(capsys, "predict", "--in", str(source), "--out", out, "--weights", trained_toy)


@pytest.mark.parametrize("command", ["data", "train", "predict"])
def test_help_teaches_by_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["planner", command, "--help"]) == 0
    assert f"\n dlcodegen planner {command} --" in capsys.readouterr().out


def test_help_imports_nothing_heavy() -> None:
    program = f"""
import sys
from dlcodegen.cli.main import run
run(["planner", "train", "--help"])
print([name for name in {HEAVY} if name in sys.modules])
"""
    made = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert made.stdout.splitlines()[-1] == "[]"


def test_the_toy_tasks_are_of_the_list() -> None:
    from dlcodegen import categories

    assert all(categories.title(categories.nearest(category)) == category for category in TASKS)
