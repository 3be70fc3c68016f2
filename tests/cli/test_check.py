import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dlcodegen.cli.main import run
from tests.execution.processes import NAME_ITSELF, running, unique_word, wait_until
from tests.small_script import SCRIPT, edited

PLAN = {
    "Task Category": "Image Segmentation",
    "Dataset": {"Input": "images", "Output": "masks"},
    "Model Architecture": {
        "Layers": [],
        "Hyperparameters": {
            **{"optimizer": "Adam", "loss function": "Dice", "learning rate": 0.001},
            **{"batch size": 16, "epochs": 5, "evaluation metric": "Dice"},
        },
    },
}


def test_a_script_that_runs_passes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "main.py").write_text(SCRIPT)
    assert run(["check", str(tmp_path / "main.py")]) == 0
    shown = capsys.readouterr()
    assert shown.out.startswith("✓ Passed  ")
    assert re.search(r"smoke metrics\s+accuracy 0\.\d+|smoke metrics\s+accuracy 1", shown.out)
    assert re.search(r"✓ judgement +\d\.\d\d s  \S", shown.out)
    assert shown.err == ""


def test_a_script_that_does_not_run_is_exit_code_3(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "main.py").write_text(edited(('"""Fit the model."""', "list(range(2))[3]")))
    assert run(["check", str(tmp_path / "main.py"), "--json"]) == 3
    report = json.loads(capsys.readouterr().out)
    assert report["status"] == "failed"
    assert report["error"]["exception"] == "IndexError"
    assert report["error"]["code"] == "list(range(2))[3]"


def test_with_a_plan_its_fields_are_looked_up(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "main.py").write_text(SCRIPT)
    (tmp_path / "plan.json").write_text(json.dumps(PLAN))
    run(["check", str(tmp_path / "main.py"), "--plan", str(tmp_path / "plan.json"), "--json"])
    rows = json.loads(capsys.readouterr().out)["conformance"]
    assert "learning_rate" in [row["name"] for row in rows]


@pytest.mark.parametrize(
    ("name", "content", "line"),
    [
        ("missing.py", None, "cannot read missing.py: No such file or directory"),
        (".", None, "cannot read .: Is a directory"),
        ("latin.py", "# ü".encode("latin-1"), "latin.py is no UTF-8 text: save it as UTF-8"),
        ("large.py", b"#" * (5 * 1024 * 1024 + 1), "large.py is larger than 5 MB: that is no script"),
    ],
)
def test_what_is_no_script_is_one_line(
    name: str,
    content: bytes | None,
    line: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    if content is not None:
        Path(name).write_bytes(content)
    assert run(["check", name]) == 2
    assert capsys.readouterr().err == f"error: {line}\n"


def test_what_is_no_plan_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "main.py").write_text(SCRIPT)
    (tmp_path / "plan.json").write_text("{}")
    assert run(["check", str(tmp_path / "main.py"), "--plan", str(tmp_path / "plan.json")]) == 2
    assert capsys.readouterr().err.startswith("error: the plan lacks: batch size, epochs")


@pytest.mark.parametrize(
    "content",
    [SCRIPT.encode("utf-8-sig"), SCRIPT.replace("\n", "\r\n").encode()],
    ids=["byte-order mark", "CRLF"],
)
def test_how_an_editor_saves_a_script_does_not_matter(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "main.py").write_bytes(content)
    assert run(["check", str(tmp_path / "main.py"), "--json"]) == 0


def test_an_empty_script_does_not_pass(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "main.py").write_bytes(b"")
    assert run(["check", str(tmp_path / "main.py")]) == 3
    assert "there is no code" in capsys.readouterr().out


def test_ctrl_c_kills_the_script_at_once(tmp_path: Path) -> None:
    word = unique_word()
    statements = f"import sys, time\nsys.argv[1:] = ['{word}']\n{NAME_ITSELF}time.sleep(60)"
    wait = statements.replace("\n", "\n    ")
    (tmp_path / "main.py").write_text(edited(('"""Fit the model."""', wait)))
    command = [sys.executable, "-c", "from dlcodegen.cli.main import main; main()", "check", str(tmp_path / "main.py")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert wait_until(lambda: process.poll() is not None or bool(running(word)), seconds=60)
        interrupted = time.monotonic()
        process.send_signal(signal.SIGINT)
        shown = process.communicate(timeout=30)
    assert shown == ("", "error: interrupted\n")
    assert process.returncode == 130
    assert time.monotonic() - interrupted < 10
    assert wait_until(lambda: not running(word), seconds=2)
