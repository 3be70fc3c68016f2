"""Which planner plans: the one that the settings name, or the predictor, and a chat model where it is unsure."""

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from dlcodegen.context import Context
from dlcodegen.errors import InputError, SettingsError
from dlcodegen.planner.nearest import NearestPlanner
from dlcodegen.planner.protocol import Planner, PlanRequest, Prediction
from dlcodegen.planner.request import Opinion

if TYPE_CHECKING:
    from dlcodegen.planner.gpt2.planner import GPT2Planner

UNSURE = 0.6
"""Confidence below which `auto` asks a chat model, where one is configured."""


class Choice(NamedTuple):
    """Who plans, and what the user should hear about it."""

    planner: Planner
    opinion: Opinion | None
    """Of the category; None where no predictor is used."""
    notes: list[str]


def choose(context: Context) -> Choice:
    """The planner that needs no chat model; the nearest sample's plan serves where the predictor cannot be used.

    Raises SettingsError when `llm` is asked for and no model is named, InputError when `gpt2` is and it has no weights.
    """
    if context.planner == "llm" and context.model_for("plan") == "offline":
        raise SettingsError("the llm planner needs a model: set --model PROVIDER:NAME")
    if context.planner == "nearest":
        return Choice(NearestPlanner(), None, [])
    try:
        predictor = _shipped(context)
    except InputError as problem:
        if context.planner == "gpt2":
            raise
        return Choice(
            NearestPlanner(),
            None,
            [f"the plan predictor cannot be used, the nearest sample's plan is taken: {problem}"],
        )
    return Choice(predictor, predictor.category_odds, [])


def predict(request: PlanRequest, context: Context) -> Prediction:
    """The plan by whom the settings want it from; `auto` asks the chat model where the predictor is unsure."""
    chosen = choose(context)
    unsure = context.planner == "auto" and context.model_for("plan") != "offline" and request.confidence < UNSURE
    if context.planner != "llm" and not unsure:
        return chosen.planner.predict(request)
    from dlcodegen.planner.llm import LLMPlanner

    planner = LLMPlanner(context, chosen.planner)
    predicted = planner.predict(request)
    model = context.model_for("plan")
    why = f"the predictor is unsure of the task ({request.confidence:.2f}), so {model} was asked for the plan"
    return replace(predicted, notes=[*([why] if unsure else []), *predicted.notes], usage=planner.usage)


def _shipped(context: Context) -> "GPT2Planner":
    from dlcodegen.planner.gpt2.decoding import Settings
    from dlcodegen.planner.gpt2.planner import shipped_planner

    return shipped_planner().decoding(Settings(way=context.plan_decoding, seed=context.seed))
