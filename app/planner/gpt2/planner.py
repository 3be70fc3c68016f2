"""The planner that ships: a small GPT-2 predicts the plan, the sample nearest to it grounds it, stated facts win."""

from copy import copy
from functools import cache
from pathlib import Path

from dlcodegen import categories
from dlcodegen.categories import CATEGORIES
from dlcodegen.corpus.pool import shipped_pool
from dlcodegen.corpus.retrieval import Ranked, rank_by_plan, rank_by_words
from dlcodegen.corpus.sample import Sample
from dlcodegen.plan import SolutionPlan
from dlcodegen.planner.classifier.classifier import task_classifier
from dlcodegen.planner.gpt2.decoding import Decoder, Settings
from dlcodegen.planner.gpt2.memory import Memory
from dlcodegen.planner.gpt2.weights import SHIPPED, load
from dlcodegen.planner.grounding import fitting
from dlcodegen.planner.protocol import PlanRequest, Prediction
from dlcodegen.planner.state_facts import with_facts

_NETWORK = 0.3
"""The say of the network's plan in the choice of the sample, against 1 for the words (tuning sentences)."""
_NETWORK_ON_TASKS = 0.3
"""The say of the network in which task it is, against 1 for the classifier: fitted to requests that neither knew."""
_DOUBT = 1e-4
"""How likely a task is at the least that one of them has never heard of."""


class GPT2Planner:
    """Predicts with the weights of one folder; the shipped task classifier has a say in what the task is.

    Raises InputError when either cannot be used.
    """

    name = "gpt2"

    def __init__(self, folder: Path = SHIPPED, settings: Settings | None = None) -> None:
        self._decoder = Decoder(load(folder), Memory.load(folder), settings)
        self._classifier = task_classifier()

    def decoding(self, settings: Settings) -> "GPT2Planner":
        """One with the same weights that decodes otherwise."""
        other = copy(self)
        other._decoder = self._decoder.decoding(settings)
        return other

    def category_odds(self, requirement: str, dataset: str) -> dict[str, float]:
        """How likely each canonical category is by network and task classifier together; they sum to 1."""
        return _together(self.network_odds(requirement, dataset), self._classifier.odds(requirement, dataset))

    def network_odds(self, requirement: str, dataset: str) -> dict[str, float]:
        """By the network alone."""
        odds = dict.fromkeys(CATEGORIES, 0.0)
        for spelt, share in self._decoder.category_odds(requirement, dataset).items():
            odds[categories.nearest(spelt)] += share
        return odds

    def predict(self, request: PlanRequest) -> Prediction:
        """The plan of the sample that the network's plan and the requirement's words together point to.

        A network may write a number that nobody stated; the sample's numbers are those of code that runs. Where the
        pool has nothing for category and framework, a related sample grounds the plan, and the confidence is halved.
        """
        pool = shipped_pool()
        ids, own = fitting(request.category, request.framework, pool)
        by_words = rank_by_words(request.requirement, request.facts, ids, pool)
        by_plan = rank_by_plan(self.raw(request), request.facts, ids, pool)
        sample = _best(by_words, by_plan)
        plan = with_facts(sample.plan, request.facts, sample).model_copy(update={"category": request.category})
        return Prediction(plan, request.confidence if own else request.confidence / 2, self.name)

    def raw(self, request: PlanRequest) -> SolutionPlan:
        """The plan as the network says it, for the category of the request; nothing stated is set in it."""
        known = {"category": categories.title(request.category)}
        decoded = self._decoder.decode(request.requirement, request.dataset, request.framework, known)
        return SolutionPlan.from_paper(decoded.to_paper())


def _together(network: dict[str, float], classifier: dict[str, float]) -> dict[str, float]:
    """A product of their odds: what one of them rules out the other hardly saves."""
    odds = {
        name: (share + _DOUBT) ** _NETWORK_ON_TASKS * (classifier.get(name, 0.0) + _DOUBT)
        for name, share in network.items()
    }
    total = sum(odds.values())
    return {name: share / total for name, share in odds.items()}


def _best(by_words: list[Ranked], by_plan: list[Ranked]) -> Sample:
    """The sample that is nearest by both, each measured by its own best; what lacks a stated shape comes last."""
    most_words, most_plan = (max(1e-9, *(item.score for item in ranked)) for ranked in (by_words, by_plan))
    by_network = {item.sample.id: item.score / most_plan for item in by_plan}

    def order(item: Ranked) -> tuple[int, float, str]:
        say = item.score / most_words + _NETWORK * by_network[item.sample.id]
        return item.unfit, -say, item.sample.id

    return min(by_words, key=order).sample


@cache
def shipped_planner() -> GPT2Planner:
    """The one of the package, loaded once."""
    return GPT2Planner()
