"""Training a plan predictor: from nothing or from a network that is there; it can be interrupted, and goes on."""

import math
import pickle
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from dlcodegen.errors import InputError
from dlcodegen.planner.gpt2 import weights
from dlcodegen.planner.gpt2.base import from_base
from dlcodegen.planner.gpt2.calibration import calibrate
from dlcodegen.planner.gpt2.examples import Emphasis, Example, batches, encode, loss_of
from dlcodegen.planner.gpt2.renaming import Renaming
from dlcodegen.planner.gpt2.rows import PlanRow
from dlcodegen.planner.gpt2.steps import has_fast_bfloat16, share_of_rate
from dlcodegen.planner.gpt2.training_recipe import Recipe
from dlcodegen.planner.gpt2.vocabulary import Vocabulary

if TYPE_CHECKING:
    from transformers import PreTrainedModel

CHECKPOINT = "checkpoint.pt"
_CHECKPOINT_EVERY = 120.0
"""Seconds."""


@dataclass
class Progress:
    """Where training is."""

    epoch: int = 0
    step: int = 0
    """Steps done in this epoch."""
    best_loss: float = math.inf
    best_epoch: int = -1
    history: list[dict[str, float]] = field(default_factory=list)


Report = Callable[[Progress, int, float], None]
"""Called after each step with the progress, the steps of an epoch, and the loss of the batch."""


class Training:
    """One run, in a folder of its own: the best weights so far, and a checkpoint to go on from."""

    def __init__(self, rows: Sequence[PlanRow], dev: Sequence[PlanRow], out: Path, recipe: Recipe) -> None:
        """Raises InputError when `out` cannot be written, or holds a checkpoint of another recipe or of other rows."""
        import torch

        if not rows or not dev:
            raise InputError("training needs rows to train on and rows to stop by: give --train and --dev")
        self.rows, self.dev, self.out, self.recipe = rows, dev, out, recipe
        self.progress = Progress()
        torch.manual_seed(recipe.seed)
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        self.network, self.vocabulary = _start(rows, recipe)
        self.network.to(self.device)  # type: ignore[arg-type]
        self._stop_by = _with_plans(encode(row, self.vocabulary, Emphasis(prompt=0.0), None, Random(0)) for row in dev)
        self._renaming = Renaming(rows, recipe.noise.renamed)
        self._pad = self.vocabulary.marker["<pad>"]
        self._half = has_fast_bfloat16(self.device)
        self._optimizer = torch.optim.AdamW(
            self.network.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay, betas=(0.9, 0.98)
        )
        self._mark = _mark(rows, dev, recipe)
        try:
            out.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"cannot write to {out}: {error.strerror}; name another folder with --out") from error
        self._resume()

    def run(self, report: Report, epoch_done: Callable[[Progress], None]) -> Progress:
        """Train until the epochs are over or the dev rows say enough; the best weights are in `out` at every time."""
        while self.progress.epoch < self.recipe.epochs and not self._enough():
            self._epoch(report)
            epoch_done(self.progress)
        calibrate(self.out, self.dev)
        (self.out / CHECKPOINT).unlink(missing_ok=True)
        return self.progress

    def _epoch(self, report: Report) -> None:
        import torch

        random = Random(self.recipe.seed * 1000 + self.progress.epoch)
        examples = [
            encode(self._renaming(row, random), self.vocabulary, self.recipe.emphasis, self.recipe.noise, random)
            for row in self.rows
        ]
        order = list(batches(examples, self.recipe.batch_tokens, random))
        self.network.train()
        saved = time.monotonic()
        for batch in order[self.progress.step :]:
            self._set_learning_rate(len(order))
            with torch.autocast(self.device, dtype=torch.bfloat16, enabled=self._half):
                loss = loss_of(self.network, batch, self._pad, self.device)
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
            self._optimizer.step()
            self._optimizer.zero_grad()
            self.progress.step += 1
            report(self.progress, len(order), loss.item())
            if time.monotonic() - saved > _CHECKPOINT_EVERY:
                self.checkpoint()
                saved = time.monotonic()
        self._close_epoch()

    def _close_epoch(self) -> None:
        loss, progress = self.dev_loss(), self.progress
        progress.history.append({"epoch": progress.epoch, "dev_loss": round(loss, 4)})
        if loss < progress.best_loss:
            progress.best_loss, progress.best_epoch = loss, progress.epoch
            weights.save(weights.Predictor(self.network, self.vocabulary, self._facts()), self.out)
        progress.epoch, progress.step = progress.epoch + 1, 0
        self.checkpoint()

    def dev_loss(self) -> float:
        """Mean loss of the plans of the dev rows; their prompts do not count."""
        import torch

        self.network.eval()  # type: ignore[no-untyped-call]
        total, count = 0.0, 0
        with torch.inference_mode():
            for batch in batches(self._stop_by, self.recipe.batch_tokens, None):
                total += loss_of(self.network, batch, self._pad, self.device).item() * len(batch)
                count += len(batch)
        return total / count

    def _set_learning_rate(self, steps: int) -> None:
        done = (self.progress.epoch * steps + self.progress.step) / (self.recipe.epochs * steps)
        for group in self._optimizer.param_groups:
            group["lr"] = self.recipe.learning_rate * share_of_rate(done, self.recipe.warm_up)

    def _enough(self) -> bool:
        return self.progress.epoch - 1 - self.progress.best_epoch >= self.recipe.patience

    def _facts(self) -> dict[str, Any]:
        import transformers

        return {
            "trained_on": len(self.rows),
            "stopped_by": len(self.dev),
            "recipe": asdict(self.recipe),
            "history": self.progress.history,
            "transformers": transformers.__version__,
            "temperature": 1.0,
        }

    def checkpoint(self) -> None:
        """Save where training is. Written aside first: an interruption leaves the earlier one."""
        import torch

        state = {
            "mark": self._mark,
            "progress": asdict(self.progress),
            "network": self.network.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "random": torch.get_rng_state(),
        }
        aside = self.out / f"{CHECKPOINT}.part"
        torch.save(state, aside)
        aside.replace(self.out / CHECKPOINT)

    def _resume(self) -> None:
        import torch

        path = self.out / CHECKPOINT
        if not path.exists():
            return
        try:
            state = torch.load(path, map_location=self.device, weights_only=True)
            same = state["mark"] == self._mark
        except (OSError, RuntimeError, LookupError, ValueError, TypeError, EOFError, pickle.UnpicklingError) as error:
            raise InputError(f"{path} is damaged: delete it to train from the start") from error
        if not same:
            raise InputError(f"{path} is of other rows or settings: delete it, or name another folder with --out")
        self.network.load_state_dict(state["network"])
        self._optimizer.load_state_dict(state["optimizer"])
        torch.set_rng_state(state["random"].cpu())
        self.progress = Progress(**state["progress"])


def _start(rows: Sequence[PlanRow], recipe: Recipe) -> "tuple[PreTrainedModel, Vocabulary]":
    if not recipe.base:
        vocabulary = Vocabulary.of(rows)
        return weights.new_network(vocabulary.size, recipe.width, recipe.depth, recipe.dropout), vocabulary
    return from_base(recipe.base, rows)


def _with_plans(examples: Iterable[Example]) -> list[Example]:
    """Those in which there is something to predict: a row may hold nothing that the training rows know."""
    if found := [example for example in examples if any(example.weights)]:
        return found
    raise InputError("no dev row has a plan like those of the training rows: give others with --dev")


def _mark(rows: Sequence[PlanRow], dev: Sequence[PlanRow], recipe: Recipe) -> str:
    """Tells one run from another."""
    import hashlib

    return hashlib.sha256(repr((recipe, list(rows), list(dev))).encode()).hexdigest()


__all__ = ["CHECKPOINT", "Example", "Progress", "Recipe", "Report", "Training"]
