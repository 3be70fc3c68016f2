"""What `dlcodegen corpus add` prints."""

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from dlcodegen.cli import show
from dlcodegen.corpus.importing.newcomers import Newcomer
from dlcodegen.corpus.importing.sources import Skipped
from dlcodegen.delivery.markdown import printable


def found(item: Newcomer | Skipped, dry_run: bool) -> None:
    """One file, as soon as it is read: what was derived from it and what was not, or why it was skipped."""
    console = Console()
    if isinstance(item, Skipped):
        console.print(Text.assemble(("• ", "dim"), printable(item.path), (f"  {printable(item.reason)}", "dim")))
        return
    sample, verb = item.sample, "would be" if dry_run else "is"
    console.print(Text.assemble(("✓ ", "green"), printable(item.source.path), (f"  {verb} {sample.id}", "bold")))
    licence = (
        sample.licence
        if sample.licence != "unknown"
        else "unknown: say it with --licence before you share what uses it"
    )
    rows = [
        *_of_plan(item),
        ("not derived", "\n".join(item.derivation.missing) or "nothing: all of it was seen in the code"),
        ("licence", licence),
        ("source", sample.source),
        ("contract", "kept" if sample.by_contract else "not kept: it serves as an example to a chat model only"),
        *(("left out", note) for note in item.source.notes),
    ]
    console.print(show.grid([("framework", sample.framework), ("category", sample.category), *rows]))


def _of_plan(item: Newcomer) -> list[tuple[str, str]]:
    """The derived plan, with the lines that show it."""
    lines = {finding.name: finding.line for finding in item.derivation.found if finding.line is not None}
    lines |= {"metric": lines["evaluation metric"]} if "evaluation metric" in lines else {}
    return [
        (name, f"{value}  (line {lines[name]})" if name in lines else value)
        for name, value in show.of_plan(item.sample.plan)
    ]


def sums(added: Sequence[Newcomer], skipped: Sequence[Skipped], place: str, dry_run: bool) -> None:
    """How many of what."""
    verb = "would be added to" if dry_run else "added to"
    Console().print(Text(f"{len(added)} {verb} {place}, {len(skipped)} skipped", "dim"))
