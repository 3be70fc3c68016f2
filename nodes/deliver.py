"""Stage 11: the best candidate becomes a project folder, a report and an answer."""

from dlcodegen.context import Context
from dlcodegen.corpus.pool import open_pool
from dlcodegen.delivery.outcome import Outcome
from dlcodegen.plan import SolutionPlan
from dlcodegen.report import best
from dlcodegen.state import State, Update


def deliver(state: State, context: Context) -> Update:
    """Files, report and chat answer. Nothing that runs is thrown away: the best of all candidates is handed over."""
    from langchain_core.messages import AIMessage

    from dlcodegen.delivery.answer import answer
    from dlcodegen.delivery.project import project_files
    from dlcodegen.delivery.report import project_report

    outcome = Outcome(
        request=state["request"],
        plan=SolutionPlan.from_paper(state["plan"]),
        chosen=best(state["candidates"]),
        candidates=state["candidates"],
        samples=open_pool().samples(state["samples"]),
        writer=context.writer_in_use,
        model=context.model,
        planner=state["planner"]["name"],
        confidence=state["planner"]["confidence"],
        notes=state["notes"],
        usage=state["usage"],
    )
    return {
        "status": outcome.status,
        "files": project_files(outcome),
        "report": project_report(outcome),
        "messages": [AIMessage(answer(outcome))],
        "progress": f"{outcome.chosen['name']}: {outcome.status}",
    }
