"""Training with a bar: which epoch, how far, how good so far; Ctrl-C says how to go on."""

from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from dlcodegen.planner.gpt2.training import Progress, Training


def train_with_progress(training: "Training") -> None:
    """Run to the end; a line on stderr for each epoch. Ctrl-C leaves a checkpoint and the best weights so far."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    if training.progress.epoch or training.progress.step:
        typer.echo(f"going on in epoch {training.progress.epoch + 1}, step {training.progress.step}", err=True)
    size = sum(parameter.numel() for parameter in training.network.parameters())
    typer.echo(f"{size / 1e6:.1f} million parameters, {len(training.rows):,} rows, on {training.device}", err=True)
    with Bar(*columns, console=console, transient=True) as bar:
        task = bar.add_task("epoch 1", total=None)

        def show(progress: "Progress", steps: int, loss: float) -> None:
            done = len(progress.history)
            bar.update(task, description=f"epoch {done + 1}, loss {loss:.2f}", total=steps, completed=progress.step)

        def epoch_done(progress: "Progress") -> None:
            last = progress.history[-1]
            best = " (best so far)" if progress.best_epoch == last["epoch"] else ""
            console.print(f"epoch {int(last['epoch']) + 1}: loss {last['dev_loss']:.3f} on the dev rows{best}")

        try:
            training.run(show, epoch_done)
        except KeyboardInterrupt:
            training.checkpoint()
            console.print("interrupted: the same command goes on from here")
            raise
