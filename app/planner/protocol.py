"""What a planner does. The `plan` node calls the one that the context names; it never knows which one it is."""

from dataclasses import dataclass, field
from typing import Protocol

from dlcodegen.plan import SolutionPlan
from dlcodegen.report import Fact, Usage


@dataclass(frozen=True)
class PlanRequest:
    """What is to be planned, as `read_requirement` understood it."""

    requirement: str
    category: str
    """Canonical name."""
    confidence: float
    """How clear the category is, from 0 to 1."""
    framework: str
    """`pytorch` or `keras`."""
    dataset: str = ""
    """Attributes of the dataset in words; may be empty."""
    facts: list[Fact] = field(default_factory=list)
    """What the requirement states; it wins over anything predicted."""


@dataclass(frozen=True)
class Prediction:
    """A plan, and how sure its planner is of it."""

    plan: SolutionPlan
    confidence: float
    """Estimated probability, from 0 to 1, that the task category is right."""
    planner: str
    """Name of the planner whose plan this is: another one's where the planner asked had to give way."""
    notes: list[str] = field(default_factory=list)
    """What the user should hear, such as why a planner gave way."""
    usage: Usage = field(default_factory=dict)
    """What asking a chat model cost: `calls`, `input_tokens`, `output_tokens`; empty without one."""


class Planner(Protocol):
    """Requirement -> solution plan."""

    name: str

    def predict(self, request: PlanRequest) -> Prediction:
        """A complete plan that holds every stated fact."""
