"""Training a classifier: minutes on one core, always from nothing."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import TYPE_CHECKING

from dlcodegen.categories import nearest
from dlcodegen.errors import InputError
from dlcodegen.planner.classifier.classifier import Classifier
from dlcodegen.planner.classifier.features import BUCKETS, Features, features
from dlcodegen.planner.gpt2.rows import PlanRow

if TYPE_CHECKING:
    import torch

Report = Callable[[int, int], None]
"""Called after each step with the steps done and all steps."""


@dataclass(frozen=True)
class Schooling:
    """How the classifier learns."""

    epochs: int = 8
    learning_rate: float = 0.05
    batch: int = 64
    left_out: float = 0.3
    """Share of the features that are not seen, another one each time: no single word may decide."""
    doubt: float = 0.05
    """Label smoothing."""
    seed: int = 42


def train_tasks(
    rows: Sequence[PlanRow], schooling: Schooling = Schooling(), report: Report = lambda *_: None
) -> Classifier:
    """Learn the category of each row, by its name in our list, as `train` does."""
    told = [row for row in rows if "category" in row.values]
    tasks = [replace(row, values={"category": nearest(row.values["category"])}) for row in told]
    return train(tasks, "category", schooling, report)


def train(
    rows: Sequence[PlanRow], field: str, schooling: Schooling = Schooling(), report: Report = lambda *_: None
) -> Classifier:
    """Learn a closed field of each row's plan from its requirement and dataset; values stay as they are written.

    Rows without the field say nothing. Raises InputError where there are not two values.
    """
    import torch

    seen = [(features(row.requirement, row.dataset), row.values[field]) for row in rows if field in row.values]
    names = sorted({name for _, name in seen})
    if len(names) < 2:
        raise InputError(f"a classifier needs rows of two values of {field} or more: give others with --train")
    places = {name: place for place, name in enumerate(names)}
    random = Random(schooling.seed)
    weights = torch.nn.EmbeddingBag(BUCKETS, len(names), mode="sum", sparse=True)  # most buckets are not touched
    torch.nn.init.zeros_(weights.weight)
    bias = torch.zeros(len(names), requires_grad=True)
    optimizer = torch.optim.Adagrad([weights.weight, bias], lr=schooling.learning_rate)
    starts = range(0, len(seen), schooling.batch)
    unchecked = torch.sparse.check_sparse_tensor_invariants(False)  # type: ignore[no-untyped-call]
    with unchecked:  # gradients of buckets that were looked up are sound
        for epoch in range(schooling.epochs):
            random.shuffle(seen)
            for done, start in enumerate(starts, epoch * len(starts) + 1):
                batch = seen[start : start + schooling.batch]
                buckets, offsets, values = _joined([found for found, _ in batch], schooling.left_out, random)
                wanted = torch.tensor([places[name] for _, name in batch])
                scores = weights(buckets, offsets, per_sample_weights=values) + bias
                loss = torch.nn.functional.cross_entropy(scores, wanted, label_smoothing=schooling.doubt)
                optimizer.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                optimizer.step()
                report(done, schooling.epochs * len(starts))
    return Classifier(names, weights.weight.detach().numpy(), bias.detach().numpy())


def _joined(
    batch: Sequence[Features], left_out: float, random: Random
) -> "tuple[torch.Tensor, torch.Tensor, torch.Tensor]":
    """As an embedding bag reads them: all buckets in a row, where each request begins, and the values."""
    import torch

    buckets: list[int] = []
    values: list[float] = []
    offsets = []
    for found in batch:
        offsets.append(len(buckets))
        for bucket, value in zip(*found, strict=True):
            if random.random() >= left_out:
                buckets.append(bucket)
                values.append(value)
    return torch.tensor(buckets, dtype=torch.long), torch.tensor(offsets), torch.tensor(values)
