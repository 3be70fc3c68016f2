"""`dlcodegen bench report` and `bench quick`: the results of all benchmarks as pages, and a quick version of them."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dlcodegen.cli.measuring import RESULTS, measured

if TYPE_CHECKING:
    from dlcodegen.evals.sections import Section

_PAGE = Path("docs/EVALUATION.md")
_HTML = "report.html"


def report(
    results: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of the JSON lines.")] = RESULTS,
    out: Annotated[Path, typer.Option(metavar="FILE", help="The page in Markdown.")] = _PAGE,
    html: Annotated[
        Path | None,
        typer.Option(metavar="FILE", show_default=False, help="The page with plots; report.html among the results."),
    ] = None,
) -> int:
    """Write the results of all benchmarks as one page in Markdown, and as one HTML file with plots.

    A README.md that has a place for the table of what the paper reports and what was measured gets it anew;
    it is looked for in the current folder.

    For example:

    dlcodegen bench report
    dlcodegen bench report results --out results/EVALUATION.md --html results/report.html
    """
    from dlcodegen.evals.evaluation import sections
    from dlcodegen.evals.headline import BEGIN, in_readme

    found = sections(results)
    _write(found, out, html or results / _HTML)
    readme = Path("README.md")
    if results == RESULTS and readme.is_file() and BEGIN in (text := readme.read_text(encoding="utf-8")):
        _save(readme, in_readme(text, found[0], _PAGE.as_posix()))
    return 0


def quick(
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", show_default=False, help="Where results and report go; a new folder among temporary ones."
        ),
    ] = None,
) -> int:
    """Run a few steps of every benchmark in minutes, with a report of its own: does all of it still work?

    An interrupted one goes on where it was if --out names the same folder.

    For example:

    dlcodegen bench quick
    dlcodegen bench quick --out /tmp/quick
    """
    import tempfile
    from time import perf_counter

    from dlcodegen.evals import quick as quick_version
    from dlcodegen.evals.evaluation import sections

    folder = out or Path(tempfile.mkdtemp(prefix="dlcodegen-bench-"))
    for name, steps in quick_version.steps().items():
        began = perf_counter()
        rows = measured(name, steps, list, folder / f"{name}.jsonl", fresh=False)
        typer.echo(f"{name}: {len(rows)} results, {perf_counter() - began:.0f} s", err=True)
    _write(sections(folder, quick=True), folder / _PAGE.name, folder / _HTML, quick_version.REMARK)
    return 0


def _write(found: "Sequence[Section]", page: Path, html_page: Path, remark: str = "") -> None:
    """Both renderings."""
    from dlcodegen.evals.report import html, markdown

    _save(page, markdown.page(found, remark))
    _save(html_page, html.page(found, remark))


def _save(path: Path, text: str) -> None:
    """Raises InputError when it cannot be written."""
    from dlcodegen.errors import InputError

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror}; name another file or folder") from error
    typer.echo(f"{path} is written")
