"""The planner that needs no trained model: category and nearest sample by the words, then what is stated."""

from typing import NamedTuple

from dlcodegen.corpus.retrieval import rank_by_words
from dlcodegen.corpus.sample import Sample, all_samples
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

    def predict(self, requirement: str, category: str, confidence: float, facts: list[Fact], framework: str) -> Prediction:
        """A category without samples takes the nearest plan of the whole pool, with half the confidence."""
        pool = list(all_samples().values())
        own = [sample for sample in pool if (sample.category, sample.framework) == (category, framework)]
        nearest = rank_by_words(requirement, facts, own or pool, pool)[0].sample
        plan = with_facts(nearest.plan, facts, nearest).model_copy(update={"category": category})
        return Prediction(plan, confidence if own else confidence / 2)


def unsupported(category: str, framework: str, samples: list[Sample]) -> str:
    """One line that says why there is no sample for this, and what there is."""
    frameworks = sorted({sample.framework for sample in samples if sample.category == category})
    if frameworks:
        return f"the pool has no {framework} sample for {category}: use --framework {frameworks[0]}, or --model PROVIDER:NAME to have a model write it"
    covered = ", ".join(sorted({sample.category for sample in samples}))
    return f"the pool has no sample for {category}: use --model PROVIDER:NAME to have a model write it, or ask for one of: {covered}"
