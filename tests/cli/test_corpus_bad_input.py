"""`dlcodegen corpus` with what people really have: odd files, hostile files, broken folders."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from dlcodegen.cli.main import run
from dlcodegen.corpus.own import OwnCorpus
from dlcodegen.corpus.sample import all_samples

ESCAPE = "\x1b"
SCRIPT = '''"""Kites told from clouds."""
import torch
from torch import nn

model = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(7200, 4))
optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
criterion = nn.CrossEntropyLoss()
loader = torch.utils.data.DataLoader(data, batch_size=16)
for epoch in range(7):
    for images, labels in loader:
        loss = criterion(model(images), labels)
        loss.backward()
        optimizer.step()
'''


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DLCODEGEN_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("DLCODEGEN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("COLUMNS", "80")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "things"
    made.mkdir()
    return made


def answer(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    assert run(["corpus", *arguments, "--json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def notebook(cells: list[str], language: str = "python") -> str:
    held = [{"cell_type": "code", "source": cell, "outputs": [], "metadata": {}} for cell in cells]
    return json.dumps({"cells": held, "metadata": {"language_info": {"name": language}}, "nbformat": 4})


def test_one_good_script_among_all_that_can_go_wrong(
    capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path
) -> None:
    (folder / "good.py").write_text(SCRIPT)
    (folder / "notebook in R.ipynb").write_text(notebook(["library(keras)"], "R"))
    (folder / "merge.ipynb").write_text("<<<<<<< HEAD\n" + notebook([SCRIPT]))
    (folder / "python2.py").write_text("import torch\nprint 'x'\n")
    (folder / "script.js.py").write_text("function f() { return 1; }\n")
    (folder / "weights.py").write_bytes(bytes(range(256)) * 10)
    (folder / "deep.py").write_text(SCRIPT + "x = " + "+".join(["a"] * 5000) + "\n")
    os.mkfifo(folder / "pipe.py")
    (folder / "loop").symlink_to(folder)
    (folder / "ring").symlink_to("ring")
    for name in ("large.py", "large.ipynb"):
        with (folder / name).open("wb") as file:
            file.truncate(50_000_000)
    given = answer(capsys, "add", str(folder))
    assert [item["path"] for item in given["added"]] == ["good.py"]
    reasons = {item["path"]: item["reason"] for item in given["skipped"]}
    expected = {
        "notebook in R.ipynb": "a notebook in r",
        "merge.ipynb": "a broken notebook: no JSON",
        "weights.py": "no text: binary, or in an encoding that it does not name",
        "deep.py": "no valid Python",
        "pipe.py": "cannot be read: no regular file",
        "loop": "a link, not followed",
        "ring": "a link, not followed",
        "large.py": "cannot be read: too large: 50 MB",
        "large.ipynb": "cannot be read: too large: 50 MB",
    }
    assert {path: reasons[path] for path in expected} == expected
    assert reasons["python2.py"].startswith("no valid Python: line 2")
    assert reasons["script.js.py"].startswith("no valid Python: line 1")


def test_a_notebook_with_magics_becomes_a_sample(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    cells = ["%matplotlib inline\n!pip install torch\n", "%%bash\nrm -rf /\n", "%%time\n" + SCRIPT, "files = !ls\n"]
    (folder / "kites.ipynb").write_text(notebook(cells))
    (added,) = answer(capsys, "add", str(folder))["added"]
    assert added["plan"]["Model Architecture"]["Hyperparameters"]["batch size"] == 16
    assert any("magics" in note for note in added["notes"])
    shown = answer(capsys, "show", added["id"])["code"]
    assert "pip" not in shown
    assert "rm -rf" not in shown


def test_no_name_title_or_licence_steers_the_terminal(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    evil = SCRIPT.replace("Kites told", rf"{ESCAPE}]0;owned\x07\x1b[2J [red]Kites[/red] told")
    (folder / f"new\nline{ESCAPE}[31m.py").write_text(f"# SPDX-License-Identifier: {ESCAPE}[31mMIT\n{evil}")
    assert run(["corpus", "add", str(folder)]) == 0
    for arguments in (
        ["list"],
        ["list", "--from", "own"],
        ["search", "kites"],
        ["stats"],
        ["show", *OwnCorpus().ids()],
    ):
        assert run(["corpus", *arguments]) == 0
    printed = capsys.readouterr()
    assert ESCAPE not in printed.out + printed.err
    assert "\x07" not in printed.out
    assert "[red]Kites[/red]" in printed.out
    assert "new?line?[31m.py" in printed.out


def test_a_very_long_docstring_is_no_matter(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    (folder / "a.py").write_text(SCRIPT.replace("clouds.", "clouds.\n\n" + "Notes on lesions.\n" * 10_000))
    (added,) = answer(capsys, "add", str(folder))["added"]
    assert added["title"] == "Kites told from clouds"


def test_numbers_that_make_no_sense_are_said_to_be_missing(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    code = SCRIPT.replace("0.05", "1e999").replace("batch_size=16", "batch_size=0").replace("range(7)", "range(-3)")
    (folder / "a.py").write_text(code.replace("nn.Linear(7200, 4)", "nn.Linear(7200, 9**9**9**9)"))
    (added,) = answer(capsys, "add", str(folder))["added"]
    missing = " ".join(added["not derived"])
    assert all(f"{name}: " in missing for name in ("learning rate", "batch size", "epochs"))


def test_secrets_of_a_remote_address_are_not_stored(
    capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path
) -> None:
    (folder / ".git").mkdir()
    (folder / ".git" / "config").write_text('[remote "origin"]\n\turl = https://me:hunter2@host/me/kites.git\n')
    (folder / "a.py").write_text(SCRIPT)
    (added,) = answer(capsys, "add", str(folder))["added"]
    assert added["source"] == "https://host/me/kites.git: a.py"
    stored = b"".join(path.read_bytes() for path in (tmp_path / "data").rglob("*") if path.is_file())
    assert b"kites.git" in stored
    assert b"hunter2" not in stored


def test_what_was_read_before_a_path_that_is_not_there_is_kept(
    capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    (folder / "a.py").write_text(SCRIPT)
    assert run(["corpus", "add", str(folder), str(folder / "nowhere.py")]) == 2
    assert "nowhere.py: No such file or directory" in capsys.readouterr().err
    assert len(OwnCorpus()) == 1


def test_removal_takes_effect_at_once(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    (folder / "a.py").write_text(SCRIPT)
    (added,) = answer(capsys, "add", str(folder))["added"]
    answer(capsys, "remove", added["id"])
    assert answer(capsys, "list", "--from", "own")["samples"] == []
    assert [item["id"] for item in answer(capsys, "add", str(folder))["added"]] == [added["id"]]


@pytest.mark.parametrize("command", [["list"], ["search", "kites"], ["add"]])
def test_a_corpus_that_is_broken_is_one_line_and_stays(
    capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path, command: list[str]
) -> None:
    (folder / "a.py").write_text(SCRIPT)
    database = tmp_path / "data" / "corpus" / "chroma.sqlite3"
    database.parent.mkdir(parents=True)
    database.write_bytes(b"no database" * 1000)
    assert run(["corpus", *command, *([str(folder)] if command == ["add"] else [])]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"error: your corpus in {database.parent} cannot be used")
    assert "move the folder away" in line
    assert database.read_bytes() == b"no database" * 1000


def test_a_cache_that_is_of_no_use_is_said_and_worked_around(
    capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path
) -> None:
    (folder / "a.py").write_text(SCRIPT)
    (added,) = answer(capsys, "add", str(folder))["added"]
    (tmp_path / "cache").write_text("a file in the place of the folder")
    assert run(["corpus", "search", "kites", "-k", "1", "--json"]) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out)["samples"][0]["id"] == added["id"]
    assert "made anew" in printed.err


def test_verify_contains_what_reaches_out(capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path) -> None:
    """The script is by the contract, so it is executed; its category keeps it from counting as a copy."""
    code = all_samples()["tabular-regression/mlp"].code
    aim = tmp_path / "written"
    reach = f"    Path({str(aim)!r}).write_text('x')\n"
    (folder / "main.py").write_text(code.replace("def main() -> None:\n", "def main() -> None:\n" + reach))
    (added,) = answer(capsys, "add", str(folder), "--category", "metric-learning")["added"]
    assert added["by_contract"]
    assert not aim.exists()
    assert run(["corpus", "verify", "--from", "own", "--json"]) == 3
    (sample,) = json.loads(capsys.readouterr().out)["samples"]
    assert (sample["stands"], sample["error"]["rung"]) == (False, "smoke run")
    assert not aim.exists()


def test_half_a_character_in_a_docstring_loses_nothing(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code = all_samples()["tabular-regression/mlp"].code
    (tmp_path / "half.py").write_text(code.replace('"""Regression', '"""\\ud83d Regression', 1).replace("0.15", "0.2"))
    assert run(["corpus", "add", str(tmp_path / "half.py"), "--near-copies", "--json"]) == 0
    (added,) = json.loads(capsys.readouterr().out)["added"]
    assert added["title"].startswith("? Regression")
    assert run(["corpus", "list", "--from", "own"]) == 0


def test_a_strangers_entry_in_the_collection_is_left_out_and_named(
    caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    own = OwnCorpus(tmp_path / "corpus")
    own.add([all_samples()["tabular-regression/mlp"]])
    own._collection.upsert(ids=["strange"], embeddings=[1.0], metadatas=[{"category": "tabular-regression"}])
    assert list(own.samples(["strange", "tabular-regression/mlp"])) == ["tabular-regression/mlp"]
    assert "strange in" in caplog.text
