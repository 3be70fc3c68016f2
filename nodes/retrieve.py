"""Stage 4: the k samples whose plans are nearest (second stage of retrieval in the paper)."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from dlcodegen.context import Context
from dlcodegen.plan import SolutionPlan
from dlcodegen.state import State, Update

if TYPE_CHECKING:
    from dlcodegen.corpus.pool import Pool


def retrieve(state: State, context: Context) -> Update:
    """Ids of the best samples by BM25 between plans, best first; neighbouring categories fill up.

    CEDAR, which has no plan, is given those whose words are most like the requirement's.
    """
    from dlcodegen.corpus.pool import Usable, open_pool
    from dlcodegen.corpus.retrieval import Search, demonstrations

    request, pool = state["request"], open_pool()
    usable = Usable(request["framework"], only_by_contract=context.only_by_contract)
    if context.method == "cedar":
        found = demonstrations(request["requirement"], usable, pool, context.samples)
    else:
        second = _second_opinion(request["requirement"], pool, context)
        search = Search(SolutionPlan.from_paper(state["plan"]), request["facts"], usable, pool, second)
        found = search.best(state["category_samples"], context.samples)
    best = [sample.id for sample in found]
    return {"samples": best, "progress": ", ".join(best) or "no sample"}


def _second_opinion(requirement: str, pool: "Pool", context: Context) -> "Callable[[Sequence[str]], list[str]] | None":
    """That of the embedding model, if the user named one."""
    if not context.embeddings:
        return None
    from dlcodegen.corpus.dense import DenseOpinion
    from dlcodegen.models.embeddings import embedder

    opinion = DenseOpinion(context.embeddings, embedder(context.embeddings, context.embeddings_url))
    return lambda ids: opinion.order(requirement, ids, pool)
