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
    from dlcodegen.planner.nearest import NearestPlanner
    from dlcodegen.planner.request import read_requirement

    read = read_requirement(requirement, dataset, "", framework)
    planner = NearestPlanner()
    predicted = planner.predict(requirement, read.category, read.confidence, read.facts, read.framework)
    return PlannedRequest(predicted.plan, read.facts, read.notes, predicted.confidence, planner.name)
