"""What a finished run hands over: everything that the delivered files and the chat answer are written from."""

import math
from dataclasses import dataclass, field
from typing import Literal

from dlcodegen.corpus.sample import Sample
from dlcodegen.plan import SolutionPlan
from dlcodegen.report import Candidate, CheckReport, Conformance, Usage
from dlcodegen.writers.protocol import Request

ProjectStatus = Literal["passed", "failed", "unchecked", "not_executed", "sandbox_error"]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """One finished run: what was asked for, planned, tried and chosen."""

    request: Request
    plan: SolutionPlan
    chosen: Candidate
    candidates: list[Candidate]
    """All of them, the chosen one included, in the order in which they were written."""
    samples: list[Sample]
    """Retrieved from the pool, best first."""
    writer: str
    model: str
    """As the user named it; `offline` when no chat model took part."""
    planner: str
    confidence: float
    """The planner's own, 0 to 1."""
    notes: list[str] = field(default_factory=list)
    """What the user should know, one sentence each."""
    usage: dict[str, Usage] = field(default_factory=dict)
    """By stage."""

    @property
    def report(self) -> CheckReport | None:
        """The chosen candidate's evidence; None when checking was switched off."""
        return self.chosen["report"]

    @property
    def status(self) -> ProjectStatus:
        """`unchecked` only when checking was switched off: code that could not be executed has not passed."""
        return self.report["status"] if self.report else "unchecked"

    @property
    def conformance(self) -> list[Conformance]:
        return self.report["conformance"] if self.report else []

    @property
    def shortfalls(self) -> list[Conformance]:
        """What was not honoured, contradictions first."""
        missed = [row for row in self.conformance if row["verdict"] != "honoured"]
        return sorted(missed, key=lambda row: row["verdict"] != "contradicted")

    @property
    def metrics(self) -> dict[str, float]:
        """Of the smoke run, the finite ones; empty when there was none."""
        found = self.report["metrics"] if self.report else {}
        return {name: value for name, value in found.items() if math.isfinite(value)}
