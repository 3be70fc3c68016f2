"""The planner that ships: a small GPT-2 predicts the plan, the sample nearest to it grounds it, stated facts win."""

from functools import cache
from pathlib import Path

from dlcodegen import categories
from dlcodegen.categories import CATEGORIES
from dlcodegen.corpus.pool import shipped_pool
from dlcodegen.corpus.retrieval import rank_by_plan
from dlcodegen.plan import SolutionPlan
from dlcodegen.planner.gpt2.decoding import Decoder, Settings
from dlcodegen.planner.gpt2.memory import Memory
from dlcodegen.planner.gpt2.weights import SHIPPED, load
from dlcodegen.planner.grounding import samples_of, substitutes
from dlcodegen.planner.protocol import PlanRequest, Prediction
from dlcodegen.planner.state_facts import with_facts


class GPT2Planner:
    """Predicts with the weights of one folder. Raises InputError when they cannot be used."""

    name = "gpt2"

    def __init__(self, folder: Path = SHIPPED, settings: Settings | None = None) -> None:
        self._decoder = Decoder(load(folder), Memory.load(folder), settings)

    def category_odds(self, requirement: str, dataset: str) -> dict[str, float]:
        """How likely each canonical category is, by the words alone; they sum to 1."""
        odds = dict.fromkeys(CATEGORIES, 0.0)
        for spelt, share in self._decoder.category_odds(requirement, dataset).items():
            odds[categories.nearest(spelt)] += share
        return odds

    def predict(self, request: PlanRequest) -> Prediction:
        """The predicted plan, with layers and texts of the sample that is nearest to it.

        A network may write a number that nobody stated; the sample's numbers are those of code that runs. Where the
        pool has nothing for category and framework, a related sample grounds the plan, and the confidence is halved.
        """
        predicted = self.raw(request)
        pool = shipped_pool()
        own = samples_of(request.category, request.framework, pool)
        ids = [sample.id for sample in own or substitutes(request.category, pool)]
        sample = rank_by_plan(predicted, request.facts, ids, pool)[0].sample
        # What trains this sample well is known; the network has a say where the sample is of another task.
        plan = with_facts(sample.plan, request.facts, sample).model_copy(update={"category": request.category})
        return Prediction(plan, request.confidence if own else request.confidence / 2, self.name)

    def raw(self, request: PlanRequest) -> SolutionPlan:
        """The plan as the network says it, for the category of the request; nothing stated is set in it."""
        known = {"category": categories.title(request.category)}
        decoded = self._decoder.decode(request.requirement, request.dataset, request.framework, known)
        return SolutionPlan.from_paper(decoded.to_paper())


@cache
def shipped_planner() -> GPT2Planner:
    """The one of the package, loaded once."""
    return GPT2Planner()
