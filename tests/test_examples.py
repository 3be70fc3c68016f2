"""The examples run as their docstrings say."""

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize(
    ("example", "arguments", "says"),
    [
        ("generate_project.py", ["project"], "passed: ['PROVENANCE.md', 'README.md', 'main.py'"),
        ("subgraph.py", [], "7 files, main.py has"),
        ("agent_tool.py", [], "'tests/test_smoke.py']"),
    ],
)
def test_an_example_runs(example: str, arguments: list[str], says: str, repository: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(repository / "examples" / example), *arguments],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert says in done.stdout
