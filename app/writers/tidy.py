"""Finishing touches by ruff: unused imports out, missing ones in order, one layout for all."""

import subprocess

from dlcodegen.errors import DLCodeGenError

LINE_LENGTH = "120"


def tidy(code: str) -> str:
    """The code without unused imports, imports sorted, formatted. Code that does not parse is returned as it is.

    Raises DLCodeGenError when ruff cannot be run.
    """
    fixed = _ruff(["check", "--fix-only", "--select", "F401,I", "--line-length", LINE_LENGTH, "--quiet", "-"], code)
    return _ruff(["format", "--line-length", LINE_LENGTH, "--quiet", "-"], fixed)


def _ruff(arguments: list[str], code: str) -> str:
    from ruff import find_ruff_bin

    command = [find_ruff_bin(), arguments[0], "--isolated", "--no-cache", *arguments[1:]]
    try:
        done = subprocess.run(command, input=code, capture_output=True, text=True, timeout=60, check=False)
    except OSError as error:
        raise DLCodeGenError(f"ruff cannot be run ({error}): pip install ruff") from error
    return done.stdout if done.returncode == 0 and done.stdout else code
