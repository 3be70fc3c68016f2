"""Stage 6b: Template RAG, a draft that fills the template (paper, section III-C)."""

from dlcodegen.context import Context
from dlcodegen.plan import SolutionPlan
from dlcodegen.state import State, Update
from dlcodegen.writers.at_work import stage_writer


def draft_from_template(state: State, context: Context) -> Update:
    """Draft B."""
    writer = stage_writer(state["usage"], context, "draft", "draft_from_template")
    plan = SolutionPlan.from_paper(state["plan"])
    draft = writer.draft_from_template(state["request"], plan, state["template"])
    return {"draft_from_template": draft, "usage": writer.usage, "progress": f"{draft['code'].count(chr(10))} lines"}
