"""`dlcodegen planner`: what predicts solution plans, how it is trained, and how good its predictions are."""

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TextIO, TypeVar

import typer

from dlcodegen.cli import options

if TYPE_CHECKING:
    from dlcodegen.planner.gpt2.rows import RowsRead
    from dlcodegen.planner.recipe.pairs import Pair

_Item = TypeVar("_Item")
planner = typer.Typer(help="Train, ask and measure what predicts solution plans.", no_args_is_help=True)
Out = Annotated[Path, typer.Option(metavar="PATH", show_default=False, help="What is written.")]
_SIDE_BY_SIDE = 16
"""Plans that are predicted at a time."""
Seed = Annotated[int, typer.Option(metavar="N", help="The same seed gives the same result.")]


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
    with _written(out) as file:
        for pair in _tracked(made, rows, "writing rows"):
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
    _remark(train_file, learnt)
    _remark(dev_file, stopping)
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
        _remark(path, found)
    rows = [row for path in train_files for row in read[path].rows]
    with _bar("learning tasks") as report:
        classifier = learn(rows, Schooling(epochs=epochs, seed=seed), report)
    classifier.save(out)
    typer.echo(f"{out}: {len(classifier.names)} tasks, learnt from {len(rows):,} rows")
    return 0


@planner.command()
def predict(
    source: Annotated[
        Path, typer.Option("--in", metavar="FILE", show_default=False, help="JSON lines with requirements.")
    ],
    out: Out,
    weights: Annotated[
        Path | None, typer.Option(metavar="DIR", show_default=False, help="Weights of your own; else the shipped ones.")
    ] = None,
    way: Annotated[
        Literal["greedy", "beam", "consensus"], typer.Option("--decode", help="How the free texts are written.")
    ] = "greedy",
    beams: Annotated[int, typer.Option(metavar="N", min=2, help="Hypotheses of a beam search.")] = 3,
    with_odds: Annotated[
        bool, typer.Option("--odds", help="Write also how likely each value of a field was: `bench plans --said`.")
    ] = False,
    seed: Seed = 42,
) -> int:
    """Predict the plan of each row, as the model says it: nothing that a row states is set in it.

    For example:

    dlcodegen planner predict --in test.jsonl --out predicted.jsonl
    dlcodegen planner predict --in test.jsonl --out predicted.jsonl --weights weights --decode beam
    """
    from dlcodegen.planner.gpt2.decoding import Asked, Decoder, Settings
    from dlcodegen.planner.gpt2.memory import Memory
    from dlcodegen.planner.gpt2.rows import requests
    from dlcodegen.planner.gpt2.weights import SHIPPED, load

    folder = weights or SHIPPED
    decoder = Decoder(load(folder), Memory.load(folder), Settings(way=way, beams=beams, seed=seed))
    rows = list(requests(source))
    together = [rows[start : start + _SIDE_BY_SIDE] for start in range(0, len(rows), _SIDE_BY_SIDE)]
    with _written(out) as file:
        for some in _tracked(together, len(together), "predicting"):
            plans = decoder.decode_all([Asked(requirement, dataset) for _, requirement, dataset in some])
            for (key, *_), plan in zip(some, plans, strict=True):
                row = {"id": key, "plan_text": json.dumps(plan.to_paper(), ensure_ascii=False)}
                file.write(json.dumps(row | ({"odds": plan.odds} if with_odds else {}), ensure_ascii=False) + "\n")
            file.flush()
    typer.echo(f"{out}: {len(rows):,} plans")
    return 0


@planner.command("eval")
def evaluate(
    references: Annotated[
        Path, typer.Argument(metavar="REFERENCES", show_default=False, help="JSON lines with the right plans.")
    ],
    predictions: Annotated[
        list[Path],
        typer.Argument(metavar="PREDICTIONS...", show_default=False, help="JSON lines with predicted plans."),
    ],
    as_json: options.AsJson = False,
) -> int:
    """Compare predicted plans with the right ones, field by field: a row of the paper's table for each file.

    On each line of a file stands {"id": ..., "plan_text": "{...}"}. Plans are matched by id; one that is missing counts
    as an empty plan. Malformed JSON is read as far as it can be, and costs `valid` alone.

    valid, category, loss, optimizer and metric are percentages; BLEU, input and output are BLEU scores;
    layers is the edit distance of the layers' names; lr, batch and epochs are mean differences.

    For example:

    dlcodegen planner eval test.jsonl predicted.jsonl
    dlcodegen planner eval test.jsonl greedy.jsonl beam.jsonl --json
    """
    from dlcodegen.cli import show, show_planner
    from dlcodegen.evals.plan_files import mismatches, read_plans
    from dlcodegen.evals.plan_scores import score

    right = read_plans(references, numbered=True)
    systems = [read_plans(path) for path in predictions]
    scores = {plans.source: score(right, plans) for plans in systems}
    remarks = [*right.remarks, *(line for plans in systems for line in (*plans.remarks, *mismatches(right, plans)))]
    if as_json:
        rows = [{"file": source, **row._asdict()} for source, row in scores.items()]
        show.as_json({"references": str(references), "plans": len(right.by_id), "scores": rows, "remarks": remarks})
    else:
        show_planner.scores(scores, len(right.by_id), remarks)
    return 0


def _written(path: Path) -> TextIO:
    from dlcodegen.errors import InputError

    try:
        return path.open("w", encoding="utf-8")
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror}") from error


def _tracked(items: Iterable[_Item], total: int, title: str) -> Iterable[_Item]:
    """The items, with a bar on stderr."""
    from rich.console import Console
    from rich.progress import track

    return track(items, title, total=total, console=Console(stderr=True), transient=True)


@contextmanager
def _bar(title: str) -> Iterator[Callable[[int, int], None]]:
    """What is called with the steps done and all steps, and shows them on stderr."""
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _remark(path: Path, read: "RowsRead") -> None:
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
