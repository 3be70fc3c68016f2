"""Stage 4: the k samples whose plans are nearest (second stage of retrieval in the paper)."""

from dlcodegen.context import Context
from dlcodegen.plan import SolutionPlan
from dlcodegen.state import State, Update


def retrieve(state: State, context: Context) -> Update:
    """Ids of the best samples by BM25 between plans, best first, near-duplicates skipped."""
    from dlcodegen.corpus.pool import open_pool
    from dlcodegen.corpus.retrieval import distinct, rank_by_plan

    plan, facts = SolutionPlan.from_paper(state["plan"]), state["request"]["facts"]
    ranked = rank_by_plan(plan, facts, state["category_samples"], open_pool())
    best = [item.sample.id for item in distinct(ranked, context.samples)]
    return {"samples": best, "progress": ", ".join(best) or "no sample"}
