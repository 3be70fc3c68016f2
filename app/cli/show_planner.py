"""What `dlcodegen planner` prints."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from dlcodegen.delivery.markdown import printable
from dlcodegen.evals.plan_scores import LOWER_IS_BETTER, PlanScores, best, printed, rounded


def scores(rows: Mapping[str, PlanScores], plans: int, remarks: Sequence[str]) -> None:
    """A row for each file and a column for each measure; turned where the terminal is too narrow for that."""
    console = Console()
    head = [f"{name}{'↓' if name in LOWER_IS_BETTER else '↑'}" for name in PlanScores._fields]
    tops = best(list(rows.values()))
    lines = [[name, *_values(row, tops, len(rows) > 1)] for name, row in zip(_names(rows), rows.values(), strict=True)]
    cells = [["", *head], *lines]
    widths = [max(map(cell_len, column)) for column in zip(*cells, strict=True)]
    fits = sum(widths) + len(widths) < console.width
    console.print(_table(cells if fits else [list(column) for column in zip(*cells, strict=True)]))
    marked = "; * the best" if len(rows) > 1 else ""
    console.print(Text(f"{plans} plans; ↑ higher is better; ↓ lower is better{marked}", "dim"))
    for remark in remarks:
        console.print(Text(f"note: {printable(remark)}", "yellow"), soft_wrap=True)


def _table(cells: list[list[str]]) -> Table:
    """The first line is the head, the first column holds names."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=0)
    for number, title in enumerate(cells[0]):
        table.add_column(Text(title), justify="right" if number else "left", overflow="fold")
    for line in cells[1:]:
        table.add_row(*(Text(cell, "bold green" if cell.startswith("*") else "") for cell in line))
    return table


def _values(row: PlanScores, tops: PlanScores, marked: bool) -> list[str]:
    """Each with a star if no other is better."""
    return [
        f"{'*' if marked and rounded(name, value) == top else ''}{printed(name, value)}"
        for name, value, top in zip(PlanScores._fields, row, tops, strict=True)
    ]


def _names(rows: Mapping[str, PlanScores]) -> list[str]:
    """File names, whole paths where two would be the same."""
    stems = [printable(Path(source).stem) for source in rows]
    return [stem if stems.count(stem) == 1 else printable(source) for stem, source in zip(stems, rows, strict=True)]
