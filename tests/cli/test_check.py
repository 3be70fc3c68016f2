import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dlcodegen.cli.main import run

METRICS = """
import json
from pathlib import Path

epochs: int = 5
Path("outputs").mkdir()
Path("outputs/metrics.json").write_text(json.dumps({"dice": 0.5}))
"""
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
    (tmp_path / "main.py").write_text(METRICS)
    assert run(["check", str(tmp_path / "main.py")]) == 0
    shown = capsys.readouterr()
    assert shown.out.startswith("✓ Passed  ")
    assert "smoke metrics  dice 0.5" in shown.out
    assert shown.err == ""


def test_a_script_that_does_not_run_is_exit_code_3(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "main.py").write_text("x = []\nx[3]\n")
    assert run(["check", str(tmp_path / "main.py"), "--json"]) == 3
    report = json.loads(capsys.readouterr().out)
    assert report["status"] == "failed"
    assert report["error"]["exception"] == "IndexError"
    assert report["error"]["line"] == 2


def test_with_a_plan_its_fields_are_looked_up(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "main.py").write_text(METRICS)
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
    (tmp_path / "main.py").write_text(METRICS)
    (tmp_path / "plan.json").write_text("{}")
    assert run(["check", str(tmp_path / "main.py"), "--plan", str(tmp_path / "plan.json")]) == 2
    assert capsys.readouterr().err.startswith("error: the plan lacks: batch size, epochs")


def test_ctrl_c_kills_the_script_at_once(tmp_path: Path) -> None:
    sign = tmp_path / "sign"
    (tmp_path / "main.py").write_text(f"import time\nopen({str(sign)!r}, 'w').close()\ntime.sleep(60)\n")
    command = [sys.executable, "-c", "from dlcodegen.cli.main import main; main()", "check", str(tmp_path / "main.py")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        started = time.monotonic()
        while not sign.exists() and process.poll() is None and time.monotonic() - started < 60:
            time.sleep(0.05)
        interrupted = time.monotonic()
        process.send_signal(signal.SIGINT)
        shown = process.communicate(timeout=30)
    assert shown == ("", "error: interrupted\n")
    assert process.returncode == 130
    assert time.monotonic() - interrupted < 10
