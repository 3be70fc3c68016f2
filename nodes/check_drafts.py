"""Stage 7: a CheckReport for each draft, made side by side: the evidence that the merge decides on."""

from concurrent.futures import ThreadPoolExecutor

from dlcodegen.context import Context
from dlcodegen.execution.ladder import check as climb
from dlcodegen.execution.script import Conditions
from dlcodegen.plan import SolutionPlan
from dlcodegen.state import State, Update


def check_drafts(state: State, context: Context) -> Update:
    """The drafts with their reports, as the first candidates; without reports when checking is switched off."""
    drafts = [draft for draft in (state["draft_from_code"], state["draft_from_template"]) if draft is not None]
    if not context.check:
        return {"candidates": drafts, "progress": "switched off"}
    plan, facts = SolutionPlan.from_paper(state["plan"]), state["request"]["facts"]
    conditions = Conditions.of(context)
    with ThreadPoolExecutor(max_workers=len(drafts)) as pool:
        reports = list(pool.map(lambda draft: draft["report"] or climb(draft["code"], plan, facts, conditions), drafts))
    verdicts = ", ".join(f"{draft['name']} {report['status']}" for draft, report in zip(drafts, reports, strict=True))
    checked = [{**draft, "report": report} for draft, report in zip(drafts, reports, strict=True)]
    return {"candidates": checked, "progress": verdicts}
