"""The rungs that only read a script: is it Python, are its names defined, is anything left blank, what does it import?

Each looks at one thing and answers with a Diagnosis, or with what is to be said when it holds.
"""

import ast
import json
import re
import subprocess
import threading
import warnings
from collections.abc import Iterator
from typing import TypedDict

from dlcodegen.errors import SandboxError
from dlcodegen.execution.diagnosis import fault
from dlcodegen.execution.packages import import_problem, imports
from dlcodegen.execution.sandbox.run import SCRIPT
from dlcodegen.execution.script import Script
from dlcodegen.report import Diagnosis

_warnings_lock = threading.Lock()  # checks run side by side, and the filters belong to the process
_MOST_CHARACTERS = 400_000
# What ruff is sure of to fail when that line is reached, or to be another thing than was meant.
_ERRORS = re.compile(r"E9|F5(?!41)|F62|F63|F7|F82|PLE|NPY001|NPY003|NPY201")
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


def parse(script: Script) -> Diagnosis | str:
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
    return ""


def names(script: Script) -> Diagnosis | str:
    """Every name is defined, and ruff's error rules hold. Raises SandboxError when ruff cannot be run."""
    findings = _ruff(script.code)
    errors = [finding for finding in findings if _ERRORS.match(finding["code"] or "E9")]
    script.lint = len(findings) - len(errors)
    if not errors:
        return ""
    others = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    first = min(errors, key=lambda finding: finding["code"] not in _UNDEFINED)
    exception = "NameError" if first["code"] in _UNDEFINED else f"ruff {first['code']}"
    return fault("names", exception, first["message"] + others, first["location"]["row"], script.code)


def complete(script: Script) -> Diagnosis | str:
    """No placeholder stands where a value or a function's body should."""
    for line, problem in sorted([*_placeholders(script.tree), *_empty_bodies(script.tree)]):
        return fault("complete", "placeholder", problem, line, script.code)
    return ""


def importable(script: Script) -> Diagnosis | str:
    """Every import is allowed and installed."""
    for name, line in imports(script.tree):
        if problem := import_problem(name):
            return fault("imports", "ModuleNotFoundError", problem, line, script.code)
    return ""


def _ruff(code: str) -> list[_Finding]:
    from ruff import find_ruff_bin

    options = ["--isolated", "--no-cache", "--ignore-noqa", "--output-format=json", "--target-version=py311"]
    options += ["--extend-select=PLE,NPY001,NPY003,NPY201"]
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
