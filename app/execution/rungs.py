"""The rungs of the ladder: each looks at one thing and answers with a Diagnosis, or with None when it holds.

What a rung finds out on the way it leaves in the Script, for the report and for the rungs above it.
"""

import ast
import json
import math
import re
import subprocess
import threading
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypedDict

from dlcodegen import syntax_tree
from dlcodegen.errors import SandboxError
from dlcodegen.execution.diagnosis import clean, diagnose, fault
from dlcodegen.execution.packages import import_problem, imports
from dlcodegen.execution.sandbox import SCRIPT, Limits, RunResult, run_script
from dlcodegen.report import Diagnosis

METRICS = "outputs/metrics.json"
SMOKE_ARGUMENTS = ["--smoke", "--out", "outputs"]

_warnings_lock = threading.Lock()  # checks run side by side, and the filters belong to the process
_MOST_CHARACTERS = 400_000
_MOST_METRICS = 200
_UNDEFINED = {"F821", "F822", "F823"}  # undefined name, undefined in __all__, local used before it is set
_PLACEHOLDER = re.compile(  # a path that nobody has, or a gap to be filled in
    r"(?:\S*[\\/])?path[\\/]to[\\/]\S*|/?(?:kaggle/input|content/drive)\S*|(?:\S*[\\/])?your[_-]\w\S*|<your[^>]*>",
    re.IGNORECASE,
)
_MAY_BE_EMPTY = {"abstractmethod", "overload"}  # decorators


class _Location(TypedDict):
    row: int


class _Finding(TypedDict):
    """What is used of a finding in ruff's JSON."""

    code: str | None
    message: str
    location: _Location


@dataclass
class Script:
    """A script on the ladder, and what is known about it so far."""

    code: str
    limits: Limits
    lint: int = 0
    """Number of ruff's findings, undefined names aside."""
    result: RunResult | None = None
    metrics: dict[str, float] = field(default_factory=dict)

    @cached_property
    def tree(self) -> ast.Module:
        return syntax_tree.parse(self.code)


def parse(script: Script) -> Diagnosis | None:
    """It is Python, and of a size that a script has. Compiled, never executed."""
    if not script.code.strip():
        return fault("parse", "empty", "there is no code")
    if len(script.code) > _MOST_CHARACTERS:
        return fault("parse", "too long", f"{len(script.code)} characters, more than {_MOST_CHARACTERS}")
    try:
        with _warnings_lock, warnings.catch_warnings():  # what Python warns of is not the rung's business
            warnings.simplefilter("ignore")
            compile(script.tree, SCRIPT, "exec", dont_inherit=True)  # sees a `return` outside of a function too
    except SyntaxError as error:
        return fault("parse", type(error).__name__, error.msg, error.lineno, script.code)
    except ValueError as error:  # a null byte, or half a character
        return fault("parse", type(error).__name__, str(error))
    except (RecursionError, MemoryError) as error:
        return fault("parse", type(error).__name__, "the code is nested too deeply")
    return None


def names(script: Script) -> Diagnosis | None:
    """Every name is defined. Raises SandboxError when ruff cannot be run."""
    findings = _ruff(script.code)
    undefined = [finding for finding in findings if finding["code"] in _UNDEFINED]
    script.lint = len(findings) - len(undefined)
    if not undefined:
        return None
    others = f" (and {len(undefined) - 1} more)" if len(undefined) > 1 else ""
    first = undefined[0]
    return fault("names", "NameError", first["message"] + others, first["location"]["row"], script.code)


def complete(script: Script) -> Diagnosis | None:
    """No placeholder stands where a value or a function's body should."""
    for line, problem in sorted([*_placeholders(script.tree), *_empty_bodies(script.tree)]):
        return fault("complete", "placeholder", problem, line, script.code)
    return None


def importable(script: Script) -> Diagnosis | None:
    """Every import is allowed and installed."""
    for name, line in imports(script.tree):
        if problem := import_problem(name):
            return fault("imports", "ModuleNotFoundError", problem, line, script.code)
    return None


def smoke_run(script: Script) -> Diagnosis | None:
    """It ends by itself, within its limits, with exit code 0. Raises SandboxError when it cannot be started."""
    script.result = run_script(script.code, SMOKE_ARGUMENTS, script.limits, (METRICS,))
    return diagnose("smoke run", script.code, script.result)


def finite_metrics(script: Script) -> Diagnosis | None:
    """It wrote metrics.json: an object of finite numbers, at least one."""
    problem, script.metrics = _read_metrics(script.result)
    return fault("metrics", "metrics.json", problem) if problem else None


RUNGS: dict[str, Callable[[Script], Diagnosis | None]] = {
    "parse": parse,
    "names": names,
    "complete": complete,
    "imports": importable,
    "smoke run": smoke_run,
    "metrics": finite_metrics,
}
"""Cheapest first."""


def _read_metrics(result: RunResult | None) -> tuple[str, dict[str, float]]:
    """The problem, if any; else the numbers."""
    if result is None or METRICS in result.refused:
        return result.refused[METRICS] if result else "the script did not run", {}
    try:
        found = json.loads(result.artefacts[METRICS])
    except (ValueError, RecursionError) as error:
        return f"{METRICS} is no JSON: {error}", {}
    if not isinstance(found, dict) or not 0 < len(found) <= _MOST_METRICS:
        return f"{METRICS} is no object of 1 to {_MOST_METRICS} numbers", {}
    for name, value in found.items():
        if not _is_finite(value):
            return f"{METRICS}: `{clean(name, 60)}` is no finite number: {value!r:.60}", {}
    return "", {clean(name, 60): float(value) for name, value in found.items()}


def _is_finite(value: object) -> bool:
    try:
        return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    except OverflowError:  # an integer larger than any float
        return False


def _ruff(code: str) -> list[_Finding]:
    from ruff import find_ruff_bin

    options = ["--isolated", "--no-cache", "--ignore-noqa", "--output-format=json", "--target-version=py311"]
    try:
        answer = subprocess.run(
            [find_ruff_bin(), "check", *options, f"--stdin-filename={SCRIPT}", "-"],
            input=code.encode(),
            capture_output=True,
            timeout=30,
            env={},  # its settings can come from there too
            check=False,
        )
        findings: list[_Finding] = json.loads(answer.stdout)
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        raise SandboxError(f"ruff cannot be run: {error}; try `pip install --force-reinstall ruff`") from error
    return findings


def _placeholders(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and _PLACEHOLDER.fullmatch(str(node.value).strip()):
            yield node.lineno, f"{node.value!r:.80} stands for something that is not there"


def _empty_bodies(tree: ast.AST) -> Iterator[tuple[int, str]]:
    exempt = {method for node in ast.walk(tree) if _is_protocol(node) for method in ast.iter_child_nodes(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node not in exempt:
            decorators = {ast.unparse(decorator).rpartition(".")[2] for decorator in node.decorator_list}
            if all(map(_does_nothing, node.body)) and not decorators & _MAY_BE_EMPTY:
                yield node.lineno, f"the body of `{node.name}` is empty"


def _is_protocol(node: ast.AST) -> bool:
    return isinstance(node, ast.ClassDef) and any("Protocol" in ast.unparse(base) for base in node.bases)


def _does_nothing(statement: ast.stmt) -> bool:
    """`pass`, `...` or a docstring."""
    return isinstance(statement, ast.Pass) or (
        isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    )
