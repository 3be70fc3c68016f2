"""What is known when a trained project is judged: the judge's facts, validated, and what follows by counting."""

import math
import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from dlcodegen.execution.diagnosis import clean
from dlcodegen.execution.outside_score import Score, score
from dlcodegen.plan import SolutionPlan

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MOST_METRICS = 200
_LOWER_IS_BETTER = re.compile(
    r"loss|mae|mse|rmse|s?mape|perplexity|wer|cer|fid|errors?|distance|wasserstein|entropy|nll|kl|rel|brier|ece|bce"
    r"|divergence"
)
_HIGHER_IS_BETTER = re.compile(
    r"acc|accuracy|dice|m?iou|jaccard|f1|precision|recall|specificity|sensitivity|auc|auroc|auprc|roc|m?ap|r2|psnr|ssim"
    r"|bleu|rouge|meteor|cider|pck|match|success|return|reward|elbo|kappa|mcc|correlation|pearson|spearman|hits?|ndcg"
    r"|mrr|nmi|ari|score|delta|variance"
)


def _numbers(value: Any) -> dict[str, float]:
    """The finite numbers of a dictionary of metrics."""
    if not isinstance(value, dict):
        raise ValueError("metrics are no object")
    kept = {str(name): entry for name, entry in list(value.items())[:_MOST_METRICS] if _is_finite(entry)}
    return {clean(name, 60): float(entry) for name, entry in kept.items()}


def _is_finite(value: Any) -> bool:
    try:
        return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    except OverflowError:  # an integer larger than any float
        return False


Metrics = Annotated[dict[str, float], BeforeValidator(_numbers)]
Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0, le=1 << 40)]
Shape = Annotated[list[Count], Field(max_length=10)]


class Prediction(BaseModel):
    """What predict() gave when main() first called it; `finite` speaks of all calls."""

    kind: str = Field(max_length=200)
    """`array`, or the name of the class."""
    shape: Shape
    dtype: str = Field(max_length=40)
    finite: bool


class Facts(BaseModel):
    """facts.json, as `judge.py` writes it."""

    model_config = ConfigDict(extra="ignore")

    weights: str = Field("", max_length=4000)
    """Why they cannot be loaded."""
    not_applicable: str = Field("", max_length=4000)
    unchanged: tuple[Count, Count] = (0, 0)
    """Parameters that have their initial value, and all."""
    tensors: Count = 0
    predict: Prediction | None = None
    fresh_predict: Prediction | None = None
    train_mode: list[Annotated[str, Field(max_length=200)]] = Field([], max_length=100)
    evaluated: list[Metrics] = Field([], max_length=5)
    """What evaluate() returned, call by call, with the saved weights."""
    trained: list[Metrics] = Field([], max_length=5)
    """What main() reported with the saved weights, each time with other random numbers."""
    untrained: Metrics | None = None
    fresh: Metrics | None = None
    """With the saved weights, on the data of another seed."""
    leak: tuple[Share, Share] | None = None
    """Share of test examples among the training examples, and share of repetitions within those."""
    validation_leak: tuple[Share, Share] | None = None
    probe: str = Field("", max_length=4000)
    """Why there are no raw outputs."""
    whole: bool = False
    """The raw outputs are those of the whole test split."""
    inputs: Shape = []
    outputs: Shape = []
    alone: tuple[Count, Count] | None = None
    """Examples whose output changes when they are alone, and how many were tried."""
    same_data: bool | None = None


@dataclass
class Evidence:
    """Facts, raw outputs, and what the first run said of itself."""

    facts: Facts
    arrays: "dict[str, NDArray[Any]]"
    claimed: dict[str, float]
    """metrics.json of the first run."""
    plan: SolutionPlan | None
    losses: tuple[float, float] | None
    """Training loss at the beginning and at the end."""

    @cached_property
    def trained(self) -> dict[str, float]:
        return self.facts.trained[0] if self.facts.trained else {}

    @cached_property
    def untrained(self) -> dict[str, float]:
        return self.facts.untrained or {}

    @cached_property
    def score(self) -> Score | None:
        """Of the saved weights on the test split, counted by ourselves."""
        return self._score("outputs")

    @cached_property
    def untrained_score(self) -> Score | None:
        return self._score("untrained_outputs")

    def _score(self, name: str) -> Score | None:
        found = "targets" in self.arrays and name in self.arrays
        return score(self.arrays[name], self.arrays["targets"]) if found else None

    @cached_property
    def improved(self) -> bool | None:
        """Whether anything got better by training; None when there is nothing to compare."""
        pairs = [
            (direction(name) * value, direction(name) * self.untrained[name])
            for name, value in self.trained.items()
            if name in self.untrained and direction(name)
        ]
        if self.score and self.untrained_score:
            pairs.append((-self.score.loss, -self.untrained_score.loss))
        return any(after > before for after, before in pairs) if pairs else None

    @cached_property
    def loss_fell(self) -> bool | None:
        """Whether the training loss clearly fell; None when none was seen."""
        if self.losses is None:
            return None
        first, last = self.losses
        return first - last > 0.02 * abs(first)

    def spread(self, name: str) -> float:
        """How far a metric scatters when the same weights are judged again."""
        values = [metrics[name] for metrics in self.facts.trained if name in metrics]
        return max(values) - min(values) if values else 0.0


def direction(name: str) -> int:
    """1 where more is better, -1 where less is, 0 when the name does not tell."""
    words = re.split(r"[^a-z0-9]+", name.lower())
    if any(map(_LOWER_IS_BETTER.fullmatch, words)):
        return -1
    return 1 if any(map(_HIGHER_IS_BETTER.fullmatch, words)) else 0
