"""Requests as the nodes hand them to a writer."""

from collections.abc import Callable
from typing import NamedTuple
from unittest.mock import patch

import pytest

from dlcodegen.context import Context
from dlcodegen.corpus.pool import shipped_pool
from dlcodegen.corpus.retrieval import rank_by_plan
from dlcodegen.corpus.sample import Sample, all_samples
from dlcodegen.models.asking import Asker
from dlcodegen.models.scripted import ScriptedChatModel
from dlcodegen.plan import SolutionPlan
from dlcodegen.planner import make_plan
from dlcodegen.writers.protocol import Request


def asker_of(model: ScriptedChatModel) -> Asker:
    """An asker that asks this very model, whose `history` a test reads."""
    with patch("dlcodegen.models.asking.chat_model", return_value=model):
        return Asker(Context(model="scripted:answers"), "draft")


class Job(NamedTuple):
    """What a writer works on."""

    request: Request
    plan: SolutionPlan
    samples: list[Sample]


@pytest.fixture
def job() -> Callable[..., Job]:
    """The job that a requirement makes: read, planned, its samples ranked."""

    def make(requirement: str, framework: str = "pytorch") -> Job:
        planned = make_plan(requirement, "", "", Context())
        kind = (planned.plan.category, framework)
        own = [key for key, sample in all_samples().items() if (sample.category, sample.framework) == kind]
        ranked = rank_by_plan(planned.plan, planned.facts, own, shipped_pool())
        request = Request(requirement=requirement, dataset="", data="", framework=framework, facts=planned.facts)
        return Job(request, planned.plan, [item.sample for item in ranked[:3]])

    return make
