"""Evidence in plain words: the sentences that README, chat answer and command line share."""

from dlcodegen.delivery import markdown
from dlcodegen.delivery.outcome import Outcome
from dlcodegen.report import CheckReport, Conformance, Diagnosis, Fact

# What stopped a run, for readers who do not know the exception's name. The rest is explained by its own message.
_REASONS = {
    "timeout": "it took longer than a smoke run may",
    "too many processes": "it started more processes than a smoke run may",
    "too much output": "it printed without end",
    "disk full": "it wrote more files than a smoke run may",
    "metrics.json": "it did not write usable metrics",
    "placeholder": "something is left for somebody else to fill in",
    "ended early": "it left before its end",
    "missing part": "it lacks a part that every project has",
    "out of memory": "it needed more memory than a smoke run may",
    "MemoryError": "it needed more memory than a smoke run may",
    "SyntaxError": "it is not valid Python",
    "IndentationError": "it is not valid Python: a line is indented wrongly",
    "ImportError": "it imports something that its library does not have",
    "ModuleNotFoundError": "it imports a package that is not installed here",
    "NameError": "it uses a name that is defined nowhere",
    "AttributeError": "it uses something that an object or library does not have",
    "FileNotFoundError": "it opens a file that does not exist",
    "PermissionError": "it tried something that the sandbox forbids",
}


def status_line(outcome: Outcome) -> str:
    """What is known about the delivered code, in one sentence."""
    report = outcome.report
    if report is None:
        return "Not checked: checking was switched off, so nothing of it has been executed."
    if report["status"] == "passed":
        return _passed(report)
    if report["status"] in ("not_executed", "sandbox_error"):
        return f"Not executed, so it is not known whether it works: {report['rungs'][-1]['message']}."
    return "Not passed: this is the best of what was tried, and it still fails its check."


def _passed(report: CheckReport) -> str:
    evidence = next((rung["message"] for rung in report["rungs"] if rung["name"] == "judgement"), "")
    sentence = f"Passed: the smoke run trained, evaluated and saved weights; the check took {report['seconds']:.1f} s."
    if report["sandbox"].get("tier") == "unsandboxed":
        sentence += " It was executed WITHOUT a sandbox, as --accept-unsandboxed allows."
    return f"{sentence} Judged in a second process: {markdown.inline(evidence)}." if evidence else sentence


def diagnosis(error: Diagnosis) -> str:
    """Why the check failed and where to look, as Markdown."""
    reason = _REASONS.get(error["exception"], f"it ended with {markdown.code(error['exception'])}")
    message = f" ({markdown.code(error['message'])})" if error["message"] else ""
    sentence = f"The step {markdown.code(error['rung'])} failed: {reason}{message}."
    if error["line"] is not None:
        sentence += f" Look at line {error['line']} of `main.py`: {markdown.code(error['code']) or '(empty)'}."
    if error["tensors"]:
        sentence += f" Tensors there: {', '.join(map(markdown.code, error['tensors']))}."
    return f"{sentence} {markdown.inline(error['hint'])}".rstrip()


def shortfall(row: Conformance, facts: list[Fact]) -> str:
    """One thing that was not honoured, as Markdown: what was wanted, by whom, and what the code has instead."""
    wanted = f"{markdown.code(row['name'])} should be {markdown.inline(row['expected'])}{_stated(row, facts)}"
    return f"{wanted}; {'the code has ' if row['line'] is not None else ''}{evidence(row)}"


def evidence(row: Conformance) -> str:
    """The line of code that shows the verdict, or why there is none, as Markdown."""
    if row["line"] is None:
        return markdown.inline(row["evidence"])
    return f"{markdown.code(row['evidence'])} (line {row['line']})"


def writer_line(outcome: Outcome) -> str:
    """Who wrote the code, as Markdown."""
    if outcome.model == "offline" or outcome.writer == "syntax":
        return f"the {markdown.inline(outcome.writer)} writer, without a chat model"
    return f"the {markdown.inline(outcome.writer)} writer with the chat model {markdown.code(outcome.model)}"


def _stated(row: Conformance, facts: list[Fact]) -> str:
    """The user's own words for it, when the requirement states it; a plan field is a prediction."""
    words = next((fact["text"] for fact in facts if fact["name"] == row["name"]), "")
    return f' (you wrote "{markdown.inline(words)}")' if words else ""
