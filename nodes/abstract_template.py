"""Stage 5: samples -> code template (paper, section III-C)."""

from dlcodegen.context import Context
from dlcodegen.corpus.sample import all_samples
from dlcodegen.plan import SolutionPlan
from dlcodegen.state import State, Update
from dlcodegen.writers.choice import writer_for


def abstract_template(state: State, context: Context) -> Update:
    """The samples' shared structure, with named slots."""
    writer, pool = writer_for(context), all_samples()
    samples = [pool[name] for name in state["samples"]]
    template = writer.abstract(SolutionPlan.from_paper(state["plan"]), samples)
    return {"template": template, "usage": writer.usage, "progress": f"{len(template['slots'])} slots"}
