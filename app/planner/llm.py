"""The planner that asks a chat model, with the plans of similar samples as examples."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dlcodegen.categories import CATEGORIES
from dlcodegen.context import Context
from dlcodegen.corpus.pool import Pool, shipped_pool
from dlcodegen.corpus.retrieval import Ranked, distinct, rank_by_words
from dlcodegen.errors import UNANSWERED, InputError, ModelError
from dlcodegen.models.asking import Asker
from dlcodegen.plan import SolutionPlan
from dlcodegen.planner.answers import read_plan
from dlcodegen.planner.grounding import fitting, grounded
from dlcodegen.planner.protocol import Planner, PlanRequest, Prediction
from dlcodegen.planner.state_facts import with_facts
from dlcodegen.prompts import render
from dlcodegen.report import Usage

_SURE = 0.7
"""Confidence from which on the category's own plans alone are shown."""
_SHOWN = 3
_SHOWN_CHARACTERS = 3_500
"""Of the plans shown together: a model of 1.5 billion parameters loses the thread in more."""
_READ_CHARACTERS = 3_000
"""Of requirement and dataset each; what they state is read from the whole text beforehand."""
_TEXT, _NUMBER, _COUNT = {"type": "string"}, {"type": "number"}, {"type": "integer"}
_TRAINING = {
    "optimizer": _TEXT,
    "loss_function": _TEXT,
    "learning_rate": _NUMBER,
    "batch_size": _COUNT,
    "epochs": _COUNT,
    "evaluation_metric": _TEXT,
}
_PARTS: dict[str, Any] = {
    "category": {"type": "string", "enum": list(CATEGORIES[:-1])},
    "input": _TEXT,
    "output": _TEXT,
    "preprocess": _TEXT,
    "layers": {"type": "array", "items": _TEXT, "minItems": 1, "maxItems": 40},
}


def _object(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }


PLAN_SCHEMA = {
    "title": "solution_plan",
    "description": "The solution plan of a deep-learning project.",
    **_object({**_PARTS, "hyperparameters": _object(_TRAINING)}),
}
"""A plan as `SolutionPlan.model_dump` has it: keys without spaces, which every provider takes, and no references."""


class LLMPlanner:
    """Asks twice at the most; then the plan is another planner's, and a note says why."""

    name = "llm"

    def __init__(self, context: Context, fallback: Planner) -> None:
        """Asks the context's model for plans. Raises SettingsError when it cannot be set up."""
        self._asker = Asker(context, "plan")
        self._fallback = fallback

    @property
    def usage(self) -> Usage:
        """Over the planner's life: `calls`, `input_tokens`, `output_tokens`, `cost`."""
        return self._asker.usage

    def predict(self, request: PlanRequest) -> Prediction:
        """The model's plan with what is stated, else the fallback's. Raises SettingsError for what the user can mend.

        The confidence is no calibrated figure: the category's own where the model agrees with it, raised by half of
        what it lacks, and one half where it does not.
        """
        pool = shipped_pool()
        try:
            answered = self._answered(request, pool)
        except UNANSWERED as error:
            given = self._fallback.predict(request)
            return replace(given, notes=[f"{error}: the plan is the {given.planner} planner's", *given.notes])
        plan = grounded(answered, request, pool)
        if plan.category == request.category:
            return Prediction(plan, (1 + request.confidence) / 2, self.name)
        note = f"{self._asker.model} takes the task for {plan.category}; by its words it is {request.category}"
        return Prediction(plan, 0.5, self.name, [note])

    def _answered(self, request: PlanRequest, pool: Pool) -> SolutionPlan:
        """Raises ModelError when both answers hold no plan. The second is asked for plainly: form has not helped."""
        told = _told(request, pool)
        answer = self._ask(render("plan", **told, problem=""), PLAN_SCHEMA)
        try:
            return read_plan(answer, request.category)
        except InputError as error:
            problem = str(error)
        answer = self._ask(render("plan", **told, problem=problem))
        try:
            return read_plan(answer, request.category)
        except InputError as error:
            raise ModelError(f"{self._asker.model} gave no usable plan ({error})") from error

    def _ask(self, prompt: str, schema: Mapping[str, Any] | None = None) -> str:
        return self._asker.ask(prompt, schema=schema).text


def _told(request: PlanRequest, pool: Pool) -> dict[str, Any]:
    """The variables of `prompts/plan.md` save the problem."""
    return {
        "requirement": _shortened(request.requirement),
        "dataset": _shortened(request.dataset),
        "facts": [fact for fact in request.facts if fact["name"] != "framework"],
        "category": request.category,
        "sure": request.confidence >= _SURE,
        "categories": CATEGORIES[:-1],
        "plans": [plan.model_dump() for plan in _similar(request, pool)],
    }


def _shortened(text: str) -> str:
    return text if len(text) <= _READ_CHARACTERS else f"{text[:_READ_CHARACTERS]} [...]"


def _similar(request: PlanRequest, pool: Pool) -> list[SolutionPlan]:
    """Plans of the nearest samples, the stated facts set; where the category is not sure, one of each of several."""
    own = distinct(_ranked(request, fitting(request.category, request.framework, pool).ids, pool), _SHOWN)
    if request.confidence < _SURE:
        rest = [sample.id for sample in pool.shipped.values() if sample.category != request.category]
        others = {item.sample.category: item for item in reversed(_ranked(request, rest, pool))}
        nearest = sorted(others.values(), key=lambda item: -item.score)
        own = [*own[:1], *nearest[: _SHOWN - 1]]
    plans = [with_facts(item.sample.plan, request.facts, item.sample) for item in own]
    shown, length = plans[:1], len(plans[0].model_dump_json())
    for plan in plans[1:]:
        length += len(plan.model_dump_json())
        if length <= _SHOWN_CHARACTERS:
            shown.append(plan)
    return shown


def _ranked(request: PlanRequest, ids: list[str], pool: Pool) -> list[Ranked]:
    return rank_by_words(request.requirement, request.facts, ids, pool)
