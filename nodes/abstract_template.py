"""Stage 5: samples -> code template (paper, section III-C)."""

from dlcodegen.context import Context
from dlcodegen.corpus.pool import open_pool
from dlcodegen.plan import SolutionPlan
from dlcodegen.state import State, Update
from dlcodegen.writers.at_work import stage_writer


def abstract_template(state: State, context: Context) -> Update:
    """The samples' shared structure, with named slots."""
    writer = stage_writer(state["usage"], context, "draft", "abstract_template")
    samples = open_pool().samples(state["samples"])
    template = writer.abstract(SolutionPlan.from_paper(state["plan"]), samples)
    return {"template": template, "usage": writer.usage, "progress": f"{len(template['slots'])} slots"}
