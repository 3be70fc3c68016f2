"""What the commands of `dlcodegen planner` share: options, files, progress, remarks on what was read."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO, TypeVar

import typer

if TYPE_CHECKING:
    from dlcodegen.planner.gpt2.rows import RowsRead

_Item = TypeVar("_Item")
Out = Annotated[Path, typer.Option(metavar="PATH", show_default=False, help="What is written.")]
Seed = Annotated[int, typer.Option(metavar="N", help="The same seed gives the same result.")]


def written(path: Path) -> TextIO:
    """The file, opened. Raises InputError when it cannot be written."""
    from dlcodegen.errors import InputError

    try:
        return path.open("w", encoding="utf-8")
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror}") from error


def tracked(items: Iterable[_Item], total: int, title: str) -> Iterable[_Item]:
    """The items, with a bar on stderr."""
    from rich.console import Console
    from rich.progress import track

    return track(items, title, total=total, console=Console(stderr=True), transient=True)


@contextmanager
def bar(title: str) -> Iterator[Callable[[int, int], None]]:
    """What is called with the steps done and all steps, and shows them on stderr."""
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def remark(path: Path, read: "RowsRead") -> None:
    """What was left out or renamed, on stderr."""
    if read.broken:
        some = "; ".join(read.broken[:3])
        typer.echo(
            f"{path}: {len(read.broken):,} rows are left out ({some}{', ...' if len(read.broken) > 3 else ''})",
            err=True,
        )
    if read.foreign:
        some = ", ".join(f"{written!r} as {name}" for written, name in list(read.foreign.items())[:3])
        typer.echo(
            f"{path}: {len(read.foreign):,} categories are outside the list and read as the nearest: {some}", err=True
        )
