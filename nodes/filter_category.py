"""Stage 3: the samples of the plan's category and framework (first stage of retrieval in the paper)."""

from dlcodegen.context import Context
from dlcodegen.state import State, Update


def filter_category(state: State, context: Context) -> Update:
    """Ids of the samples; where the pool has none, only a writer that asks a model can go on."""
    from langchain_core.messages import AIMessage

    from dlcodegen.corpus.pool import Usable, open_pool
    from dlcodegen.planner.nearest import unsupported

    pool = open_pool()
    usable = Usable(state["request"]["framework"], only_by_contract=context.only_by_contract)
    ids = pool.ids(state["category"], usable)
    if not ids and usable.only_by_contract:
        problem = unsupported(state["category"], usable.framework, list(pool.shipped.values()))
        return {"status": "needs_input", "messages": [AIMessage(problem)], "progress": "no sample"}
    return {"category_samples": ids, "progress": f"{len(ids)} samples of {state['category']}"}
