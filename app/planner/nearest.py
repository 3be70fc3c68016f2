"""The planner that needs no trained model: category and nearest sample by the words, then what is stated."""

from typing import NamedTuple

from dlcodegen.categories import NEIGHBOURS
from dlcodegen.corpus.pool import shipped_pool
from dlcodegen.corpus.retrieval import rank_by_words
from dlcodegen.corpus.sample import Sample
from dlcodegen.plan import SolutionPlan
from dlcodegen.planner.state_facts import with_facts
from dlcodegen.report import Fact


class Prediction(NamedTuple):
    """A plan, and how sure the planner is of it, from 0 to 1."""

    plan: SolutionPlan
    confidence: float


class NearestPlanner:
    """Copies the plan of the nearest sample of the category and sets what the requirement states."""

    name = "nearest"

    def predict(
        self, requirement: str, category: str, confidence: float, facts: list[Fact], framework: str
    ) -> Prediction:
        """Without samples for category and framework, a plan of the other framework or of a related category serves.

        That halves the confidence.
        """
        pool = shipped_pool()
        samples = list(pool.shipped.values())
        own = [sample for sample in samples if (sample.category, sample.framework) == (category, framework)]
        ids = [sample.id for sample in own or _substitutes(category, samples)]
        nearest = rank_by_words(requirement, facts, ids, pool)[0].sample
        plan = with_facts(nearest.plan, facts, nearest).model_copy(update={"category": category})
        return Prediction(plan, confidence if own else confidence / 2)


def _substitutes(category: str, pool: list[Sample]) -> list[Sample]:
    """Samples of this category in any framework, else of its nearest neighbour that has some, else all."""
    for name in (category, *NEIGHBOURS[category]):
        if found := [sample for sample in pool if sample.category == name]:
            return found
    return pool


def unsupported(category: str, framework: str, samples: list[Sample]) -> str:
    """One line that says why there is no sample for this, and what there is."""
    frameworks = sorted({sample.framework for sample in samples if sample.category == category})
    by_model = "--model PROVIDER:NAME to have a model write it"
    if frameworks:
        return f"the pool has no {framework} sample for {category}: use --framework {frameworks[0]}, or {by_model}"
    covered = ", ".join(sorted({sample.category for sample in samples}))
    return f"the pool has no sample for {category}: use {by_model}, or ask for one of: {covered}"
