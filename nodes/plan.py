"""Stage 2: requirement -> solution plan (paper, section III-B)."""

from dlcodegen.context import Context
from dlcodegen.state import State, Update


def plan(state: State, context: Context) -> Update:
    """The plan as the paper's JSON, with the planner's confidence."""
    from dlcodegen.planner.nearest import NearestPlanner

    request, planner = state["request"], NearestPlanner()
    predicted = planner.predict(
        request["requirement"], state["category"], state["category_confidence"], request["facts"], request["framework"]
    )
    training = predicted.plan.hyperparameters
    return {
        "plan": predicted.plan.to_paper(),
        "planner": {"name": planner.name, "confidence": predicted.confidence},
        "progress": f"{len(predicted.plan.layers)} layers, {training.optimizer}, {training.loss_function}",
    }
