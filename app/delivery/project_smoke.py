"""The smoke run as a test: trains on small synthetic data and looks at what `main.py` writes."""

import json
import math
import subprocess
import sys
from pathlib import Path

MAIN = Path(__file__).resolve().parent.parent / "main.py"


def test_smoke_run(tmp_path: Path) -> None:
    command = [sys.executable, str(MAIN), "--smoke", "--out", str(tmp_path)]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)
    assert run.returncode == 0, run.stderr

    metrics = json.loads((tmp_path / "metrics.json").read_text(encoding="utf-8"))
    assert metrics, "metrics.json is empty"
    assert all(math.isfinite(value) for value in metrics.values()), metrics
    assert (tmp_path / "model.pt").stat().st_size > 0
