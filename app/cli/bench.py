"""`dlcodegen bench`: our measurements, each a command that can be interrupted and goes on where it was."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dlcodegen.cli import options

if TYPE_CHECKING:
    from dlcodegen.evals.journal import Row

bench = typer.Typer(
    help="Measure this installation. Results are JSON lines; an interrupted measurement goes on where it was.",
    no_args_is_help=True,
)
_RESULTS = Path("docs/evaluation")
Out = Annotated[
    Path | None,
    typer.Option(metavar="FILE", show_default=False, help="Where the JSON lines go; docs/evaluation/NAME.jsonl."),
]
Fresh = Annotated[bool, typer.Option("--fresh", help="Forget earlier results and measure everything anew.")]


@bench.command()
def sandbox(
    out: Out = None,
    repeats: Annotated[int, typer.Option(metavar="N", min=1, help="How often each way is timed.")] = 12,
    fresh: Fresh = False,
    as_json: options.AsJson = False,
) -> int:
    """Time a small script cold, warm, and in every sandbox, side by side.

    For example:

    dlcodegen bench sandbox
    dlcodegen bench sandbox --repeats 3 --out speed.jsonl --fresh
    """
    from dlcodegen.evals import sandbox_speed

    return _measure("sandbox", sandbox_speed.steps(repeats), sandbox_speed.summary, out, fresh, as_json)


@bench.command()
def ladder(out: Out = None, fresh: Fresh = False, as_json: options.AsJson = False) -> int:
    """See which rung catches which planted fault, and whether a sound sample sets off an alarm.

    For example:

    dlcodegen bench ladder
    dlcodegen bench ladder --out faults.jsonl --json
    """
    from dlcodegen.evals import ladder_faults

    return _measure("ladder", ladder_faults.steps(), ladder_faults.summary, out, fresh, as_json)


@bench.command()
def report(
    results: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of the JSON lines.")] = _RESULTS,
    out: Annotated[Path, typer.Option(metavar="FILE", help="The page to write.")] = Path("docs/EVALUATION.md"),
) -> int:
    """Write the results of all benchmarks as one page.

    For example:

    dlcodegen bench report
    """
    from dlcodegen.evals.evaluation import render

    out.write_text(render(results), encoding="utf-8")
    typer.echo(f"{out} is written")
    return 0


def _measure(
    name: str,
    steps: "Iterable[tuple[str, Callable[[], Row]]]",
    summary: "Callable[[list[Row]], list[Row]]",
    out: Path | None,
    fresh: bool,
    as_json: bool,
) -> int:
    """Measure what the journal does not know yet, with progress on stderr; then print the summary."""
    from rich.console import Console
    from rich.progress import track

    from dlcodegen.cli import show
    from dlcodegen.evals.journal import Journal

    journal = Journal(out or _RESULTS / f"{name}.jsonl", fresh)
    missing = [(key, work) for key, work in steps if key not in journal]
    for key, work in track(missing, f"bench {name}", console=Console(stderr=True), transient=True):
        journal.add(key, work())
    rows = summary(journal.rows)
    if as_json:
        show.as_json({"benchmark": name, "summary": rows})
    else:
        show.rows(rows)
    return 0
