"""Stage 6a: Code RAG, a draft after the retrieved samples (paper, section III-C)."""

from dlcodegen.context import Context
from dlcodegen.corpus.pool import open_pool
from dlcodegen.plan import SolutionPlan
from dlcodegen.state import State, Update
from dlcodegen.writers.at_work import stage_writer


def draft_from_code(state: State, context: Context) -> Update:
    """Draft A."""
    writer = stage_writer(state["usage"], context, "draft", "draft_from_code")
    samples = open_pool().samples(state["samples"])
    draft = writer.draft_from_code(state["request"], SolutionPlan.from_paper(state["plan"]), samples)
    return {"draft_from_code": draft, "usage": writer.usage, "progress": f"{draft['code'].count(chr(10))} lines"}
