"""`dlcodegen bench`: our measurements, each a command that can be interrupted and goes on where it was."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dlcodegen.cli import bench_code, bench_report, bench_runs, options
from dlcodegen.cli.measuring import RESULTS, Fresh, Out, measure, measured
from dlcodegen.errors import InputError

if TYPE_CHECKING:
    from dlcodegen.corpus.dense import DenseOpinion
    from dlcodegen.evals.journal import Row

bench = typer.Typer(
    help="Measure this installation. Results are JSON lines; an interrupted measurement goes on where it was.",
    no_args_is_help=True,
)
_CORPUS_PARTS = ("retrieval", "duplicates", "derivation", "growth", "samples")


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

    return measure("sandbox", sandbox_speed.steps(repeats), sandbox_speed.summary, out, fresh, as_json)


@bench.command()
def ladder(out: Out = None, fresh: Fresh = False, as_json: options.AsJson = False) -> int:
    """See which rung catches which planted fault, and whether a sound sample sets off an alarm.

    For example:

    dlcodegen bench ladder
    dlcodegen bench ladder --out faults.jsonl --json
    """
    from dlcodegen.evals import ladder_faults

    return measure("ladder", ladder_faults.steps(), ladder_faults.summary, out, fresh, as_json)


@bench.command()
def corpus(
    parts: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[PART]...", show_default=False, help=f"Any of {', '.join(_CORPUS_PARTS)}; if none, all."
        ),
    ] = None,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder of the JSON lines, a file for each part.")] = RESULTS,
    embeddings: Annotated[
        str, typer.Option(metavar="PROVIDER:NAME", show_default=False, help="Measure this embedding model beside BM25.")
    ] = "",
    embeddings_url: Annotated[
        str, typer.Option(metavar="URL", show_default=False, help="OpenAI-compatible server of embeddings.")
    ] = "",
    fresh: Fresh = False,
    as_json: options.AsJson = False,
) -> int:
    """Measure the sample pool: is the right sample found, what does a large pool cost, does every sample learn?

    retrieval: requirements against the sample each asks for. duplicates: rules that keep copies out.
    derivation: plans derived from code. growth: pools of up to 100,000. samples: every sample run.

    For example:

    dlcodegen bench corpus
    dlcodegen bench corpus retrieval --embeddings openai:nomic-embed-text --embeddings-url http://localhost:8080/v1
    """
    from dlcodegen.cli import show

    unknown = sorted(set(parts or ()) - set(_CORPUS_PARTS))
    if unknown:
        raise InputError(f"there is no part {unknown[0]!r}: use any of {', '.join(_CORPUS_PARTS)}")
    summaries = {
        name: measured(name, *_corpus_part(name, embeddings, embeddings_url), out / f"{name}.jsonl", fresh)
        for name in parts or _CORPUS_PARTS
    }
    if as_json:
        show.as_json({"benchmark": "corpus", "summary": summaries})
    for name, rows in () if as_json else summaries.items():
        typer.echo(f"\n{name}")
        show.rows(rows)
    return 0


@bench.command()
def plans(
    said: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            show_default=False,
            help="What a network trained on the published rows said of the test rows, by `planner predict --odds`.",
        ),
    ] = None,
    asked_on: Annotated[str, typer.Option("--model-on", help="The machine that this network was asked on.")] = "",
    train: Annotated[
        bool,
        typer.Option("--train", help="Train the small networks on the published rows, too; on two cores over a day."),
    ] = False,
    out: Out = None,
    fresh: Fresh = False,
    as_json: options.AsJson = False,
) -> int:
    """Measure the plan predictor: its plans beside the published ones, its speed, and whether it reads the right task.

    The published rows are read where DLCODEGEN_PUBLISHED_DATA says, or in shared/data/dlcodegen beside the checkout;
    without them, what needs no such rows is measured. What is trained on them is never shipped: small networks, which
    this command trains if it is told to, and a base that has read the web, which a GPU trains in minutes. What that
    one says is recorded there (docs/EVALUATION.md tells how), and measured here.

    For example:

    dlcodegen bench plans
    dlcodegen bench plans --said said.jsonl --model-on "a GPU"
    """
    from dlcodegen.evals import plan_prediction
    from dlcodegen.evals.protocol_rows import Protocol

    protocol = Protocol(said, asked_on, train)
    return measure("plans", plan_prediction.steps(protocol), plan_prediction.summary, out, fresh, as_json)


bench.command()(bench_code.code)
bench.command()(bench_code.ablation)
bench.command()(bench_code.temperature)
bench.command()(bench_runs.runs)
bench.command()(bench_runs.models)
bench.command()(bench_report.report)
bench.command()(bench_report.quick)


def _corpus_part(
    name: str, embeddings: str, embeddings_url: str
) -> "tuple[Iterable[tuple[str, Callable[[], Row]]], Callable[[list[Row]], list[Row]]]":
    """Steps and summary of a part of `bench corpus`."""
    from dlcodegen.evals import derivation, near_duplicates, pool_growth, pool_proof, retrieval

    if name == "retrieval":
        return retrieval.steps(_opinion(embeddings, embeddings_url)), retrieval.summary
    modules = {
        "duplicates": near_duplicates,
        "derivation": derivation,
        "growth": pool_growth,
        "samples": pool_proof,
    }
    return modules[name].steps(), modules[name].summary


def _opinion(embeddings: str, embeddings_url: str) -> "DenseOpinion | None":
    if not embeddings:
        return None
    from dlcodegen.corpus.dense import DenseOpinion
    from dlcodegen.models.embeddings import embedder

    return DenseOpinion(embeddings, embedder(embeddings, embeddings_url))
