"""`dlcodegen corpus add` and `remove`: your own code in the pool."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dlcodegen.cli import options

if TYPE_CHECKING:
    from dlcodegen.corpus.importing.newcomers import Newcomer


def add(
    paths: Annotated[
        list[Path],
        typer.Argument(metavar="PATH...", show_default=False, help="Scripts, notebooks, folders, checkouts."),
    ],
    category: Annotated[
        str,
        typer.Option(metavar="NAME", show_default=False, help="Their task category, if it is not seen in the code."),
    ] = "",
    licence: Annotated[
        str, typer.Option(metavar="SPDX", show_default=False, help="Their licence, if no file states it: MIT.")
    ] = "",
    near_copies: Annotated[
        bool, typer.Option("--near-copies", help="Add what is nearly the same as a sample, too; copies never.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be added, and add nothing.")] = False,
    as_json: options.AsJson = False,
) -> int:
    """Add your own deep-learning code to the pool, so that projects are grounded in it too.

    Scripts (.py) and notebooks (.ipynb) are found in folders and git checkouts.
    Nothing is executed: a solution plan is derived from the code alone; what was derived and what was not is shown.
    Copies and near-copies are skipped. Licence and source are kept with the code, and named in projects that use it.
    Code of any structure serves as an example to a chat model; the embedded writer takes what keeps the contract.
    It is kept in your data folder (DLCODEGEN_DATA), or on a Chroma server: DLCODEGEN_CHROMA=http://localhost:8000.

    For example:

    dlcodegen corpus add train.py
    dlcodegen corpus add ~/projects/lung-segmentation --licence MIT --dry-run
    """
    from dlcodegen.cli import show, show_own
    from dlcodegen.cli.corpus import canonical
    from dlcodegen.corpus.importing.newcomers import Newcomers
    from dlcodegen.corpus.importing.sources import Skipped
    from dlcodegen.corpus.own import OwnCorpus
    from dlcodegen.corpus.sample import all_samples
    from dlcodegen.errors import InputError

    own = OwnCorpus()
    reader = Newcomers(own, list(all_samples().values()), canonical(category), licence, near_copies)
    added: list[Newcomer] = []
    skipped: list[Skipped] = []
    try:
        for found in (item for path in paths for item in reader.read(path)):
            if isinstance(found, Skipped):
                skipped.append(found)
            else:
                added.append(found)
            if not as_json:
                show_own.found(found, dry_run)
    finally:  # what was read before Ctrl-C, or before a path that does not exist, is not lost
        if added and not dry_run:
            own.add([item.sample for item in added])
    if not added and not any("copy" in item.reason or "same as" in item.reason for item in skipped):
        raise InputError(f"there is no deep-learning script in {', '.join(map(str, paths))}")
    if as_json:
        show.as_json({"added": [_entry(item) for item in added], "skipped": [vars(item) for item in skipped]})
    else:
        show_own.sums(added, skipped, own.place, dry_run)
    return 0


def remove(
    samples: Annotated[list[str], typer.Argument(metavar="ID...", show_default=False, help="As `corpus list` has it.")],
    as_json: options.AsJson = False,
) -> int:
    """Take samples of your own out of the pool; your files stay as they are.

    For example:

    dlcodegen corpus list --from own
    dlcodegen corpus remove image-segmentation/own-train-3fa9c2
    """
    from dlcodegen.cli import show
    from dlcodegen.corpus.own import OwnCorpus
    from dlcodegen.corpus.sample import all_samples
    from dlcodegen.errors import InputError

    own = OwnCorpus()
    known = set(own.ids())
    for name in samples:
        if name in all_samples():
            raise InputError(f"{name} is shipped with DLCodeGen and cannot be removed")
        if name not in known:
            raise InputError(f"your corpus has no sample {name!r}: see `dlcodegen corpus list --from own`")
    own.remove(samples)
    if as_json:
        show.as_json({"removed": samples, "left": len(own)})
    else:
        typer.echo(f"removed {', '.join(samples)}; {len(own)} left")
    return 0


def _entry(item: "Newcomer") -> dict[str, Any]:
    from dlcodegen.cli import show_corpus

    derivation = item.derivation
    return show_corpus.entry(item.sample) | {
        "path": item.source.path,
        "plan": item.sample.plan.to_paper(),
        "derived": [vars(finding) for finding in derivation.found],
        "not derived": list(derivation.missing),
        "notes": list(item.source.notes),
    }
