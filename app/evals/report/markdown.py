"""Sections as Markdown: docs/EVALUATION.md. Plots are left out, for a table beside each holds its numbers."""

import re
from collections.abc import Iterable, Mapping, Sequence

from dlcodegen.delivery.markdown import printable
from dlcodegen.evals.sections import (
    Block,
    Cell,
    Link,
    Listing,
    Part,
    Section,
    Strong,
    Table,
    Text,
    conditions_of,
    shown,
)

_HEAD = """# Evaluation

Every figure here comes from `dlcodegen bench`, whose results lie as JSON lines in `docs/evaluation/`. To make them
anew: `make bench`. Computers are noisy: ratios within one run mean more than seconds. The same with plots:
`docs/evaluation/report.html`, by `dlcodegen bench report`.
"""
_LONGEST_CELL = 120


def page(sections: Iterable[Section], remark: str = "") -> str:
    """The whole page. `remark`: what a reader must know before all figures."""
    return "\n".join([_HEAD, *([f"{remark}\n"] if remark else []), *map(_section, sections)])


def table(head: Sequence[str], rows: Sequence[Sequence[Cell]], target: str = "") -> str:
    """A Markdown table, with a line break at its end. `target`: the file that its links lead into."""
    lines = [map(cell, head), ["---"] * len(head), *([cell(value, target) for value in row] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def cell(value: Cell, target: str = "") -> str:
    """One cell of a table. Text of others is shortened, and cannot leave it."""
    match value:
        case Strong(inner):
            return f"**{cell(inner)}**"
        case Link(text, anchor):
            return f"[{text}]({target}#{anchor})"
        case Text(text):
            return text.replace("|", "\\|").replace("\n", "<br>")
        case _:
            return re.sub(r"([|\\])", r"\\\1", printable(shown(value))[:_LONGEST_CELL]).replace("<", "&lt;")


def _section(section: Section) -> str:
    made = [f"Made by `{section.made['command']}`; {_conditions(section.made)}."] if section.made else []
    absent = [f"Not measured: {_plain(reason)}." for reason in section.absent]
    parts = [f"## {section.title}", *made, *absent, *(_block(block, 3) for block in section.blocks)]
    return "\n\n".join(part.strip("\n") for part in parts if part) + "\n"


def _plain(text: str) -> str:
    """Text of others on one line, without HTML of theirs."""
    return printable(text).replace("<", "&lt;")


def _conditions(made: Mapping[str, str]) -> str:
    return "; ".join(f"{name} {value}" for name, value in made.items() if name != "command")


def _block(block: Block, level: int) -> str:
    match block:
        case Text(text):
            return text
        case Listing(title, names):
            return f"{title}: {_plain(', '.join(names)) or 'none'}."
        case Table(head, rows, of):
            made = f"\n\nThis table: {_conditions(conditions_of(of))}." if of else ""
            return table(head, rows).rstrip() + made
        case Part(title, blocks):
            return "\n\n".join(
                [f"{'#' * level} {title}", *filter(None, (_block(inner, level + 1) for inner in blocks))]
            )
        case _:  # a plot
            return ""
