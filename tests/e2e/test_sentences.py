"""The main job through its front door: `dlcodegen new` on ten sentences, then each project run from a fresh process."""

import json
import math
import subprocess
import sys
from pathlib import Path

import pytest
from ruff import find_ruff_bin

from tests.e2e.sentences import SENTENCES

# Pictures always (tables: test_install.py); the others take minutes together.
ALWAYS = ("the_demo",)


@pytest.mark.parametrize(
    "name", [name if name in ALWAYS else pytest.param(name, marks=pytest.mark.slow) for name in SENTENCES]
)
def test_a_sentence_becomes_a_project_that_runs(name: str, tmp_path: Path) -> None:
    folder = tmp_path / "project"
    made = subprocess.run(
        [
            sys.executable,
            "-m",
            "dlcodegen",
            "new",
            SENTENCES[name],
            "--out",
            str(folder),
            "--json",
            "--time-limit",
            "150",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stderr
    report = json.loads(made.stdout)
    assert report["status"] == "passed"

    # Stated facts are honoured, or named as not honoured where the user reads it.
    chosen = next(row for row in report["candidates"] if row["name"] == report["chosen"])
    judged = {row["name"] for row in chosen["conformance"]}
    assert {fact["name"] for fact in report["facts"]} <= judged
    readme = (folder / "README.md").read_text()
    for row in chosen["conformance"]:
        assert row["verdict"] == "honoured" or f"`{row['name']}`" in readme

    # The delivered project runs by itself, on its own flags, and leaves what it promises.
    smoke = subprocess.run(
        [sys.executable, "-W", "error", "main.py", "--smoke", "--out", "results"],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert smoke.returncode == 0, smoke.stderr
    metrics = json.loads((folder / "results" / "metrics.json").read_text())
    assert metrics
    assert all(math.isfinite(value) for value in metrics.values())
    assert (folder / "results" / "model.pt").stat().st_size > 0
    assert subprocess.run([find_ruff_bin(), "check", "--isolated", str(folder)], check=False).returncode == 0
