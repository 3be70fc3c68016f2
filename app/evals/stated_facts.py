"""Do the facts that a requirement states stand in its plan?"""

import re
from collections.abc import Iterator

from dlcodegen.plan import SolutionPlan
from dlcodegen.planner.protocol import Planner, PlanRequest
from dlcodegen.planner.recipe.pairs import pairs
from dlcodegen.planner.stated import read_stated
from dlcodegen.report import Fact

VALUES = frozenset({
    "optimizer", "loss", "learning_rate", "batch_size", "epochs", "metric", "num_classes", "image_height",
    "image_width", "window", "horizon", "num_features", "sequence_length", "num_keypoints", "num_outputs",
    "vocab_size", "hidden_size", "embedding_dim", "dropout", "scale_factor", "latent_dim", "split",
})  # fmt: skip
"""Facts that a plan has a place for, so that their values must be read in it."""


def planned(planner: Planner, phrasings: int, seed: int) -> Iterator[tuple[PlanRequest, SolutionPlan]]:
    """Requests in so many phrasings, with settings stated in them, and their plans; their category is known."""
    for pair in pairs(phrasings, seed, dev=True, no_tasks=0.0):
        category = SolutionPlan.from_text(pair.plan_text).category
        facts = list(read_stated(pair.requirement, pair.dataset, category, pair.framework).facts.values())
        request = PlanRequest(pair.requirement, category, 1.0, pair.framework, pair.dataset, facts)
        yield request, planner.predict(request).plan


def missing(plan: SolutionPlan, facts: list[Fact]) -> list[str]:
    """Names of stated facts whose value stands nowhere in the plan."""
    words = _words(" ".join([plan.input, plan.output, plan.preprocess, *plan.layers, _trained(plan)]))
    return [
        fact["name"]
        for fact in facts
        if fact["name"] in VALUES and not set(_words(_shown(fact["value"]))) <= set(words)
    ]


def _trained(plan: SolutionPlan) -> str:
    training = plan.hyperparameters
    return (
        f"{training.optimizer} {training.loss_function} {training.learning_rate:g} {training.batch_size} "
        f"{training.epochs} {training.evaluation_metric}"
    )


def _shown(value: object) -> str:
    """A list's first item: the plan has room for one metric."""
    if isinstance(value, list):
        value = value[0]
    return f"{value:g}" if isinstance(value, float) else str(value)


def _words(text: str) -> list[str]:
    return re.findall(r"\d+(?:\.\d+)?(?:e-?\d+)?|[a-z]+", re.sub(r"(?<=\d)x(?=\d)", " ", text.lower()))
