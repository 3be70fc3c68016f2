"""A CheckReport in words, for a prompt: short, one fact a line. It quotes failed code: render it as data."""

from dlcodegen.report import CheckReport, Conformance

_ROWS = 12
"""Plan fields listed at the most: a prompt for a small model has to stay short."""
_AROUND = 6
"""Lines shown before and after the one that failed."""
_MESSAGE = 600
"""Characters of an error message at the most: its start says what, its end says where."""


def evidence(report: CheckReport | None) -> str:
    """Status, the rungs that failed, the error, the metrics, and how much of the plan is honoured."""
    if report is None:
        return "It was not run."
    lines = [_STATUS[report["status"]]]
    lines += [f"failed: {rung['name']}: {_short(rung['message'])}" for rung in report["rungs"] if not rung["passed"]]
    lines += _error(report)
    if report["metrics"]:
        lines.append("metrics: " + ", ".join(f"{name} = {value:.4g}" for name, value in report["metrics"].items()))
    rows = report["conformance"]
    if rows:
        honoured = sum(row["verdict"] == "honoured" for row in rows)
        lines.append(f"plan fields and facts: {honoured} of {len(rows)} honoured")
    lines += [f"{row['verdict']}: {_row(row)}" for row in rows if row["verdict"] != "honoured"][:_ROWS]
    return "\n".join(lines)


def contradictions(report: CheckReport | None) -> str:
    """One line for each field of the plan or stated fact that the code contradicts; "" when there is none."""
    rows = report["conformance"] if report else []
    return "\n".join(_row(row) for row in rows if row["verdict"] == "contradicted")


def excerpt(code: str, line: int | None) -> str:
    """The lines around `line` (from 1), numbered, the line itself marked; "" when there is no such line."""
    lines = code.split("\n")
    if line is None or not 1 <= line <= len(lines):
        return ""
    first, last = max(1, line - _AROUND), min(len(lines), line + _AROUND)
    return "\n".join(f"{'>' if n == line else ' '} {n:4} {lines[n - 1]}" for n in range(first, last + 1))


_STATUS = {
    "passed": "It ran to its end and passed the check.",
    "failed": "It failed its check.",
    "not_executed": "It was not run.",
    "sandbox_error": "It was not run.",
}


def _error(report: CheckReport) -> list[str]:
    error = report["error"]
    if error is None:
        return []
    lines = [f"error: {error['exception']}: {_short(error['message'])}"]
    if error["line"] is not None:
        lines.append(f"in line {error['line']}: {error['code'].strip()}")
    if error["tensors"]:
        lines.append(f"tensors there: {'; '.join(error['tensors'])}")
    if error["hint"]:
        lines.append(f"hint: {error['hint']}")
    return lines


def _row(row: Conformance) -> str:
    place = f"line {row['line']}: " if row["line"] is not None else ""
    return f"{row['name']} should be {row['expected']} ({place}{row['evidence']})"


def _short(message: str) -> str:
    if len(message) <= _MESSAGE:
        return message
    half = _MESSAGE // 2
    return f"{message[:half]} ... {message[-half:]}"
