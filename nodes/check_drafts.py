"""Stage 7: a CheckReport for each draft, made side by side: the evidence that the merge decides on."""

from concurrent.futures import ThreadPoolExecutor

from dlcodegen.context import Context
from dlcodegen.execution.ladder import check as climb
from dlcodegen.execution.script import Conditions
from dlcodegen.plan import SolutionPlan
from dlcodegen.report import Candidate
from dlcodegen.state import State, Update
from dlcodegen.writers.lighter_trial import lighter


def check_drafts(state: State, context: Context) -> Update:
    """The drafts with their reports, as the first candidates; without reports when checking is switched off.

    One whose trial took too much gets a second chance with a smaller one: it may be what was asked for.
    """
    drafts = [draft for draft in (state["draft_from_code"], state["draft_from_template"]) if draft is not None]
    if not context.check:
        return {"candidates": drafts, "progress": "switched off"}
    plan, facts = SolutionPlan.from_paper(state["plan"]), state["request"]["facts"]
    conditions = Conditions.of(context)

    def climbed(draft: Candidate) -> Candidate:
        report = draft["report"] or climb(draft["code"], plan, facts, conditions)
        return {**draft, "report": report}

    def checked(draft: Candidate) -> Candidate:
        first = climbed(draft)
        smaller = lighter(first) if context.repairs and context.method != "no-repair" else None
        return climbed(smaller) if smaller else first

    with ThreadPoolExecutor(max_workers=len(drafts)) as pool:
        candidates = list(pool.map(checked, drafts))
    verdicts = ", ".join(f"{one['name']} {one['report']['status']}" for one in candidates if one["report"])
    return {"candidates": candidates, "progress": verdicts}
