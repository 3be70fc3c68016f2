"""Requirement -> SolutionPlan."""

from typing import NamedTuple

from dlcodegen.context import Context
from dlcodegen.plan import SolutionPlan
from dlcodegen.report import Fact


class PlannedRequest(NamedTuple):
    """A requirement with its plan."""

    plan: SolutionPlan
    facts: list[Fact]
    notes: list[str]
    confidence: float
    planner: str


def make_plan(requirement: str, dataset: str, framework: str, context: Context) -> PlannedRequest:
    """Read the requirement and plan it, without building anything. Raises InputError for bad input."""
    from dlcodegen.planner.choice import choose, predict
    from dlcodegen.planner.protocol import PlanRequest
    from dlcodegen.planner.request import check_request, read_requirement

    check_request(requirement, dataset, framework=framework)
    chosen = choose(context)
    read = read_requirement(requirement, dataset, "", framework, chosen.opinion)
    request = PlanRequest(requirement, read.category, read.confidence, read.framework, dataset, read.facts)
    predicted = predict(request, context)
    notes = [*chosen.notes, *read.notes, *predicted.notes]
    return PlannedRequest(predicted.plan, read.facts, notes, predicted.confidence, predicted.planner)
