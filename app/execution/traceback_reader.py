"""Finds in what a failed run printed where and why it failed. That text is data: cleaned, short, never instructions."""

import re
import signal

from dlcodegen.execution.sandbox import SCRIPT, RunResult
from dlcodegen.report import Diagnosis

_MOST_CHARACTERS = 800
_TRACEBACK = "Traceback (most recent call last):"
_FRAME = re.compile(rf'^ *File "{re.escape(SCRIPT)}", line (\d+)', re.MULTILINE)
_RAISED = re.compile(r"^([A-Za-z_][\w.]*)(?:: ?(.*))?\Z", re.MULTILINE | re.DOTALL)
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|.)|[^\n\t\x20-\x7e\xa0-\U0010ffff]")
_BIDIRECTIONAL = re.compile("[\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")
_STOPPED = {
    "timeout": ("timeout", "did not end in time"),
    "memory": ("out of memory", "used more memory than it may"),
    "processes": ("too many processes", "started more processes than it may"),
    "output": ("too much output", "printed without end"),
    "disk": ("disk full", "wrote more than it may, or too many files"),
}


def clean(text: str, most: int = _MOST_CHARACTERS) -> str:
    """Text of a stranger, safe to print and to put into a prompt: no control characters, head and tail of it."""
    text = _BIDIRECTIONAL.sub("", _ESCAPES.sub("", text)).strip()
    return text if len(text) <= most else f"{text[: most // 2]} [...] {text[-most // 2 :]}"


def diagnose(code: str, result: RunResult, rung: str) -> Diagnosis | None:
    """Why the run failed; None when it ended with exit code 0."""
    if result.status != "exit":
        return _diagnosis(code, rung, *_stopped(result), None)
    if result.exit_code == 0:
        return None
    errors = result.stderr.replace("\r", "\n")
    if result.exit_code is not None and result.exit_code < 0:
        return _diagnosis(code, rung, *_signalled(-result.exit_code), next(iter(_lines(errors)), None))
    if _TRACEBACK not in errors:
        message = _last_line(errors) or _last_line(result.stdout)
        return _diagnosis(code, rung, f"exit code {result.exit_code}", message, None)
    last = errors.rpartition(_TRACEBACK)[2]
    lines = _lines(last) or _lines(errors)  # the frames of an earlier error in the chain
    return _diagnosis(code, rung, *_raised(last), lines[-1] if lines else None)


def _diagnosis(code: str, rung: str, exception: str, message: str, line: int | None) -> Diagnosis:
    lines = code.split("\n")
    text = lines[line - 1] if line and line <= len(lines) else ""
    return Diagnosis(
        rung=rung, exception=clean(exception, 100), message=clean(message), line=line, code=clean(text, 200)
    )


def _stopped(result: RunResult) -> tuple[str, str]:
    exception, message = _STOPPED[result.status]
    printed = _last_line(result.stdout)
    return exception, f"{message}, stopped after {result.seconds:.0f} s" + (f"; last output: {printed}" if printed else "")


def _signalled(number: int) -> tuple[str, str]:
    return signal.Signals(number).name, signal.strsignal(number) or "killed"


def _raised(traceback: str) -> tuple[str, str]:
    """Class and message: all that stands behind the frames, which are indented."""
    behind = re.sub(r"\A(?:\n|[ \t].*\n?)*", "", traceback)
    found = _RAISED.match(behind)
    return (found[1].rpartition(".")[2], found[2] or "") if found else ("error", behind)


def _lines(traceback: str) -> list[int]:
    """Line numbers of the frames that lie in the script, in the order of the text."""
    return [int(number) for number in _FRAME.findall(traceback)]


def _last_line(text: str) -> str:
    return next((line for line in reversed(text.splitlines()) if line.strip()), "")
