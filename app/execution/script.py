"""A script on the ladder, and what is known about it so far."""

import ast
from dataclasses import dataclass, field
from functools import cached_property

from dlcodegen import syntax_tree
from dlcodegen.context import Context
from dlcodegen.execution.judgement.verdict import Judgement
from dlcodegen.execution.sandbox.limits import Limits
from dlcodegen.execution.sandbox.run import RunResult, Tier, run_script
from dlcodegen.execution.sandbox.tiers import choose
from dlcodegen.plan import SolutionPlan
from dlcodegen.report import Diagnosis, Seen

METRICS = "outputs/metrics.json"
SMOKE_ARGUMENTS = ["--smoke", "--out", "outputs"]
WEIGHT_ENDINGS = (".pt", ".pth", ".safetensors", ".h5", ".keras")


@dataclass(frozen=True)
class Conditions:
    """Under which generated code is executed."""

    limits: Limits = field(default_factory=Limits)
    sandbox: str = "auto"
    """Which one (`dlcodegen.execution.sandbox.tiers`)."""
    accept_unsandboxed: bool = False
    """Run it without protection where there is no sandbox."""

    @classmethod
    def of(cls, context: Context) -> "Conditions":
        """Those that a run's settings name."""
        return cls(Limits(wall=context.time_limit), context.sandbox, context.accept_unsandboxed)


@dataclass
class Script:
    """What the rungs work on: each leaves here what it found out, for the report and for the rungs above it."""

    code: str
    conditions: Conditions = field(default_factory=Conditions)
    plan: SolutionPlan | None = None
    lint: int = 0
    """Number of ruff's findings, errors aside."""
    metrics: dict[str, float] = field(default_factory=dict)
    seen: Seen = field(default_factory=Seen)
    judgement: Judgement | Diagnosis | None = None
    """Of what it left; a Diagnosis when the judge could not do its work."""
    seconds: dict[str, float] = field(default_factory=dict)
    """Of rungs that share one run: rung -> its part."""

    @cached_property
    def tree(self) -> ast.Module:
        """Raises what `ast.parse` raises."""
        return syntax_tree.parse(self.code)

    @cached_property
    def tier(self) -> Tier:
        """Raises NoSandboxError when there is none."""
        return choose(self.conditions.sandbox, self.conditions.accept_unsandboxed)

    @cached_property
    def result(self) -> RunResult:
        """Of the smoke run, which is made when it is first asked for. Raises SandboxError."""
        limits = self.conditions.limits
        return run_script(
            self.code,
            SMOKE_ARGUMENTS,
            limits,
            (METRICS, *(f"outputs/*{ending}" for ending in WEIGHT_ENDINGS)),
            tier=self.tier,
            observe=True,
        )

    @property
    def executed(self) -> bool:
        return "result" in vars(self)
