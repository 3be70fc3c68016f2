"""Stage 9: the newest candidate climbs the ladder."""

from dlcodegen.context import Context
from dlcodegen.execution.ladder import check as climb
from dlcodegen.execution.script import Conditions
from dlcodegen.plan import SolutionPlan
from dlcodegen.state import State, Update


def check(state: State, context: Context) -> Update:
    """The newest candidate with its report; what was checked before keeps the report it has."""
    *earlier, newest = state["candidates"]
    report = newest["report"] or next((other["report"] for other in earlier if other["code"] == newest["code"]), None)
    if report is None:
        plan = SolutionPlan.from_paper(state["plan"])
        report = climb(newest["code"], plan, state["request"]["facts"], Conditions.of(context))
    error = report["error"]
    outcome = f"{error['rung']}: {error['exception']} {error['message']}" if error else report["status"]
    return {"candidates": [*earlier, {**newest, "report": report}], "progress": outcome[:120]}
