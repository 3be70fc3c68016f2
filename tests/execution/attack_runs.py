"""Runs an attack: in a tier of the sandbox, or as scripts are run where nobody thinks of attacks."""

import json
import pickle
import shutil
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

from dlcodegen.execution.sandbox.run import RunResult, run_script
from tests.execution.attacks import NAIVE, PRELUDE, Attack
from tests.execution.decoys import Decoys


def run(attack: Attack, decoys: Decoys, tier: str, warm: bool = True) -> list[RunResult]:
    arguments = [json.dumps(decoys.target())]
    scripts = [PRELUDE + script for script in (attack.script, attack.afterwards) if script]
    if tier == NAIVE:
        return [run_naively(scripts, arguments, attack.artefacts)]
    return [run_script(script, arguments, attack.limits, attack.artefacts, tier=tier, warm=warm) for script in scripts]


def run_naively(scripts: list[str], arguments: list[str], artefacts: tuple[str, ...]) -> RunResult:
    """As it is often done: no limits, descriptors inherited, one interpreter for all, an exit code of 0 is success."""
    folder = Path(tempfile.mkdtemp(prefix="naive-"))
    for number, script in enumerate(scripts):
        (folder / f"{number}.py").write_text(script)
    code = f"import runpy\nfor number in range({len(scripts)}):\n    runpy.run_path(f'{{number}}.py')"
    command = [sys.executable, "-c", code, *arguments]
    process = subprocess.run(command, cwd=folder, capture_output=True, close_fds=False, timeout=60, check=False)
    found = {name: read_naively(folder / name) for name in artefacts if (folder / name).is_file()}
    with suppress(RecursionError):
        shutil.rmtree(folder, ignore_errors=True)
    return RunResult(
        status="exit",
        exit_code=process.returncode,
        completed=process.returncode == 0,
        stdout=process.stdout.decode(errors="replace"),
        stderr=process.stderr.decode(errors="replace"),
        seconds=0.0,
        artefacts=found,
        refused={},
        record={"ended": "returned"},
        tier=NAIVE,
    )


def read_naively(path: Path) -> bytes:
    data = path.read_bytes()
    with suppress(pickle.UnpicklingError, EOFError):
        pickle.loads(data)
    return data
