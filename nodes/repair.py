"""Stage 10: the next attempt after a failed check; how often is the router's business."""

from dlcodegen.context import Context
from dlcodegen.plan import SolutionPlan
from dlcodegen.state import State, Update
from dlcodegen.writers.choice import writer_for


def repair(state: State, context: Context) -> Update:
    """The repaired script as the newest candidate."""
    writer, number = writer_for(context), state["repairs"] + 1
    *drafts, failed = state["candidates"]
    mended = writer.repair(state["request"], SolutionPlan.from_paper(state["plan"]), failed, drafts)
    return {
        "candidates": [*state["candidates"], {**mended, "name": f"repair_{number}"}],
        "repairs": number,
        "usage": writer.usage,
        "progress": mended["origin"][0] if mended["origin"] else f"attempt {number}",
    }
