"""Code for each task by the modes of our graph: one line an output, with what its check found.

The lines have `id` and `code`, so that a file of one system and seed can be scored by any other tool too.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from dlcodegen.context import Context
from dlcodegen.errors import RequirementError
from dlcodegen.evals.code_files import Task
from dlcodegen.evals.code_pool import ReferencePool
from dlcodegen.evals.journal import Row

MODEL_ON = "model ran on"
"""Of how a row was made: the machine, where the model was not on this one."""


def name_of(context: Context) -> str:
    """`direct, openai:gpt-4o-mini, temperature 0.5`: the system, whatever its seed."""
    writer = "syntax writer" if context.writer_in_use == "syntax" else context.model
    warmth = "" if context.temperature is None else f", temperature {context.temperature:g}"
    decoded = "" if context.plan_decoding == "greedy" else f", plan by {context.plan_decoding}"
    return f"{context.method}, {writer}{warmth}{decoded}"


def key_of(context: Context, task: Task) -> str:
    return f"{name_of(context)}, seed {context.seed}: {task.id}"


def steps(
    tasks: Sequence[Task], pool: ReferencePool, contexts: Sequence[Context], framework: str, model_on: str = ""
) -> Iterator[tuple[str, Callable[[], Row]]]:
    """Every output, setting after setting: an interrupted measurement has whole rows of the first ones.

    `model_on`: the machine that the model answers on, where it is another one.
    """
    for context in contexts:
        for task in tasks:
            yield key_of(context, task), partial(_written, task, pool, context, framework, model_on)


def _written(task: Task, pool: ReferencePool, context: Context, framework: str, model_on: str) -> Row:
    """Raises SettingsError and ModelError: what has no answer yet is asked for again at the next start."""
    from dlcodegen.api import generate

    row: Row = {"id": task.id, "system": name_of(context), "method": context.method, "seed": context.seed}
    row |= {"model": context.model, "temperature": context.temperature, "decoding": context.plan_decoding}
    row |= {"made": {MODEL_ON: model_on}} if model_on else {}
    with pool.for_task(task) as references:
        started = time.perf_counter()
        try:
            project = generate(task.requirement, dataset=task.dataset, framework=framework, context=context)
        except RequirementError as problem:
            return row | {"code": "", "references": references, "problem": str(problem), **_NOTHING}
        seconds = time.perf_counter() - started
    found = {"category": project.plan["Task Category"], "samples": project.report["samples"]}
    return row | {
        "code": project.files["main.py"],
        "references": references,
        "seconds": round(seconds, 2),
        "tokens": _tokens(project.report["usage"]),
        **found,
        **_evidence(project.report),
    }


_NOTHING = {"status": "needs_input", "rungs": [], "stopped": "", "seconds": 0.0, "tokens": 0}


def _evidence(report: dict[str, Any]) -> Row:
    """Of the candidate that was handed over: the rungs that held, and where it stopped."""
    chosen = next(one for one in report["candidates"] if one["name"] == report["chosen"])
    rungs = chosen.get("rungs", [])
    return {
        "status": chosen["status"],
        "rungs": [rung["name"] for rung in rungs if rung["passed"]],
        "stopped": next((f"{rung['name']}: {rung['message']}"[:200] for rung in rungs if not rung["passed"]), ""),
        "candidates": len(report["candidates"]),
    }


def _tokens(usage: dict[str, dict[str, float]]) -> int:
    return int(sum(counts.get(name, 0) for counts in usage.values() for name in ("input_tokens", "output_tokens")))
