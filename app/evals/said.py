"""A network that was asked elsewhere: what it said of each request is mixed here with what the memory knows.

A network of more than a billion parameters is trained and asked on a GPU; what comes back is a file of
`dlcodegen planner predict --odds`. It went on from its own values, whatever is decided here.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dlcodegen.context import PlanDecoding
from dlcodegen.errors import InputError
from dlcodegen.evals.plan_files import read_plan
from dlcodegen.planner.gpt2.rows import CLOSED, json_lines
from dlcodegen.planner.gpt2.voice import TEXTS, Asked, Draft, Listener


@dataclass(frozen=True)
class _Said:
    odds: dict[str, dict[str, float]]
    draft: Draft


@dataclass(frozen=True)
class _RecordedVoice:
    """What was said of some requests."""

    said: Sequence[_Said]

    def after(self, name: str, values: Sequence[str]) -> "_RecordedVoice":
        """It cannot be told anything."""
        return self

    def odds(self, name: str) -> list[dict[str, float]]:
        """As they were."""
        return [each.odds[name] for each in self.said]

    def drafts(self, way: PlanDecoding, beams: int, count: int, seed: int) -> list[list[Draft]]:
        """The one that was written, however it was decoded."""
        return [[each.draft] for each in self.said]


def recorded(path: Path, asked: Mapping[Any, Asked]) -> Listener:
    """The network whose answers stand in the file. `asked`: id there -> request; of equal ones any has the answer.

    Raises InputError when a request has no answer there, or an answer no odds.
    """
    said: dict[Any, _Said] = {}
    for number, line in json_lines(path):
        try:
            row = json.loads(line)
            said[row["id"]] = _Said({name: dict(row["odds"][name]) for name in CLOSED}, _draft(row["plan_text"]))
        except (ValueError, LookupError, TypeError) as error:
            raise InputError(
                f"{path}, line {number}: no plan with its odds; write it with `dlcodegen planner predict --odds`"
            ) from error
    if missing := [key for key in asked if key not in said]:
        raise InputError(f"{path}: {len(missing)} of {len(asked)} requests have no answer, {missing[0]} among them")
    answers = {request: said[key] for key, request in asked.items()}
    return lambda some: _RecordedVoice([answers[each] for each in some])


def silent(some: Sequence[Asked]) -> "_RecordedVoice":
    """Hears, and has nothing to say: where the memory has the whole say."""
    return _RecordedVoice([_Said({name: {} for name in CLOSED}, Draft([], {}, 0.0)) for _ in some])


def _draft(plan_text: str) -> Draft:
    fields = read_plan(plan_text).fields
    return Draft(list(fields["layers"]), {name: str(fields[name]) for name in TEXTS}, 1.0)
