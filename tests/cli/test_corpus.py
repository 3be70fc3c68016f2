"""`dlcodegen corpus` as a user types it: looking, searching, bringing one's own code, and what goes wrong."""

import json
from pathlib import Path
from typing import Any

import pytest

from dlcodegen.cli.main import run
from dlcodegen.corpus.own import OwnCorpus
from dlcodegen.corpus.sample import all_samples

UNET = "image-segmentation/unet-binary"
SCRIPT = '''"""Digits with a small CNN."""
# SPDX-License-Identifier: MIT
import torch
from torch import nn

model = nn.Sequential(nn.Conv2d(1, 16, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(2704, 10))
optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
criterion = nn.CrossEntropyLoss()
for epoch in range(7):
    for images, labels in loader:
        optimizer.zero_grad()
        loss = criterion(model(images), labels)
        loss.backward()
        optimizer.step()
'''


@pytest.fixture(autouse=True)
def own_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DLCODEGEN_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("COLUMNS", "100")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder as people have it: a script, a copy of it, a notebook, and other things."""
    folder = tmp_path / "project"
    (folder / "old").mkdir(parents=True)
    (folder / "train.py").write_text(SCRIPT)
    (folder / "old" / "train.py").write_text(SCRIPT.replace("model", "net"))
    (folder / "helpers.py").write_text("def add(a, b):\n    return a + b\n")
    (folder / "broken.py").write_text("def (:\n")
    (folder / "README.md").write_text("# Mine\n")
    (folder / "loop").symlink_to(folder)
    return folder


def answer(capsys: pytest.CaptureFixture[str], *arguments: str, exit_code: int = 0) -> dict[str, Any]:
    assert run(["corpus", *arguments, "--json"]) == exit_code
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def printed(capsys: pytest.CaptureFixture[str], *arguments: str, exit_code: int = 0) -> str:
    assert run(["corpus", *arguments]) == exit_code
    return " ".join(capsys.readouterr().out.split())


def complaint(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The one line on stderr of a command that is refused."""
    assert run(["corpus", *arguments]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    return line


def test_list_names_every_sample_and_filters_by_category_and_framework(capsys: pytest.CaptureFixture[str]) -> None:
    everything = answer(capsys, "list")["samples"]
    assert [entry["id"] for entry in everything] == list(all_samples())
    some = answer(capsys, "list", "--category", "Image Segmentation", "--framework", "pytorch")["samples"]
    assert UNET in [entry["id"] for entry in some]
    assert {(entry["category"], entry["framework"]) for entry in some} == {("image-segmentation", "pytorch")}
    text = printed(capsys, "list", "--category", "translation")
    assert "seq2seq-attention Translation with a GRU encoder-decoder" in text


def test_show_prints_plan_and_code_or_the_code_alone(capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(capsys, "show", UNET)
    assert "licence Apache-2.0" in text
    assert "UNet(base_width=32, depth=4)" in text
    assert "def build_model(config: Config)" in text
    assert run(["corpus", "show", UNET, "--code"]) == 0
    assert capsys.readouterr().out == all_samples()[UNET].code
    assert answer(capsys, "show", UNET)["plan"]["Task Category"] == "Image Segmentation"


def test_search_puts_the_best_first(capsys: pytest.CaptureFixture[str]) -> None:
    found = answer(capsys, "search", "translate sentences with attention", "-k", "3")["samples"]
    assert len(found) == 3
    assert found[0]["category"] == "translation"
    assert [entry["score"] for entry in found] == sorted((entry["score"] for entry in found), reverse=True)
    assert "nothing was found" in printed(capsys, "search", "zzz qqq")


def test_stats_count_by_category_and_framework(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    counted = answer(capsys, "stats")
    assert counted["samples"] == counted["shipped"] == len(all_samples())
    assert sum(sum(found.values()) for found in counted["categories"].values()) == counted["samples"]
    assert counted["kept in"]["your corpus"] == str(tmp_path / "data" / "corpus")
    assert f"{len(counted['categories'])} categories" in printed(capsys, "stats")


def test_a_script_is_added_shown_found_and_removed(capsys: pytest.CaptureFixture[str], project: Path) -> None:
    given = answer(capsys, "add", str(project))
    (added,) = given["added"]
    assert (added["category"], added["framework"], added["licence"]) == ("image-classification", "pytorch", "MIT")
    assert added["plan"]["Model Architecture"]["Layers"] == [
        "Conv2D(16, kernel_size=3)", "ReLU()", "MaxPooling2D(2)", "Flatten()", "Dense(10)",
    ]  # fmt: skip
    assert not added["by_contract"]
    reasons = {item["path"]: item["reason"] for item in given["skipped"]}
    assert reasons["old/train.py"] == f"nearly the same as {added['id']}" or "train.py" in reasons
    assert "no deep learning" in reasons["helpers.py"]
    assert "no valid Python: line 1" in reasons["broken.py"]
    assert reasons["loop"] == "a link, not followed"

    assert [entry["id"] for entry in answer(capsys, "list", "--from", "own")["samples"]] == [added["id"]]
    assert answer(capsys, "search", "digits with a small CNN", "-k", "1")["samples"][0]["id"] == added["id"]
    assert "it serves as an example to a chat model only" in printed(capsys, "show", added["id"])
    again = answer(capsys, "add", str(project / "train.py"))
    assert again["added"] == []
    assert again["skipped"] == [{"path": "train.py", "reason": f"a copy of {added['id']}"}]
    assert answer(capsys, "remove", added["id"]) == {"removed": [added["id"]], "left": 0}
    assert OwnCorpus().ids() == []


def test_a_dry_run_shows_what_is_derived_and_adds_nothing(capsys: pytest.CaptureFixture[str], project: Path) -> None:
    text = printed(capsys, "add", str(project / "train.py"), "--dry-run", "--licence", "BSD-3-Clause")
    assert "would be image-classification/own-train-" in text
    assert "optimizer SGD" in text
    assert "not derived" in text
    assert "licence BSD-3-Clause" in text
    assert OwnCorpus().is_empty


def test_code_without_a_licence_is_stored_and_marked(capsys: pytest.CaptureFixture[str], project: Path) -> None:
    (project / "train.py").write_text(SCRIPT.replace("# SPDX-License-Identifier: MIT\n", ""))
    text = printed(capsys, "add", str(project / "train.py"))
    assert "licence unknown: say it with --licence before you share what uses it" in text
    assert answer(capsys, "stats")["licences"] == {"Apache-2.0": len(all_samples()), "unknown": 1}


def test_a_sample_by_the_contract_is_marked_as_such(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """A project that was delivered can come back as a sample; the very sample it was made from is known already."""
    code = all_samples()["tabular-regression/mlp"].code
    (tmp_path / "main.py").write_text(code)
    given = answer(capsys, "add", str(tmp_path / "main.py"))
    assert given["skipped"] == [{"path": "main.py", "reason": "a copy of tabular-regression/mlp"}]
    (tmp_path / "main.py").write_text(code.replace("0.15", "0.2"))
    (added,) = answer(capsys, "add", str(tmp_path / "main.py"), "--category", "recommendation")["added"]
    assert (added["by_contract"], added["category"]) == (True, "recommendation")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["show", "image-segmentation/unet-binry"], f"did you mean {UNET}? see `dlcodegen corpus list`"),
        (["list", "--category", "astrology"], "there is no task category 'astrology': use one of image-classification"),
        (["add", "nowhere"], "nowhere: No such file or directory"),
        (["remove", UNET], f"{UNET} is shipped with DLCodeGen and cannot be removed"),
        (["remove", "x/y"], "your corpus has no sample 'x/y': see `dlcodegen corpus list --from own`"),
        (["verify", "x/y"], "there is no sample 'x/y'"),
    ],
)
def test_what_cannot_be_done_is_one_line(capsys: pytest.CaptureFixture[str], arguments: list[str], said: str) -> None:
    assert said in complaint(capsys, *arguments)


def test_a_folder_without_deep_learning_is_bad_input(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    assert f"there is no deep-learning script in {tmp_path / 'a'}" in complaint(capsys, "add", str(tmp_path / "a"))


def test_a_chroma_server_that_is_down_is_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DLCODEGEN_CHROMA", "http://127.0.0.1:9")
    line = complaint(capsys, "list")
    assert line.startswith("error: the Chroma server at http://127.0.0.1:9 does not answer")


def test_verify_runs_what_is_named_and_says_what_it_learned(capsys: pytest.CaptureFixture[str]) -> None:
    found = answer(capsys, "verify", "tabular-regression/mlp")
    (sample,) = found["samples"]
    assert (sample["stands"], sample["learned"], sample["metric"]) == (True, True, "r2")
    assert set(sample["seconds"]) >= {"smoke run", "judgement"}


def test_verify_of_own_code_that_does_not_run_says_so(capsys: pytest.CaptureFixture[str], project: Path) -> None:
    answer(capsys, "add", str(project / "train.py"))
    (sample,) = answer(capsys, "verify", "--from", "own", exit_code=3)["samples"]
    assert (sample["status"], sample["stands"]) == ("failed", False)
    assert sample["error"]["rung"] == "names"
