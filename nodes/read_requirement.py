"""Stage 1: is there something to work on, and what does it state?"""

from dlcodegen.context import Context
from dlcodegen.errors import InputError
from dlcodegen.state import State, Update
from dlcodegen.writers.protocol import Request


def read_requirement(state: State, context: Context) -> Update:
    """Chat message or form -> validated request; or a question back, and the run ends here."""
    from langchain_core.messages import AIMessage

    from dlcodegen.execution.sandbox.fork_server import warm_up
    from dlcodegen.models.budget import read_prices
    from dlcodegen.models.local.server import check_local_models
    from dlcodegen.planner.choice import choose
    from dlcodegen.planner.request import check_request
    from dlcodegen.planner.request import read_requirement as read

    requirement = state.get("requirement") or _last_message(state)
    dataset, data = state.get("dataset") or "", state.get("data") or ""
    try:
        context.writer_in_use  # noqa: B018  a missing model is said now, not after ten stages
        check_local_models(context)
        read_prices(context)
        check_request(requirement, dataset, data, state.get("framework") or "")
        chosen = choose(context)
        found = read(requirement, dataset, data, state.get("framework") or "", chosen.opinion)
    except InputError as problem:
        return {
            "status": "needs_input",
            "messages": [AIMessage(str(problem))],
            "progress": "nothing to work on",
            **_EMPTY,
        }
    if context.check:
        warm_up()  # the fork server loads its libraries while the plan is made
    request = Request(
        requirement=requirement.strip(), dataset=dataset, data=data, framework=found.framework, facts=found.facts
    )
    return {
        **_EMPTY,
        "status": "working",
        "request": request,
        "category": found.category,
        "category_confidence": found.confidence,
        "notes": [*chosen.notes, *found.notes],
        "progress": f"{found.category}, {len(found.facts)} stated facts",
    }


# A thread may hold an earlier run: nothing of it may reach this one.
_EMPTY: Update = {
    **{"candidates": [], "repairs": 0, "files": {}, "report": {}, "plan": {}, "samples": [], "notes": []},
    **{"draft_from_code": None, "draft_from_template": None},
}


def _last_message(state: State) -> str:
    """The text of the last human message."""
    for message in reversed(state.get("messages") or []):
        if message.type == "human":
            return message.text if isinstance(message.text, str) else message.text()
    return ""
