"""Which systems a benchmark of code measures: modes of our graph, each with a model, for several seeds."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import get_args

from dlcodegen.context import DIRECT, Context, Method, PlanDecoding

TABLE: tuple[Method, ...] = (*DIRECT, "dlcodegen")
"""Of Table II."""
PARTS: tuple[Method, ...] = ("dlcodegen", "no-plan", "no-code-rag", "no-template-rag", "no-merge", "no-repair")
"""Of Table V: the whole method, and without each of its parts."""
TEMPERATURES = (0.0, 0.5, 1.0, 1.5, 2.0)
"""Of Figure 5."""
SEEDS = 3
"""With a model; without one nothing is drawn."""
_NO_MODEL = "asks a chat model: give --model NAME"


@dataclass(frozen=True)
class Systems:
    """What writes, and who was not asked."""

    contexts: Sequence[Context]
    """Settings of the graph for each system and seed."""
    absent: dict[str, str] = field(default_factory=dict)
    """System -> why it is not measured."""


def of_table(base: Context, methods: Sequence[Method], seeds: int) -> Systems:
    """Those of the methods that the settings can run."""
    offline = base.writer_in_use == "syntax"
    absent: dict[str, str] = {method: _NO_MODEL for method in methods if offline and method in DIRECT}
    asked = [replace(base, method=method) for method in methods if method not in absent]
    return Systems(_seeded(asked, seeds), absent)


def of_parts(base: Context, seeds: int) -> Systems:
    """The ablation is one of what a model writes."""
    if base.writer_in_use == "syntax":
        return Systems([], dict.fromkeys(PARTS, _NO_MODEL))
    return Systems(_seeded([replace(base, method=method) for method in PARTS], seeds))


def of_sampling(base: Context, seeds: int) -> Systems:
    """The whole method, its chat model sampling more and more freely, then its plan decoded in each way."""
    offline = base.writer_in_use == "syntax"
    warmer = [] if offline else [replace(base, temperature=value) for value in TEMPERATURES]
    decoded = [replace(base, plan_decoding=way) for way in get_args(PlanDecoding)]
    absent = {f"temperature {value:g}": _NO_MODEL for value in TEMPERATURES} if offline else {}
    return Systems(_seeded([*warmer, *decoded], seeds), absent)


def _seeded(contexts: Sequence[Context], seeds: int) -> list[Context]:
    """Seed after seed: an interrupted measurement has whole rows of the first. 0: as many as make sense."""
    count = seeds or max((1 if context.writer_in_use == "syntax" else SEEDS for context in contexts), default=1)
    return [replace(context, seed=context.seed + number) for number in range(count) for context in contexts]
