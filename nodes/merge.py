"""Stage 8: comparative merge of the two drafts (paper, section III-D), decided on evidence where there is any."""

from dlcodegen.context import Context
from dlcodegen.plan import SolutionPlan
from dlcodegen.state import State, Update
from dlcodegen.writers.at_work import stage_writer


def merge(state: State, context: Context) -> Update:
    """The merged script as the newest candidate; its origin has one line a segment."""
    writer = stage_writer(state["usage"], context, "merge", "merge")
    drafts = state["candidates"]
    merged = writer.merge(state["request"], SolutionPlan.from_paper(state["plan"]), drafts)
    taken = {draft["name"]: sum(f": {draft['name']}" in line for line in merged["origin"]) for draft in drafts}
    return {
        "candidates": [*drafts, {**merged, "name": "merged"}],
        "usage": writer.usage,
        "progress": ", ".join(f"{count} segments from {name}" for name, count in taken.items() if count),
    }
