"""Stage 10: the next attempt after a failed check; how often is the router's business."""

from dlcodegen.context import Context
from dlcodegen.corpus.pool import open_pool
from dlcodegen.plan import SolutionPlan
from dlcodegen.state import State, Update
from dlcodegen.writers.at_work import stage_writer


def repair(state: State, context: Context) -> Update:
    """The repaired script as the newest candidate."""
    writer, number = stage_writer(state["usage"], context, "repair", "repair"), state["repairs"] + 1
    mended = writer.repair(
        state["request"],
        SolutionPlan.from_paper(state["plan"]),
        state["candidates"],
        open_pool().samples(state["samples"]),
        left=context.repairs - state["repairs"],
    )
    return {
        "candidates": [*state["candidates"], {**mended, "name": f"repair_{number}"}],
        "repairs": number,
        "usage": writer.usage,
        "progress": mended["origin"][-1] if mended["origin"] else f"attempt {number}",
    }
