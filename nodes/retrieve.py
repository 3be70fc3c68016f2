"""Stage 4: the k samples whose plans are nearest (second stage of retrieval in the paper)."""

from dlcodegen.context import Context
from dlcodegen.plan import SolutionPlan
from dlcodegen.state import State, Update


def retrieve(state: State, context: Context) -> Update:
    """Ids of the best samples by BM25 between plans, best first, near-duplicates skipped."""
    from dlcodegen.corpus.retrieval import distinct, rank_by_plan
    from dlcodegen.corpus.sample import all_samples

    pool = all_samples()
    candidates = [pool[name] for name in state["category_samples"]]
    ranked = rank_by_plan(SolutionPlan.from_paper(state["plan"]), state["request"]["facts"], candidates, pool.values())
    best = [item.sample.id for item in distinct(ranked, context.samples)]
    return {"samples": best, "progress": ", ".join(best) or "no sample"}
