"""The ladder: how far a script climbs, cheapest rung first, and what of its plan it honours."""

import time
from collections.abc import Callable

from dlcodegen.errors import NoSandboxError, SandboxError, StoppedError
from dlcodegen.execution import judged_rungs, reading_rungs, running_rungs
from dlcodegen.execution.conformance.table import conformance
from dlcodegen.execution.contract import contract
from dlcodegen.execution.judgement.verdict import Judgement
from dlcodegen.execution.sandbox.tiers import describe
from dlcodegen.execution.script import Conditions, Script
from dlcodegen.plan import SolutionPlan
from dlcodegen.report import CheckReport, CheckStatus, Diagnosis, Fact, Rung

RUNGS: dict[str, Callable[[Script], Diagnosis | str | None]] = {
    "parse": reading_rungs.parse,
    "names": reading_rungs.names,
    "complete": reading_rungs.complete,
    "imports": reading_rungs.importable,
    "contract": contract,
    "build": running_rungs.build,
    "step": running_rungs.step,
    "smoke run": running_rungs.smoke_run,
    "current API": running_rungs.current_api,
    "metrics": running_rungs.metrics,
    "reload": judged_rungs.reload,
    "judgement": judged_rungs.judged,
}
"""Cheapest first. Those from `build` on execute the script, in the sandbox."""


def check(code: str, plan: SolutionPlan | None, facts: list[Fact], conditions: Conditions | None = None) -> CheckReport:
    """Climb until a rung does not hold; compare the script with its plan, when there is one and the code parses.

    Failure of the script is in the report, and so is ours to execute it: `not_executed` where this computer offers no
    sandbox, `sandbox_error` where ours failed, with the reason as the last rung's message. Raises StoppedError when
    `stop_all` stopped it.
    """
    script = Script(code, conditions or Conditions(), plan)
    climbed: list[Rung] = []
    status, error = _climb(script, climbed)
    parses = bool(climbed) and climbed[0]["passed"]
    return {
        "status": status,
        "rungs": climbed,
        "error": error,
        "metrics": script.metrics,
        "untrained": script.judgement.untrained if isinstance(script.judgement, Judgement) else {},
        "conformance": conformance(code, plan, facts, script.seen) if plan and parses else [],
        "lint": script.lint,
        "sandbox": describe(script.tier) if script.executed else {},
        "seconds": sum(rung["seconds"] for rung in climbed),
    }


def _climb(script: Script, climbed: list[Rung]) -> tuple[CheckStatus, Diagnosis | None]:
    """Add the rungs up to the first that does not hold; what became of the climb, and what is wrong there."""
    for name, holds in RUNGS.items():
        started = time.perf_counter()
        try:
            answer = holds(script)
        except StoppedError:
            raise
        except SandboxError as error:
            climbed.append(Rung(name=name, passed=False, seconds=time.perf_counter() - started, message=str(error)))
            return ("not_executed" if isinstance(error, NoSandboxError) else "sandbox_error"), None
        if answer is None:  # the script never got so far
            continue
        seconds = script.seconds.get(name, time.perf_counter() - started)
        if isinstance(answer, str):
            climbed.append(Rung(name=name, passed=True, seconds=seconds, message=answer))
            continue
        message = f"{answer['exception']}: {answer['message']}".replace("\n", " ")
        climbed.append(Rung(name=name, passed=False, seconds=seconds, message=message))
        return "failed", answer
    return "passed", None
