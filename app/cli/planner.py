"""`dlcodegen planner`: what predicts solution plans, how it is trained, and how good its predictions are."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from dlcodegen.cli import planner_predict
from dlcodegen.cli.planner_rows import Out, Seed, bar, remark, tracked, written

if TYPE_CHECKING:
    from dlcodegen.planner.recipe.pairs import Pair

planner = typer.Typer(help="Train, ask and measure what predicts solution plans.", no_args_is_help=True)


@planner.command()
def data(
    out: Out,
    rows: Annotated[int, typer.Option(metavar="N", min=1, help="How many rows.")] = 60_000,
    dev: Annotated[bool, typer.Option("--dev", help="Rows about topics that the others never show.")] = False,
    whole: Annotated[
        bool, typer.Option("--whole", help="Instead, the requests that are written as a whole; they have no plan.")
    ] = False,
    seed: Seed = 42,
) -> int:
    """Write the training data of the shipped weights, made from our own topics, phrasings and samples.

    For example:

    dlcodegen planner data --out train.jsonl
    dlcodegen planner data --dev --rows 1000 --out dev.jsonl
    dlcodegen planner data --whole --out requests.jsonl
    """
    from dlcodegen.planner.recipe.pairs import pairs, requests

    made: Iterable[Pair] = pairs(rows, seed, dev)
    if whole:
        made = written_whole = list(requests())
        rows = len(written_whole)
    with written(out) as file:
        for pair in tracked(made, rows, "writing rows"):
            file.write(json.dumps(pair._asdict(), ensure_ascii=False) + "\n")
    typer.echo(f"{out}: {rows:,} rows")
    return 0


@planner.command()
def train(  # noqa: PLR0913, PLR0917  one parameter an option
    train_file: Annotated[
        Path, typer.Option("--train", metavar="FILE", show_default=False, help="Rows to learn from.")
    ],
    dev_file: Annotated[Path, typer.Option("--dev", metavar="FILE", show_default=False, help="Rows to stop by.")],
    out: Annotated[Path, typer.Option(metavar="DIR", show_default=False, help="Folder of the weights.")],
    base: Annotated[
        str,
        typer.Option(
            metavar="NAME_OR_DIR",
            show_default=False,
            help="What to start from: folder or hub name of a GPT-2 or Qwen2, such as gpt2-large; or local:NAME.",
        ),
    ] = "",
    epochs: Annotated[int, typer.Option(metavar="N", min=1, help="At the most.")] = 10,
    size: Annotated[
        Literal["small", "medium", "large"],
        typer.Option(help="5, 14 or 30 million parameters, where nothing is given to start from."),
    ] = "small",
    renamed: Annotated[
        float,
        typer.Option(metavar="SHARE", min=0, max=1, help="Rows told about other things, so that copying is learnt."),
    ] = 0.5,
    as_written: Annotated[
        bool, typer.Option("--as-written", help="Keep categories as they are spelt, whatever our list says.")
    ] = False,
    memory: Annotated[
        bool, typer.Option("--memory", help="Keep the training rows with the weights: the nearest ones have a say.")
    ] = False,
    seed: Seed = 42,
) -> int:
    """Train a plan predictor; on a GPU where there is one. What was interrupted goes on when started again.

    On each line of a file stands {"requirement": ..., "dataset": ..., "plan_text": "{...}"}.

    For example:

    dlcodegen planner train --train train.jsonl --dev dev.jsonl --out weights
    dlcodegen planner train --train train.jsonl --dev dev.jsonl --out weights --base gpt2-large
    dlcodegen planner train --train train.jsonl --dev dev.jsonl --out weights --base local:qwen2.5-coder-0.5b
    """
    from dlcodegen.cli.training import train_with_progress
    from dlcodegen.planner.gpt2.memory import FILE, Memory
    from dlcodegen.planner.gpt2.rows import read_rows
    from dlcodegen.planner.gpt2.training import Recipe, Training

    learnt, stopping = (read_rows(path, canonical=not as_written) for path in (train_file, dev_file))
    remark(train_file, learnt)
    remark(dev_file, stopping)
    recipe = Recipe.of(base, epochs, seed, size, renamed)
    training = Training(learnt.rows, stopping.rows, out, recipe)
    train_with_progress(training)
    (out / FILE).unlink(missing_ok=True)  # of an earlier training
    if memory:
        Memory(learnt.rows).save(out)
    typer.echo(
        f"{out}: loss {training.progress.best_loss:.3f} on the dev rows, epoch {training.progress.best_epoch + 1}"
    )
    return 0


@planner.command("train-tasks")
def train_tasks(
    train_files: Annotated[
        list[Path],
        typer.Option("--train", metavar="FILE", show_default=False, help="Rows to learn from; more than one file."),
    ],
    out: Out,
    epochs: Annotated[int, typer.Option(metavar="N", min=1, help="How often each row is seen.")] = 8,
    seed: Seed = 42,
) -> int:
    """Train the classifier that tells which task a request is about: a minute on one core.

    The rows are those of `planner train`; of a plan only its category counts. A file that is named twice counts twice.

    For example:

    dlcodegen planner train-tasks --train train.jsonl --train requests.jsonl --out tasks.safetensors
    """
    from dlcodegen.planner.classifier.training import Schooling
    from dlcodegen.planner.classifier.training import train_tasks as learn
    from dlcodegen.planner.gpt2.rows import read_rows

    read = {path: read_rows(path, whole_plans=False) for path in dict.fromkeys(train_files)}
    for path, found in read.items():
        remark(path, found)
    rows = [row for path in train_files for row in read[path].rows]
    with bar("learning tasks") as report:
        classifier = learn(rows, Schooling(epochs=epochs, seed=seed), report)
    classifier.save(out)
    typer.echo(f"{out}: {len(classifier.names)} tasks, learnt from {len(rows):,} rows")
    return 0


planner.command()(planner_predict.predict)
planner.command("eval")(planner_predict.evaluate)
