"""Concludes from what the judge (`judge.py`) found in a clean process whether a project learned what it claims.

Everything that comes from there is a stranger's data. Whatever cannot be judged says so and fails nothing: a project is
condemned on evidence only.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from dlcodegen import vocabulary
from dlcodegen.execution.diagnosis import clean
from dlcodegen.execution.outside_score import Score, read_array, score
from dlcodegen.plan import SolutionPlan

FACTS = "judged/facts.json"
ARRAYS = ("outputs", "untrained_outputs", "targets")
ARTEFACTS = (FACTS, *(f"judged/{name}.npy" for name in ARRAYS))
"""What the judge leaves behind."""

Problem = tuple[str, str]
"""What it is called, and a plain sentence."""


@dataclass(frozen=True)
class Judgement:
    """The verdict over the rungs `reload` and `judgement`."""

    rung: Literal["reload", "judgement"]
    """The one that does not hold, or the last of the two."""
    problem: Problem | None
    reloaded: str
    """Evidence of the first rung, in one line."""
    summary: str
    """Evidence of the second; `not applicable: ...` where there was nothing to look at."""


def driver() -> str:
    """The script that judges; it is given the arguments of the first run."""
    return Path(__file__).with_name("judge.py").read_text(encoding="utf-8")


def beside(artefacts: Mapping[str, bytes]) -> dict[str, bytes]:
    """The files that the judge needs, from those that the first run left: its weights and its metrics.json."""
    return {f"saved/{Path(name).name}": content for name, content in artefacts.items()}


def judge_artefacts(
    artefacts: Mapping[str, bytes],
    claimed: dict[str, float],
    plan: SolutionPlan | None,
    losses: tuple[float, float] | None = None,
) -> Judgement:
    """The verdict on what the judge's run left, as `judge_facts` gives it."""
    try:
        facts = json.loads(artefacts.get(FACTS, b""))
    except (ValueError, RecursionError) as error:
        return _unreadable(error)
    arrays = {name: artefacts[f"judged/{name}.npy"] for name in ARRAYS if f"judged/{name}.npy" in artefacts}
    return judge_facts(facts, arrays, claimed, plan, losses)


def judge_facts(
    facts: dict[str, Any],
    arrays: dict[str, bytes],
    claimed: dict[str, float],
    plan: SolutionPlan | None,
    losses: tuple[float, float] | None = None,
) -> Judgement:
    """The verdict on facts.json and the arrays (files of numpy, by the names in ARRAYS) beside it.

    `claimed` is the metrics.json of the first run, `losses` the training loss at its beginning and its end.
    """
    try:
        read = _Facts.model_validate(facts)
        evidence = _Evidence(
            read, {name: read_array(content) for name, content in arrays.items()}, claimed, plan, losses
        )
    except ValueError as error:
        return _unreadable(error)
    if read.weights:
        return Judgement("reload", ("weights not loadable", clean(read.weights, 400)), "", "")
    if read.not_applicable:
        reason = f"not applicable: {clean(read.not_applicable, 300)}"
        return Judgement("judgement", None, reason, reason)
    reloaded = _reloaded(read)
    for check in _RELOAD:
        if problem := check(evidence):
            return Judgement("reload", problem, reloaded, "")
    for check in _JUDGEMENT:
        if problem := check(evidence):
            return Judgement("judgement", problem, reloaded, "")
    return Judgement("judgement", None, reloaded, _summary(evidence))


def _unreadable(error: Exception) -> Judgement:
    reason = clean(str(error).splitlines()[0] if str(error) else type(error).__name__, 150)
    return Judgement("reload", ("unreadable record", f"the judge's record is unreadable: {reason}"), "", "")
