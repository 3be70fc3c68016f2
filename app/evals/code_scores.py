"""How near generated code is to reference code: CodeBLEU and its four parts, by the definitions of the published table.

Both sides are cleaned alike (`dlcodegen.evals.code_metrics`). CodeBLEU says whether code looks like the reference;
whether it runs and does what was asked, only running it says.
"""

import importlib.util
import json
import subprocess
import sys
from collections.abc import Sequence
from typing import NamedTuple

from dlcodegen.errors import DLCodeGenError, InputError, SettingsError

DECIMALS = 2
"""What is printed."""
_MODULES = {
    "codebleu": "codebleu",
    "tree_sitter": "tree-sitter",
    "tree_sitter_python": "tree-sitter-python",
    "black": "black",
    "pyflakes": "pyflakes",
}
_SECONDS = 3600
_ENVIRONMENT = {"PYTHONHASHSEED": "0", "PYTHONUTF8": "1"}


class CodeScores(NamedTuple):
    """One row of the table, over all tasks together; `names` counts code without an undefined name."""

    ngram: float
    w_ngram: float
    syntax: float
    dataflow: float
    CodeBLEU: float
    parses: float
    names: float
    lines: float
    """Mean number of lines once cleaned; no percentage, as all others are."""


def score(references: Sequence[str], codes: Sequence[str]) -> CodeScores:
    """The scores of `codes`, one for each reference; a task without code has the empty text.

    Takes seconds, in a process of its own. Raises InputError when there is nothing to compare, SettingsError when the
    extra `eval` is not installed.
    """
    check_extra()
    if not references or len(references) != len(codes):
        raise InputError(f"{len(codes)} codes and {len(references)} references: give one code for each reference")
    given = json.dumps({"references": [*map(_as_text, references)], "codes": [*map(_as_text, codes)]})
    command = [sys.executable, "-m", "dlcodegen.evals.code_metrics"]
    try:
        done = subprocess.run(
            command, input=given, env=_ENVIRONMENT, capture_output=True, text=True, timeout=_SECONDS, check=True
        )
    except subprocess.CalledProcessError as error:
        reason = (error.stderr.strip().splitlines() or [f"exit code {error.returncode}"])[-1]
        raise DLCodeGenError(f"the scorer of code failed: {reason}") from error
    except subprocess.TimeoutExpired as error:
        raise DLCodeGenError(f"the scorer of code gave no answer in {_SECONDS} s") from error
    return CodeScores(*json.loads(done.stdout).values())


def check_extra() -> None:
    """Raises SettingsError when what the extra installs is not there."""
    missing = [package for module, package in _MODULES.items() if not _is_there(module)]
    if missing:
        raise SettingsError(f"scoring code needs {', '.join(missing)}: pip install 'dlcodegen[eval]'")


def _is_there(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ValueError:  # imported, and without a specification
        return False


def _as_text(code: str) -> str:
    """Half a character fits into no file, and no parser takes it."""
    return code.encode(errors="replace").decode()
