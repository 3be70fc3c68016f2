"""Finds in what a failed run printed where and why it failed. That text is data: cleaned, short, never instructions."""

import re
import signal
from typing import Any

from dlcodegen.execution.hints import hint
from dlcodegen.execution.sandbox.run import SCRIPT, RunResult
from dlcodegen.report import Diagnosis

_MOST_CHARACTERS = 800
_MOST_TENSORS = 12
_TRACEBACK = "Traceback (most recent call last):"
_FRAME = re.compile(rf'^ *File "{re.escape(SCRIPT)}", line (\d+)', re.MULTILINE)
_RAISED = re.compile(r"^([A-Za-z_][\w.]*)(?::|$)", re.MULTILINE)
_ESCAPES = re.compile(  # half characters among them: they cannot be written down
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|.)|[^\n\t\x20-\x7e\xa0-\ud7ff\ue000-\U0010ffff]"
)
_PACKAGES = re.compile(r"/\S*/(?:site|dist)-packages/")  # where they lie is nobody's business
_INVISIBLE = re.compile("[\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\U000e0000-\U000e007f]")
_SIGNALS = {member.value: member.name for member in signal.Signals}
_STOPPED = {
    "timeout": ("timeout", "did not end in time"),
    "memory": ("out of memory", "used more memory than it may"),
    "processes": ("too many processes", "started more processes than it may"),
    "output": ("too much output", "printed without end"),
    "disk": ("disk full", "wrote more than it may, or too many files"),
}


def clean(text: str, most: int = _MOST_CHARACTERS) -> str:
    """Text of a stranger, safe to print and to put into a prompt: no control characters, head and tail of it."""
    text = _INVISIBLE.sub("", _ESCAPES.sub("", text)).strip()
    return text if len(text) <= most else f"{text[: most // 2]} [...] {text[-most // 2 :]}"


def fault(
    rung: str, exception: str, message: str, line: int | None = None, code: str = "", tensors: list[str] | None = None
) -> Diagnosis:
    """A Diagnosis, cleaned; `line` counts from 1 in `code`, whose line is quoted."""
    lines = code.split("\n")
    quoted = lines[line - 1] if line and 0 < line <= len(lines) else ""
    exception, message = clean(exception, 100), clean(_PACKAGES.sub("", message))
    return Diagnosis(
        rung=rung,
        exception=exception,
        message=message,
        line=line,
        code=clean(quoted, 200),
        tensors=[clean(text, 100) for text in tensors or []][:_MOST_TENSORS],
        hint=hint(exception, message),
    )


def diagnose(rung: str, code: str, result: RunResult) -> Diagnosis | None:
    """Why the run failed; None when it ended with exit code 0, by an end of its own."""
    if result.status != "exit":
        return fault(rung, *_stopped(result))
    if result.exit_code == 0:
        if result.completed:
            return None
        return fault(rung, "ended early", "it left in the middle, without an error and without coming to its end")
    found = result.record.get("autopsy")
    if isinstance(found, dict) and isinstance(found.get("exception"), str):
        return _from_autopsy(rung, code, found)
    return _from_output(rung, code, result)


def _from_autopsy(rung: str, code: str, found: dict[str, Any]) -> Diagnosis:
    """What the harness saw. It shares the process with the script: every field may be anything."""
    line, tensors = found.get("line"), found.get("tensors")
    message, layer = str(found.get("message", "")), found.get("layer")
    return fault(
        rung,
        found["exception"],
        f"{message} [layer {layer}]" if isinstance(layer, str) and layer else message,
        line if isinstance(line, int) and not isinstance(line, bool) and line > 0 else None,
        code,
        [text for text in tensors if isinstance(text, str)] if isinstance(tensors, list) else [],
    )


def _from_output(rung: str, code: str, result: RunResult) -> Diagnosis:
    """What the script printed: all there is when it was killed, or ran in another sandbox."""
    errors = result.stderr.replace("\r", "\n")
    if result.exit_code is not None and result.exit_code < 0:
        lines = _lines(errors)  # from the fault handler, innermost first
        return fault(rung, *_signalled(-result.exit_code), lines[0] if lines else None, code)
    if _TRACEBACK not in errors:
        message = _last_line(errors) or _last_line(result.stdout)
        return fault(rung, f"exit code {result.exit_code}", message)
    last = errors.rpartition(_TRACEBACK)[2]
    lines = _lines(last) or _lines(errors)  # the frames of an earlier error in the chain
    return fault(rung, *_raised(last), lines[-1] if lines else None, code)


def _stopped(result: RunResult) -> tuple[str, str]:
    exception, message = _STOPPED[result.status]
    printed = _last_line(result.stdout)
    ending = f"; last output: {printed}" if printed else ""
    return exception, f"{message}, stopped after {result.seconds:.1f} s{ending}"


def _signalled(number: int) -> tuple[str, str]:
    return _SIGNALS.get(number, f"signal {number}"), signal.strsignal(number) or "killed"


def _raised(traceback: str) -> tuple[str, str]:
    """Class and message: all that stands behind the frames, which are indented."""
    found = _RAISED.search(traceback)
    return (found[1].rpartition(".")[2], traceback[found.end() :]) if found else ("error", traceback)


def _lines(traceback: str) -> list[int]:
    """Line numbers of the frames that lie in the script, in the order of the text."""
    return [int(number) for number in _FRAME.findall(traceback)]


def _last_line(text: str) -> str:
    return next((line for line in reversed(text.splitlines()) if line.strip()), "")
