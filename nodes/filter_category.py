"""Stage 3: the samples of the plan's category and framework (first stage of retrieval in the paper)."""

from dlcodegen.context import Context
from dlcodegen.state import State, Update


def filter_category(state: State, context: Context) -> Update:
    """Ids of the samples; where the pool has none, only a writer that asks a model can go on."""
    from langchain_core.messages import AIMessage

    from dlcodegen.corpus.pool import open_pool
    from dlcodegen.planner.nearest import unsupported

    pool, framework, by_syntax = open_pool(), state["request"]["framework"], context.writer_in_use == "syntax"
    ids = pool.ids(state["category"], framework, by_contract=by_syntax)
    if not ids and by_syntax:
        problem = unsupported(state["category"], framework, list(pool.shipped.values()))
        return {"status": "needs_input", "messages": [AIMessage(problem)], "progress": "no sample"}
    return {"category_samples": ids, "progress": f"{len(ids)} samples of {state['category']}"}
