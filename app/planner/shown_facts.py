"""Which stated facts stand in a plan: what the user said wins, and none is lost, whatever sample the plan follows."""

import re

from dlcodegen.plan import SolutionPlan
from dlcodegen.report import Fact

VALUES = frozenset({
    "optimizer", "loss", "learning_rate", "batch_size", "epochs", "metric", "num_classes", "image_height",
    "image_width", "window", "horizon", "num_features", "sequence_length", "num_keypoints", "num_outputs",
    "vocab_size", "hidden_size", "embedding_dim", "dropout", "scale_factor", "latent_dim", "split",
})  # fmt: skip
"""Facts whose value a plan must hold; the others (an architecture, a flag) show in its layers, by other names."""


def absent(plan: SolutionPlan, facts: list[Fact]) -> list[Fact]:
    """Stated facts whose value stands nowhere in the plan."""
    words = set(_words(" ".join([plan.input, plan.output, plan.preprocess, *plan.layers, _trained(plan)])))
    return [fact for fact in facts if fact["name"] in VALUES and not set(_words(_shown(fact["value"]))) <= words]


def with_absent(plan: SolutionPlan, facts: list[Fact]) -> SolutionPlan:
    """The plan with every fact that found no place in it at the end of its preprocessing, as it was stated.

    So does a setting that no code of the sample has: whether it was honoured is for the check to say.
    """
    stated = [f"{fact['name'].replace('_', ' ')} {_shown(fact['value'])} as stated" for fact in absent(plan, facts)]
    return plan.model_copy(update={"preprocess": ", ".join(filter(None, [plan.preprocess, *stated]))})


def _trained(plan: SolutionPlan) -> str:
    training = plan.hyperparameters
    return (
        f"{training.optimizer} {training.loss_function} {training.learning_rate:g} {training.batch_size} "
        f"{training.epochs} {training.evaluation_metric}"
    )


def _shown(value: object) -> str:
    """Of several metrics the first: a plan has room for one."""
    if isinstance(value, list):
        value = value[0]
    return f"{value:g}" if isinstance(value, float) else str(value)


def _words(text: str) -> list[str]:
    return re.findall(r"\d+(?:\.\d+)?(?:e-?\d+)?|[a-z]+", re.sub(r"(?<=\d)x(?=\d)", " ", text.lower()))
