"""Stage 4: the k samples whose plans are nearest (second stage of retrieval in the paper)."""

from dlcodegen.context import Context
from dlcodegen.plan import SolutionPlan
from dlcodegen.state import State, Update


def retrieve(state: State, context: Context) -> Update:
    """Ids of the best samples by BM25 between plans, best first; neighbouring categories fill up."""
    from dlcodegen.corpus.pool import Usable, open_pool
    from dlcodegen.corpus.retrieval import retrieve as nearest

    plan, request = SolutionPlan.from_paper(state["plan"]), state["request"]
    usable = Usable(request["framework"], only_by_contract=context.writer_in_use == "syntax")
    found = nearest(plan, request["facts"], state["category_samples"], context.samples, usable, open_pool())
    best = [item.sample.id for item in found]
    return {"samples": best, "progress": ", ".join(best) or "no sample"}
