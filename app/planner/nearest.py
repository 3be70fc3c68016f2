"""The planner that needs no trained model: category and nearest sample by the words, then what is stated."""

from dlcodegen.corpus.pool import shipped_pool
from dlcodegen.corpus.retrieval import rank_by_words
from dlcodegen.corpus.sample import Sample
from dlcodegen.planner.grounding import fitting
from dlcodegen.planner.protocol import PlanRequest, Prediction
from dlcodegen.planner.state_facts import with_facts


class NearestPlanner:
    """Copies the plan of the nearest sample of the category and sets what the requirement states."""

    name = "nearest"

    def predict(self, request: PlanRequest) -> Prediction:
        """Without samples for category and framework, a plan of the other framework or of a related category serves.

        That halves the confidence.
        """
        pool = shipped_pool()
        ids, own = fitting(request.category, request.framework, pool)
        nearest = rank_by_words(request.requirement, request.facts, ids, pool)[0].sample
        plan = with_facts(nearest.plan, request.facts, nearest).model_copy(update={"category": request.category})
        return Prediction(plan, request.confidence if own else request.confidence / 2, self.name)


def unsupported(category: str, framework: str, samples: list[Sample]) -> str:
    """One line that says why there is no sample for this, and what there is."""
    frameworks = sorted({sample.framework for sample in samples if sample.category == category})
    by_model = "--model PROVIDER:NAME to have a model write it"
    if frameworks:
        return f"the pool has no {framework} sample for {category}: use --framework {frameworks[0]}, or {by_model}"
    covered = ", ".join(sorted({sample.category for sample in samples}))
    return f"the pool has no sample for {category}: use {by_model}, or ask for one of: {covered}"
