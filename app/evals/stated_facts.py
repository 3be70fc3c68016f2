"""Do the facts that a requirement states stand in its plan?"""

from collections.abc import Iterator

from dlcodegen.plan import SolutionPlan
from dlcodegen.planner.protocol import Planner, PlanRequest
from dlcodegen.planner.recipe.pairs import pairs
from dlcodegen.planner.stated import read_stated


def planned(planner: Planner, phrasings: int, seed: int) -> Iterator[tuple[PlanRequest, SolutionPlan]]:
    """Requests in so many phrasings, with settings stated in them, and their plans; their category is known."""
    for pair in pairs(phrasings, seed, dev=True, no_tasks=0.0):
        category = SolutionPlan.from_text(pair.plan_text).category
        facts = list(read_stated(pair.requirement, pair.dataset, category, pair.framework).facts.values())
        request = PlanRequest(pair.requirement, category, 1.0, pair.framework, pair.dataset, facts)
        yield request, planner.predict(request).plan
