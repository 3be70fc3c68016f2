"""What is known when a trained project is judged: the judge's facts, validated, and what follows by counting."""

import math
import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from dlcodegen.execution.diagnosis import clean
from dlcodegen.execution.judgement.outside_score import Score, score
from dlcodegen.plan import SolutionPlan

if TYPE_CHECKING:
    from numpy.typing import NDArray

Problem = tuple[str, str]
"""What it is called, and a plain sentence."""

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

_SCORED_OTHERWISE = {
    "self-supervised-learning",  # features are compared with labels that the model never saw
    "metric-learning",
    "summarization",  # greedy decoding: what stands after the end of a sentence is arbitrary
    "translation",
    "image-to-text",
    "automatic-speech-recognition",
    "object-detection",
    "reinforcement-learning",
    "unconditional-image-generation",
}
_SMOOTH = re.compile(
    r"loss|mae|mse|rmse|s?mape|perplexity|entropy|nll|kl|psnr|ssim|r2|elbo|rel|wasserstein|fid|brier|distance"
)
_HARD = re.compile(r"map|bleu|rouge|pck|match")
_OF_TRAINING = re.compile(r"train|val|best|time|second|epoch")


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
    """What predict() gave main(): the first call's shapes, and what is true of all calls."""

    kind: str = Field(max_length=200)
    """`array`, or the name of the class."""
    given: Shape = []
    """Shape of the first array that it was given."""
    shape: Shape = []
    dtype: str = Field("", max_length=40)
    finite: bool = True
    rows: Count = 0
    distinct: Count = 0
    """Number of different rows."""
    repeatable: bool | None = None
    """Whether it gave the same when it was asked again."""


class Facts(BaseModel):
    """facts.json, as `judge.py` writes it."""

    model_config = ConfigDict(extra="ignore")

    weights: str = Field("", max_length=4000)
    """Why they cannot be loaded."""
    not_applicable: str = Field("", max_length=4000)
    untrained_main: str = Field("", max_length=4000)
    """That main() never calls train()."""
    shortened: bool = False
    """train() ran for one epoch before the weights were loaded: what it returned is not that of the first run."""
    unused_evaluate: bool = False
    """There is an evaluate() which main() does not call after training."""
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
    test_validated: tuple[Share, Share] | None = None
    """The same of the test examples among the validation examples."""
    same_data: bool | None = None
    """Whether load_data() gives the same each time."""


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
        return {} if self.of_training else self.facts.untrained or {}

    @property
    def of_training(self) -> bool:
        """The metrics may come from train() itself, where no other weights can be put in: they tell nothing."""
        return self.facts.shortened and not self.facts.evaluated

    @cached_property
    def score(self) -> Score | None:
        """Of the saved weights on the test split, counted by ourselves."""
        return self._score("")

    @cached_property
    def untrained_score(self) -> Score | None:
        return self._score("untrained_")

    def _score(self, prefix: str) -> Score | None:
        outputs, targets = (self.arrays.get(f"{prefix}{name}") for name in ("outputs", "targets"))
        return score(outputs, targets) if outputs is not None and targets is not None else None

    @property
    def counts(self) -> bool:
        """Whether our score is what the task is about, as far as the plan tells."""
        return self.plan is None or self.plan.category not in _SCORED_OTHERWISE

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
    def diverged(self) -> bool:
        """Whether the training loss doubled, or rose to twice the cross-entropy of untrained weights.

        Less can happen in a few steps of one epoch, which is all that smoke mode may have.
        """
        if self.losses is None:
            return False
        first, last = self.losses
        start = self.untrained_score
        return last > first + abs(first) or (
            self.counts and start is not None and start.one_of_many and last > max(first, 2 * start.loss)
        )

    def is_evaluated(self, name: str) -> bool:
        """Whether a metric comes from evaluate(): by its name, or by its value when main() renamed it.

        Others may speak of the training that is not repeated: seconds, epochs, the best validation loss. Where
        evaluate() tells nothing, those are known by their names.
        """
        told = [value for metrics in self.facts.evaluated for value in metrics.values()]
        if any(name in metrics for metrics in self.facts.evaluated):
            return True
        if told:
            return any(math.isclose(self.trained.get(name, math.nan), value, rel_tol=1e-9) for value in told)
        return direction(name) != 0 and not self.of_training and not _OF_TRAINING.search(name.lower())


def direction(name: str) -> int:
    """1 where more is better, -1 where less is, 0 when the name does not tell."""
    return -1 if _has(_LOWER_IS_BETTER, name) else 1 if _has(_HIGHER_IS_BETTER, name) else 0


def is_smooth(name: str) -> bool:
    """Whether the metric changes with every change of the outputs, unlike one that counts right answers."""
    return _has(_SMOOTH, name) and "hamming" not in name.lower()


def is_hard(name: str) -> bool:
    """Whether an untrained model has no chance of a high value."""
    return _has(_HARD, name)


def _has(pattern: re.Pattern[str], name: str) -> bool:
    return any(map(pattern.fullmatch, re.split(r"[^a-z0-9]+", name.lower())))
