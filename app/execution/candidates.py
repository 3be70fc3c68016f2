"""Candidates through the ladder."""

from dlcodegen.execution.ladder import check
from dlcodegen.execution.sandbox import Limits
from dlcodegen.plan import SolutionPlan
from dlcodegen.report import Candidate, Fact


def check_candidate(candidate: Candidate, plan: SolutionPlan, facts: list[Fact], seconds: float) -> Candidate:
    """The candidate with its report; one smoke run may take `seconds`."""
    return {**candidate, "report": check(candidate["code"], plan, facts, Limits(wall=seconds))}
