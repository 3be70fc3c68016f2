"""Training the task classifier: minutes on one core, always from nothing."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from dlcodegen.categories import nearest
from dlcodegen.errors import InputError
from dlcodegen.planner.gpt2.rows import PlanRow
from dlcodegen.planner.task_classifier.classifier import TaskClassifier
from dlcodegen.planner.task_classifier.features import BUCKETS, Features, features

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


def train(
    rows: Sequence[PlanRow], schooling: Schooling = Schooling(), report: Report = lambda *_: None
) -> TaskClassifier:
    """Learn the category of each row from its requirement and dataset. Raises InputError without two categories."""
    import torch

    told = [row for row in rows if "category" in row.values]
    seen = [(features(row.requirement, row.dataset), nearest(row.values["category"])) for row in told]
    names = sorted({name for _, name in seen})
    if len(names) < 2:
        raise InputError("a classifier needs rows of two categories or more: give others with --train")
    random = Random(schooling.seed)
    weights = torch.nn.EmbeddingBag(BUCKETS, len(names), mode="sum")
    torch.nn.init.zeros_(weights.weight)
    bias = torch.zeros(len(names), requires_grad=True)
    optimizer = torch.optim.Adagrad([weights.weight, bias], lr=schooling.learning_rate)
    starts = range(0, len(seen), schooling.batch)
    for epoch in range(schooling.epochs):
        random.shuffle(seen)
        for done, start in enumerate(starts, epoch * len(starts) + 1):
            batch = seen[start : start + schooling.batch]
            buckets, offsets, values = _joined([found for found, _ in batch], schooling.left_out, random)
            wanted = torch.tensor([names.index(name) for _, name in batch])
            scores = weights(buckets, offsets, per_sample_weights=values) + bias
            loss = torch.nn.functional.cross_entropy(scores, wanted, label_smoothing=schooling.doubt)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            report(done, schooling.epochs * len(starts))
    return TaskClassifier(names, weights.weight.detach().numpy(), bias.detach().numpy())


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
