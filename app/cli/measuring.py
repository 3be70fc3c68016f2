"""What the commands of `dlcodegen bench` share: where results go, and measuring what is not known yet."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from dlcodegen.evals.journal import Row

    Steps = Iterable[tuple[str, Callable[[], Row]]]
    """Key of each measurement, and what makes its row."""
    Summary = Callable[[list[Row]], list[Row]]

RESULTS = Path("docs/evaluation")
Out = Annotated[
    Path | None,
    typer.Option(metavar="FILE", show_default=False, help="Where the JSON lines go; docs/evaluation/NAME.jsonl."),
]
OutFolder = Annotated[
    Path, typer.Option("--out", metavar="DIR", help="Folder of the JSON lines, a file for each part.")
]
Fresh = Annotated[bool, typer.Option("--fresh", help="Forget earlier results and measure everything anew.")]


def measure(name: str, steps: "Steps", summary: "Summary", out: Path | None, fresh: bool, as_json: bool) -> int:
    """Measure, then print the summary."""
    from dlcodegen.cli import show

    rows = measured(name, steps, summary, out or RESULTS / f"{name}.jsonl", fresh)
    if as_json:
        show.as_json({"benchmark": name, "summary": rows})
    else:
        show.rows(rows)
    return 0


def measured(name: str, steps: "Steps", summary: "Summary", out: Path, fresh: bool) -> "list[Row]":
    """Measure what the journal does not know yet, with progress on stderr; the summary of all that it then knows.

    What cannot be measured, since a file that it needs is missing or broken, is absent with the reason, and tried again
    at the next start. Raises SettingsError: what is set up wrongly stops all of it.
    """
    from rich.console import Console
    from rich.progress import track

    from dlcodegen.errors import InputError, SettingsError
    from dlcodegen.evals.journal import Journal

    journal = Journal(out, fresh)
    missing = [(key, work) for key, work in steps if key not in journal]
    for key, work in track(missing, f"bench {name}", console=Console(stderr=True), transient=True):
        try:
            row = work()
        except SettingsError:
            raise
        except InputError as problem:
            row = {"absent": str(problem)}
        if "absent" in row:
            typer.echo(f"{name}: {key} is absent: {row['absent']}", err=True)
        journal.add(key, row)
    return summary(journal.rows)


def measure_parts(
    name: str, parts: "Iterable[tuple[str, Steps, Summary]]", folder: Path, as_json: bool, fresh: bool = False
) -> int:
    """Measure each part of a benchmark with a journal of its own in the folder, then print all summaries."""
    from dlcodegen.cli import show

    summaries = {
        part: measured(part, steps, summary, folder / f"{part}.jsonl", fresh) for part, steps, summary in parts
    }
    if as_json:
        show.as_json({"benchmark": name, "summary": summaries})
    for part, rows in () if as_json else summaries.items():
        typer.echo(f"\n{part}")
        show.rows(rows)
    return 0
