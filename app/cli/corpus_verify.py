"""`dlcodegen corpus verify`: every sample executed, and what it learned."""

from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from dlcodegen.cli import options

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dlcodegen.corpus.verify import Proof

_NOT_ALL = 3


def verify(
    samples: Annotated[
        list[str] | None, typer.Argument(metavar="[ID]...", show_default=False, help="Samples; if none, all shipped.")
    ] = None,
    whose: Annotated[
        Literal["shipped", "own", "all"], typer.Option("--from", help="Which samples, when none is named.")
    ] = "shipped",
    time_limit: options.TimeLimit = 120,
    sandbox: options.Sandbox = "auto",
    accept_unsandboxed: options.AcceptUnsandboxed = False,
    as_json: options.AsJson = False,
) -> int:
    """Run samples in the sandbox: does each pass its check, and does its model learn?

    The metric of the plan is compared with that of the same model before training.
    Your own code is executed here and nowhere else, in the sandbox like all the rest.
    Exit code 0: all stand; 3: some do not. The shipped pool takes some minutes.

    For example:

    dlcodegen corpus verify
    dlcodegen corpus verify image-segmentation/unet-binary
    dlcodegen corpus verify --from own --json
    """
    from dlcodegen.cli import show, show_corpus
    from dlcodegen.cli.corpus import all_samples_of, one
    from dlcodegen.corpus.verify import prove
    from dlcodegen.execution.sandbox.limits import Limits
    from dlcodegen.execution.script import Conditions

    chosen = [one(name) for name in samples] if samples else all_samples_of(whose)
    conditions = Conditions(Limits(wall=time_limit), sandbox, accept_unsandboxed)
    proofs = list(_watched(prove(chosen, conditions), len(chosen)))
    proofs.sort(key=lambda proof: proof.sample.id)
    if as_json:
        show.as_json({"samples": [_entry(proof) for proof in proofs], "seconds": show_corpus.seconds(proofs)})
    else:
        show_corpus.proofs(proofs)
    return 0 if all(proof.stands for proof in proofs) else _NOT_ALL


def _watched(proofs: "Iterator[Proof]", count: int) -> "Iterator[Proof]":
    """The proofs, with a progress bar on stderr and a line for each that does not stand; Ctrl-C ends what runs."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from dlcodegen.cli import show_corpus
    from dlcodegen.cli.run import aside

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("verify", total=count)
        for proof in aside(proofs):
            progress.update(task, advance=1, description=f"verify: {proof.sample.id}")
            console.print(show_corpus.proof_line(proof), soft_wrap=True)
            yield proof


def _entry(proof: "Proof") -> dict[str, Any]:
    report, learned = proof.report, proof.learned
    return {
        "id": proof.sample.id,
        "stands": proof.stands,
        "status": report["status"],
        "error": report["error"],
        "metric": learned.metric if learned else None,
        "untrained": learned.untrained if learned else None,
        "trained": learned.trained if learned else None,
        "learned": bool(learned and learned.clearly),
        "not honoured": [row["name"] for row in report["conformance"] if row["verdict"] != "honoured"],
        "seconds": {rung["name"]: round(rung["seconds"], 3) for rung in report["rungs"]},
    }
