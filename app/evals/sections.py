"""The sections of the report; docs/EVALUATION.md and docs/evaluation/report.html are two renderings of them.

A section is written by one function of the rows in one journal, and is named in a line of ENTRIES (evaluation.py):

    def of_speed(rows: list[Row]) -> list[Block]:
        return [
            Text("Seconds a run. `warm`: by the **fork server**."),
            Table(["way", "median s"], [[row["way"], row["median"]] for row in summary(rows)]),
            Bars("Median seconds", ["small CNN", "empty"], {"cold": [2.1, 1.9], "warm": [0.2, None]}, unit="s"),
            Part("Run by run", [plain_table(rows)], folded=True),
        ]

    Entry("speed", "What a run costs", "dlcodegen bench speed", of_speed)

Rows that say why they are absent (`{"absent": reason}`) never reach that function: each becomes a line of its own.
A row's `made`, and its `seed` and `model` where it has them, are shown with the section. Cells are data, not markup:
a number is formatted, `Strong` marks the best, and text of others is escaped and shortened. In Markdown plots are left
out, so a table beside each must hold its numbers.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dlcodegen.evals.journal import Row

Value = str | int | float | bool | None


@dataclass(frozen=True)
class Strong:
    """A cell that stands out: the best of its column."""

    value: Value


@dataclass(frozen=True)
class Link:
    """A cell that leads to another section."""

    text: str
    anchor: str
    """`Section.anchor`."""


@dataclass(frozen=True)
class Text:
    """A paragraph or a cell of ours: Markdown's `code`, **strong**, *emphasis* and [links](URL), no text of others."""

    text: str


Cell = Value | Strong | Link | Text


@dataclass(frozen=True)
class Listing:
    """`title: a, b.` on one line; `none` where there is nothing to list."""

    title: str
    names: Sequence[str]


@dataclass(frozen=True)
class Table:
    """Numbers are aligned to the right."""

    head: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    of: Sequence[Row] = ()
    """The rows that it is made from, where these are not all of the section: their `made` is its caption."""


@dataclass(frozen=True)
class Bars:
    """Grouped bars; in Markdown only the table beside them is shown, so that a table holds every number of a plot."""

    title: str
    groups: Sequence[str]
    series: Mapping[str, Sequence[float | None]]
    """A value for each group; None where there is none."""
    unit: str = ""
    of: Sequence[Row] = ()


@dataclass(frozen=True)
class Curves:
    """Lines over a number, such as a temperature; not shown in Markdown, as Bars."""

    title: str
    x: Sequence[float]
    series: Mapping[str, Sequence[float | None]]
    x_title: str = ""
    unit: str = ""
    logarithmic: bool = False
    """Both axes."""
    of: Sequence[Row] = ()


@dataclass(frozen=True)
class Part:
    """Blocks under a heading of their own; `folded`: long ones, which HTML shows on a click."""

    title: str
    blocks: "Sequence[Block]"
    folded: bool = False


Block = Text | Listing | Table | Bars | Curves | Part


@dataclass(frozen=True)
class Entry:
    """A journal, and how its section is written."""

    journal: str
    """`code`: docs/evaluation/code.jsonl."""
    title: str
    command: str
    """What makes the rows, as one types it."""
    write: Callable[[list[Row]], Sequence[Block]]
    seed: str = "none (nothing is drawn)"
    """For rows without a `seed`."""
    model: str = "none"
    """For rows without a `model`."""


@dataclass(frozen=True)
class Section:
    """As the renderers get it."""

    name: str
    title: str
    blocks: Sequence[Block]
    made: Mapping[str, str] = field(default_factory=dict)
    """How it was made: command, commit, seed, model, machine, date, versions. Empty when nothing was measured."""
    absent: Sequence[str] = ()
    """What could not be measured, each with its reason."""

    @property
    def anchor(self) -> str:
        """Where links lead: as code hosts make it from a heading in Markdown, and the same in HTML."""
        return anchor(self.title)


def anchor(title: str) -> str:
    """`What a run costs?` -> `what-a-run-costs`."""
    return re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-")


def section(entry: Entry, rows: Sequence[Row]) -> Section:
    """The section of these rows; one that says how to measure when there are none."""
    if not rows:
        return Section(entry.journal, entry.title, (), absent=[f"nothing was measured here: run `{entry.command}`"])
    measured = [row for row in rows if "absent" not in row]
    reasons = [f"{row['key']}: {row['absent']}" for row in rows if "absent" in row]
    blocks = entry.write(measured) if measured else ()
    return Section(entry.journal, entry.title, blocks, how(entry, rows), reasons)


def how(entry: Entry, rows: Sequence[Row]) -> dict[str, str]:
    """How these rows of the entry's journal were made; what differs between them is listed in order."""
    own = {"command": entry.command, "seed": entry.seed, "model": entry.model}
    named = [{name: row[name] for name in ("command", "seed", "model") if row.get(name) is not None} for row in rows]
    return {**_listed([{**own, **found} for found in named]), **conditions_of(rows)}


def conditions_of(rows: Sequence[Row]) -> dict[str, str]:
    """Commit, machine, date, versions of these rows."""
    return _listed([row["made"] for row in rows if "made" in row])


def plain_table(rows: Sequence[Mapping[str, Any]]) -> Table:
    """Every name of the rows as a column."""
    names = list(dict.fromkeys(name for row in rows for name in row if name != "made"))
    return Table(names, [[row.get(name) for name in names] for row in rows])


def turned_table(rows: Sequence[Mapping[str, Any]], name: str) -> Table:
    """Rows as columns with `name` at their head, where there are few rows and many figures."""
    names = [other for other in dict.fromkeys(key for row in rows for key in row) if other != name]
    head = ["", *(f"{row[name]:,}" for row in rows)]
    return Table(head, [[other, *(row.get(other) for row in rows)] for other in names])


def shown(value: Value) -> str:
    """A value as both renderings print it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    return "" if value is None else str(value)


def _listed(found: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    names = dict.fromkeys(name for entry in found for name in entry)
    return {name: ", ".join(dict.fromkeys(str(entry[name]) for entry in found if name in entry)) for name in names}
