"""What `dlcodegen model` prints."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from dlcodegen.cli import show
from dlcodegen.models.local.store import models_folder

if TYPE_CHECKING:
    from dlcodegen.models.local.catalogue import LocalModel
    from dlcodegen.models.local.fetching import Report
    from dlcodegen.models.local.server import LocalServer


@contextmanager
def pulling(model: "LocalModel") -> "Iterator[Report]":
    """A bar on stderr; on anything but a terminal a line for each thing that is begun. Ctrl-C says how to go on."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    shown = console.is_terminal
    with Progress(*columns, TimeRemainingColumn(), console=console, transient=True, disable=not shown) as bar:
        task = bar.add_task(model.name, total=model.size)
        begun: set[str] = set()

        def report(what: str, size: int) -> None:
            bar.update(task, description=f"{model.name} {what}", completed=size)
            if what not in begun and not shown:
                console.print(f"{model.name}: {what}", soft_wrap=True)
            begun.add(what)

        try:
            yield report
        except KeyboardInterrupt:
            console.print("interrupted: the same command goes on from here")
            raise


def catalogue(rows: Sequence[Mapping[str, Any]]) -> None:
    """The models, and whether they are here."""
    show.rows(
        [
            {
                "name": row["name"],
                "size": f"{row['bytes'] / 1e9:.2f} GB",
                "licence": row["licence"],
                "here": _whether(row),
            }
            for row in rows
        ]
    )
    typer.echo(f"kept in {models_folder()}")


def _whether(row: Mapping[str, Any]) -> str:
    if row["pulled"]:
        return "yes"
    part = f"{row['bytes here'] / row['bytes']:.0%} of it; " if row["bytes here"] else ""
    return f"{part}dlcodegen model pull {row['name']}"


def served(server: "LocalServer") -> None:
    """Where it is, and how to ask it. The key goes to stderr alone, and is shown this once."""
    typer.echo(f"the key: {server.key}", err=True)
    model = f"--model openai:{server.model} --base-url {server.base_url} --pieces segment"
    typer.echo(f'export OPENAI_API_KEY=KEY; dlcodegen new "classify images of leaves" --out leaves {model}', err=True)
    typer.echo("Ctrl-C ends it", err=True)
    typer.echo(f"{server.model}: {server.base_url}")
