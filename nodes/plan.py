"""Stage 2: requirement -> solution plan (paper, section III-B)."""

from dataclasses import replace

from dlcodegen.context import DIRECT, Context
from dlcodegen.state import State, Update

_WITHOUT_PLANNER = (*DIRECT, "no-plan")


def plan(state: State, context: Context) -> Update:
    """The plan as the paper's JSON, its planner and confidence; a chat model may correct the category too."""
    from dlcodegen.planner.choice import predict
    from dlcodegen.planner.protocol import PlanRequest

    request = state["request"]
    wanted = PlanRequest(
        requirement=request["requirement"],
        category=state["category"],
        confidence=state["category_confidence"],
        framework=request["framework"],
        dataset=request["dataset"],
        facts=request["facts"],
    )
    # Without a planner, the plan of the nearest sample is what the code is checked against.
    planned = replace(context, planner="nearest") if context.method in _WITHOUT_PLANNER else context
    predicted = predict(wanted, planned)
    training = predicted.plan.hyperparameters
    return {
        "category": predicted.plan.category,
        "plan": predicted.plan.to_paper(),
        "planner": {"name": predicted.planner, "confidence": predicted.confidence},
        "notes": [*state["notes"], *predicted.notes],
        "usage": predicted.usage,
        "progress": f"{len(predicted.plan.layers)} layers, {training.optimizer}, {training.loss_function}",
    }
