"""Do the facts that a requirement states stand in its plan, and are those of strangers' requirements read at all?"""

from collections.abc import Iterator, Sequence
from typing import Any

from dlcodegen.errors import RequirementError
from dlcodegen.evals.journal import Row
from dlcodegen.evals.suite import OTHERS, Sentence, read_suite
from dlcodegen.plan import SolutionPlan
from dlcodegen.planner.protocol import Planner, PlanRequest
from dlcodegen.planner.recipe.pairs import pairs
from dlcodegen.planner.request import Opinion, read_requirement
from dlcodegen.planner.stated import read_stated

_SAME = {("recommendation", "embedding_dim"): "latent_dim"}
"""What one task calls by another name."""


def planned(planner: Planner, phrasings: int, seed: int) -> Iterator[tuple[PlanRequest, SolutionPlan]]:
    """Requests in so many phrasings, with settings stated in them, and their plans; their category is known."""
    for pair in pairs(phrasings, seed, dev=True, no_tasks=0.0):
        category = SolutionPlan.from_text(pair.plan_text).category
        facts = list(read_stated(pair.requirement, pair.dataset, category, pair.framework).facts.values())
        request = PlanRequest(pair.requirement, category, 1.0, pair.framework, pair.dataset, facts)
        yield request, planner.predict(request).plan


def read_of_others(part: str, opinion: Opinion) -> Row:
    """How many of the facts are read that strangers state, each sentence's task read as in a run."""
    sentences = read_suite(OTHERS[part], with_kept=False)
    read = [_read(sentence, opinion) for sentence in sentences]
    return {
        "sentences": len(sentences),
        "stated": sum(len(sentence.facts) for sentence in sentences),
        "read": sum(map(len, read)),
        "whole": sum(len(found) == len(sentence.facts) for found, sentence in zip(read, sentences, strict=True)),
    }


def _read(sentence: Sentence, opinion: Opinion) -> list[str]:
    """The names of the facts that are read with the right value."""
    try:
        found = read_requirement(sentence.requirement, sentence.dataset, "", sentence.framework, opinion)
    except RequirementError:
        return []
    facts: dict[str, Any] = {fact["name"]: fact["value"] for fact in found.facts} | {"framework": found.framework}
    return [
        name
        for name, value in sentence.facts.items()
        if _equal(name, facts.get(_SAME.get((sentence.category, name), name)), value)
    ]


def _equal(name: str, read: Any, stated: Any) -> bool:
    if name == "metric":
        return read is not None and set(stated) <= set(read)
    return _numbers(read) == _numbers(stated)


def _numbers(value: Any) -> Sequence[Any]:
    """`"0.9, 0.98"`, `[0.9, 0.98]` and one value alike."""
    parts = value if isinstance(value, list) else str(value).split(",")
    return [_number(str(part).strip()) for part in parts]


def _number(text: str) -> Any:
    try:
        return float(text)
    except ValueError:
        return text.lower()
