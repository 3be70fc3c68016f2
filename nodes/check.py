"""Stage 9: the newest candidate climbs the ladder."""

from dlcodegen.context import Context
from dlcodegen.execution.candidates import check_candidate
from dlcodegen.plan import SolutionPlan
from dlcodegen.state import State, Update


def check(state: State, context: Context) -> Update:
    """The newest candidate with its report; code that was checked before keeps the report it has."""
    *earlier, newest = state["candidates"]
    known = next((other["report"] for other in earlier if other["code"] == newest["code"]), None)
    if known is not None:
        checked = {**newest, "report": known}
    else:
        plan = SolutionPlan.from_paper(state["plan"])
        checked = {**check_candidate(newest, plan, state["request"]["facts"], context.time_limit)}
    report = checked["report"]
    error = report["error"]
    outcome = report["status"] if error is None else f"{error['rung']}: {error['exception']} {error['message']}"
    return {"candidates": [*earlier, checked], "progress": outcome[:120]}
