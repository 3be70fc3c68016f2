"""The chat answer: what was planned and built, how to run it, and what was not honoured. About forty lines at most."""

import shlex

from dlcodegen.delivery import markdown, wording
from dlcodegen.delivery.outcome import Outcome
from dlcodegen.delivery.project import title
from dlcodegen.delivery.script import ScriptNotes, read_script

_MOST = 6  # lines of a list before the rest is only counted


def answer(outcome: Outcome) -> str:
    """The run in Markdown, for a chat. The code itself is in the files, not here."""
    script = read_script(outcome.chosen["code"])
    training = outcome.plan.hyperparameters
    shortfalls = [wording.shortfall(row, outcome.request["facts"]) for row in outcome.shortfalls]
    return markdown.render(
        "answer.md",
        title=title(outcome, script),
        status_line=wording.status_line(outcome),
        error=wording.diagnosis(outcome.report["error"]) if outcome.report and outcome.report["error"] else "",
        category=outcome.plan.to_paper()["Task Category"],
        plan=outcome.plan,
        layers=", ".join(_first(outcome.plan.layers)) or "none",
        training=training,
        learning_rate=f"{training.learning_rate:g}",
        chosen=outcome.chosen["name"],
        tried=len(outcome.candidates),
        writer=wording.writer_line(outcome),
        samples=", ".join(markdown.code(sample.id) for sample in outcome.samples),
        metrics=", ".join(f"{markdown.inline(name)} {value:.3g}" for name, value in outcome.metrics.items()),
        training_command=training_command(script, outcome.request["data"]),
        data_format=script.data_format,
        honoured=len(outcome.conformance) - len(shortfalls),
        shortfalls=shortfalls[:_MOST],
        more_shortfalls=max(0, len(shortfalls) - _MOST),
        notes=outcome.notes[:_MOST],
    )


def _first(layers: list[str]) -> list[str]:
    """The first layers as code, and how many there are beyond."""
    more = len(layers) - _MOST
    return [markdown.code(layer) for layer in layers[:_MOST]] + ([f"and {more} more"] if more > 0 else [])


def training_command(script: ScriptNotes, data: str) -> str:
    """What starts the whole training: with the user's path as a shell takes it, or `PATH`, where data is read."""
    if not script.needs_data:
        return "python main.py"
    return f"python main.py --data {shlex.quote(markdown.printable(data)) if data else 'PATH'}"
