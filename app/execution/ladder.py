"""The ladder: how far a script climbs, cheapest rung first, and what of its plan it honours."""

import time

from dlcodegen.execution.conformance import conformance
from dlcodegen.execution.protection import probe
from dlcodegen.execution.rungs import RUNGS, Script
from dlcodegen.execution.sandbox import Limits
from dlcodegen.plan import SolutionPlan
from dlcodegen.report import CheckReport, Diagnosis, Fact, Rung


def check(code: str, plan: SolutionPlan | None, facts: list[Fact], limits: Limits | None = None) -> CheckReport:
    """Climb until a rung does not hold; compare the script with its plan, when there is one and the code parses.

    Only the smoke run executes the script, in the sandbox. Failure of the script is in the report; raises SandboxError
    when the script could not be executed at all, or when `sandbox.stop_all` stopped it.
    """
    script = Script(code, limits or Limits())
    climbed, error = _climb(script)
    return {
        "status": "failed" if error else "passed",
        "rungs": climbed,
        "error": error,
        "metrics": script.metrics,
        "conformance": conformance(code, plan, facts) if plan and climbed[0]["passed"] else [],
        "lint": script.lint,
        "sandbox": probe() if script.result else {},
        "seconds": sum(rung["seconds"] for rung in climbed),
    }


def _climb(script: Script) -> tuple[list[Rung], Diagnosis | None]:
    """The rungs up to the first that does not hold, and what is wrong there."""
    climbed: list[Rung] = []
    for name, holds in RUNGS.items():
        started = time.perf_counter()
        error = holds(script)
        message = f"{error['exception']}: {error['message']}".replace("\n", " ") if error else ""
        climbed.append(Rung(name=name, passed=not error, seconds=time.perf_counter() - started, message=message))
        if error:
            return climbed, error
    return climbed, None
