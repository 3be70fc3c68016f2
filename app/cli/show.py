"""What the commands print on stdout: short for people, or one JSON object for machines."""

import json
import math
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import typer
from rich import box
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from dlcodegen.delivery.answer import training_command
from dlcodegen.delivery.markdown import printable
from dlcodegen.delivery.script import read_script
from dlcodegen.plan import SolutionPlan
from dlcodegen.planner import PlannedRequest
from dlcodegen.report import CheckReport, Conformance, Diagnosis, Rung

_STATUSES = {
    "passed": ("✓ Passed", "bold green"),
    "failed": ("✗ Not passed", "bold red"),
    "unchecked": ("• Not checked", "bold yellow"),
    "not_executed": ("✗ Not executed", "bold red"),
    "sandbox_error": ("✗ The sandbox failed", "bold red"),
}
_MEANINGS = {
    "passed": "it ran, trained, and saved its weights",
    "failed": "the best of what was tried; README.md says what is wrong",
    "unchecked": "nothing of it has been executed",
    "not_executed": "this computer offers no sandbox; README.md says which way out there is",
    "sandbox_error": "it could not be executed, which says nothing about the code; see README.md",
}
_RUNG = 11  # characters of the longest rung's name
_WIDEST = 10_000  # columns that a table is measured for
_VERDICTS = {"honoured": ("✓", "green"), "contradicted": ("✗", "red"), "not found": ("?", "yellow")}


def as_json(value: Mapping[str, Any]) -> None:
    """One JSON object on stdout, in ASCII: it survives any terminal and pipe."""
    typer.echo(json.dumps(value, indent=2))


def project(report: Mapping[str, Any], files: Mapping[str, str], data: str) -> None:
    """The end of `dlcodegen new`: status, where it is, metrics, what was honoured, and how to run it."""
    console = Console()
    chosen = next(candidate for candidate in report["candidates"] if candidate["name"] == report["chosen"])
    out = report["out"]
    console.print(Text.assemble(_STATUSES[report["status"]], f": {_MEANINGS[report['status']]}"))
    evidence = [*_metrics(chosen.get("metrics", {})), *_error(chosen.get("error"))]
    notes = [("note", note) for note in report["notes"]]
    console.print(grid([("folder", f"{out} ({len(files)} files)"), *evidence, *notes]))
    _conformance(console, chosen.get("conformance", []))
    console.print("\nRun it", style="bold")
    training = training_command(read_script(files["main.py"]), data)
    for command in (f"cd {shlex.quote(printable(out))}", "python main.py --smoke", training):
        console.print(Text(f"  {command}", "cyan"), soft_wrap=True)


def prompts(sent: list[str], in_json: bool) -> None:
    """The prompts of a dry run, each below a line of its own."""
    if in_json:
        as_json({"prompts": sent})
        return
    for number, prompt in enumerate(sent, 1):
        typer.echo(f"===== prompt {number} of {len(sent)} =====\n{prompt.strip()}\n")


def plan(planned: PlannedRequest) -> None:
    """The solution plan, and what the requirement states."""
    console = Console()
    origin = f"(planned by {planned.planner}, confidence {planned.confidence:.2f})"
    console.print(Text(planned.plan.to_paper()["Task Category"], "bold"), Text(origin, "dim"))
    console.print(grid([*of_plan(planned.plan), *(("note", note) for note in planned.notes)]))
    if planned.facts:
        table = _table("stated in the requirement", "value", "in the words")
        for fact in planned.facts:
            table.add_row(_text(fact["name"]), _text(str(fact["value"])), _text(fact["text"]))
        console.print(table)


def of_plan(solution: SolutionPlan) -> list[tuple[str, str]]:
    """The plan as rows of a grid."""
    training = solution.hyperparameters
    return [
        ("input", solution.input),
        ("output", solution.output),
        ("preprocessing", solution.preprocess or "none"),
        ("layers", "\n".join(map(printable, solution.layers)) or "none"),
        ("optimizer", training.optimizer),
        ("loss function", training.loss_function),
        ("learning rate", f"{training.learning_rate:g}"),
        ("batch size", str(training.batch_size)),
        ("epochs", str(training.epochs)),
        ("metric", training.evaluation_metric),
    ]


def check(file: Path, report: CheckReport) -> None:
    """A check report: every rung, metrics, the diagnosis, and what of the plan was found."""
    console = Console()
    console.print(Text.assemble(_STATUSES[report["status"]], f"  {printable(str(file))}"))
    for rung in report["rungs"]:
        console.print(_rung(rung), no_wrap=True, overflow="ellipsis")
    tier = [("sandbox", report["sandbox"]["tier"])] if report["sandbox"] else []
    lint = [("lint findings", str(report["lint"]))]
    console.print(grid([*_metrics(report["metrics"]), *_error(report["error"]), *tier, *lint]))
    _conformance(console, report["conformance"])


def sections(content: Mapping[str, Mapping[str, str]]) -> None:
    """Titles, each with its rows of name and value."""
    console = Console()
    for title, rows in content.items():
        console.print(Text(title, "bold"))
        console.print(grid(list(rows.items())))


def rows(table: list[dict[str, Any]]) -> None:
    """Rows of names and values as a table, one below the other where the terminal is too narrow; numbers are short."""
    console = Console()
    names = list(dict.fromkeys(name for row in table for name in row))
    shown = _table(*names)
    for row in table:
        shown.add_row(*(_text(_short(row.get(name))) for name in names))
    if Measurement.get(console, console.options.update(max_width=_WIDEST), shown).minimum <= console.width:
        console.print(shown)
        return
    for row in table:
        title, *values = [(name, _short(value)) for name, value in row.items() if _short(value)]
        console.print(Text(printable(title[1]), "bold"), grid(values))


def _short(value: object) -> str:
    """As a cell; empty for what was not measured."""
    return f"{value:.3g}" if isinstance(value, float) else "" if value is None else str(value)


def _rung(rung: Rung) -> Text:
    mark = ("✓ ", "green") if rung["passed"] else ("✗ ", "red")
    message = (f"  {printable(rung['message'])}", "dim" if rung["passed"] else "")
    return Text.assemble("  ", mark, rung["name"].ljust(_RUNG), (f"{rung['seconds']:6.2f} s", "dim"), message)


def _metrics(metrics: Mapping[str, float | None]) -> list[tuple[str, str]]:
    """Of the smoke run; report.json has null for what is not finite."""
    finite = ((name, value) for name, value in metrics.items() if value is not None and math.isfinite(value))
    line = ", ".join(f"{name} {value:.3g}" for name, value in finite)
    return [("smoke metrics", line)] if line else []


def _error(error: Diagnosis | None) -> list[tuple[str, str]]:
    if error is None:
        return []
    rows = [("failed at", error["rung"]), ("because", f"{error['exception']}: {error['message']}")]
    if error["line"] is not None:
        rows.append((f"line {error['line']}", error["code"]))
    if error["tensors"]:
        rows.append(("tensors there", ", ".join(error["tensors"])))
    return [*rows, ("hint", error["hint"])] if error["hint"] else rows


def _conformance(console: Console, rows: list[Conformance]) -> None:
    """What was not honoured first, so that nobody has to look for it."""
    if not rows:
        return
    caption = "  ".join(f"{mark} {verdict}" for verdict, (mark, _) in _VERDICTS.items())
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), expand=True, caption=caption)
    table.add_column("")
    table.add_column("asked for or planned", max_width=20, overflow="fold")
    table.add_column("wanted", max_width=24, overflow="fold")
    table.add_column("line: code", ratio=1, no_wrap=True, overflow="ellipsis")
    for row in sorted(rows, key=lambda row: row["verdict"] == "honoured"):
        where = f"{row['line']}: " if row["line"] is not None else ""
        mark, evidence = Text(*_VERDICTS[row["verdict"]]), _text(where + row["evidence"])
        table.add_row(mark, _text(row["name"]), _text(row["expected"]), evidence)
    console.print(table)


def _table(*columns: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def grid(rows: list[tuple[str, str]]) -> Table:
    """Names and values side by side."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim")
    grid.add_column(overflow="fold")
    for name, value in rows:
        grid.add_row(f"  {name}", Text("\n").join(map(_text, value.split("\n"))))
    return grid


def _text(text: str) -> Text:
    """Text of others, as it is: no markup, nothing that steers the terminal."""
    return Text(printable(text))
