"""Stage 7: a CheckReport for each draft, made side by side: the evidence that the merge decides on."""

from concurrent.futures import ThreadPoolExecutor

from dlcodegen.context import Context
from dlcodegen.execution.candidates import check_candidate
from dlcodegen.plan import SolutionPlan
from dlcodegen.state import State, Update


def check_drafts(state: State, context: Context) -> Update:
    """Both drafts with their reports, as the first candidates; without reports when checking is switched off."""
    drafts = [state["draft_from_code"], state["draft_from_template"]]
    if not context.check:
        return {"candidates": drafts, "progress": "switched off"}
    plan, facts = SolutionPlan.from_paper(state["plan"]), state["request"]["facts"]
    with ThreadPoolExecutor(max_workers=len(drafts)) as pool:
        checked = list(pool.map(lambda draft: check_candidate(draft, plan, facts, context.time_limit), drafts))
    verdicts = ", ".join(f"{draft['name']} {draft['report']['status']}" for draft in checked if draft["report"])
    return {"candidates": checked, "progress": verdicts}
