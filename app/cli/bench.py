"""`dlcodegen bench`: our measurements, each a command that can be interrupted and goes on where it was."""

from pathlib import Path
from typing import Annotated

import typer

from dlcodegen.cli import bench_code, bench_corpus, bench_report, bench_runs, bench_speed, options
from dlcodegen.cli.measuring import Fresh, Out, measure

bench = typer.Typer(
    help="Measure this installation. Results are JSON lines; an interrupted measurement goes on where it was.",
    no_args_is_help=True,
)


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
def plans(
    said: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            show_default=False,
            help="What a network trained on the published rows said of the test rows, by `planner predict --odds`.",
        ),
    ] = None,
    read_by: Annotated[
        str,
        typer.Option(
            metavar="NAME_OR_DIR",
            show_default=False,
            help="A base by whose reading rows are near in meaning, too; named as in `planner train --base`.",
        ),
    ] = "",
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
    one says is recorded there (docs/EVALUATION.md tells how), and measured here. Untrained, a base can tell which rows
    mean something like a request: that is read once, in a quarter of an hour on two cores.

    For example:

    dlcodegen bench plans
    dlcodegen bench plans --read-by local:qwen2.5-coder-1.5b
    dlcodegen bench plans --said said.jsonl --model-on "a GPU" --read-by local:qwen2.5-coder-1.5b
    """
    from dlcodegen.evals import plan_prediction
    from dlcodegen.evals.protocol_rows import Protocol

    protocol = Protocol(said, read_by, asked_on, train)
    return measure("plans", plan_prediction.steps(protocol), plan_prediction.summary, out, fresh, as_json)


bench.command()(bench_corpus.corpus)
bench.command()(bench_corpus.retrieval)
bench.command()(bench_speed.speed)
bench.command()(bench_code.code)
bench.command()(bench_code.ablation)
bench.command()(bench_code.temperature)
bench.command()(bench_runs.runs)
bench.command()(bench_runs.models)
bench.command()(bench_report.report)
bench.command()(bench_report.quick)
