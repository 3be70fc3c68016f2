"""Training with a bar: which epoch, how far, how good so far; Ctrl-C says how to go on."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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
    with Bar(*columns, console=console, transient=True) as bar, _ctrl_c_noted() as is_interrupted:
        task = bar.add_task("epoch 1", total=None)

        def show(progress: "Progress", steps: int, loss: float) -> None:
            done = len(progress.history)
            said = f"epoch {done + 1}, loss {loss:.2f}"
            bar.update(task, description=said, total=steps, completed=progress.step)
            if not console.is_terminal and progress.step % max(1, steps // 10) == 0:
                console.print(f"{said}: {progress.step} of {steps} steps")
            leave_if_interrupted()

        def epoch_done(progress: "Progress") -> None:
            last = progress.history[-1]
            best = " (best so far)" if progress.best_epoch == last["epoch"] else ""
            console.print(f"epoch {int(last['epoch']) + 1}: loss {last['dev_loss']:.3f} on the dev rows{best}")
            leave_if_interrupted()

        def leave_if_interrupted() -> None:
            if is_interrupted():
                training.checkpoint()
                console.print("interrupted: the same command goes on from here")
                raise KeyboardInterrupt

        training.run(show, epoch_done)


@contextmanager
def _ctrl_c_noted() -> Iterator[Callable[[], bool]]:
    """Ctrl-C is kept for when the step is done: in its midst the weights are half old, half new. A second one ends all.

    Gives what tells whether there was one.
    """
    noted = False

    def note(*_: object) -> None:
        nonlocal noted
        noted = True
        signal.signal(signal.SIGINT, before)

    before = signal.signal(signal.SIGINT, note)
    try:
        yield lambda: noted
    finally:
        signal.signal(signal.SIGINT, before)
