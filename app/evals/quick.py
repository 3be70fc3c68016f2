"""`bench quick`: a few steps of every benchmark, in minutes: does each still work, does its section still read well?

The keys are those of the benchmarks themselves, so the report shows them in the same sections.
"""

from collections.abc import Callable, Iterator

from dlcodegen.context import Context
from dlcodegen.errors import SettingsError
from dlcodegen.evals import (
    code_files,
    code_table,
    derivation,
    ladder_faults,
    near_duplicates,
    plan_prediction,
    pool_growth,
    pool_proof,
    project_runs,
    retrieval,
    sandbox_speed,
    suite,
)
from dlcodegen.evals.journal import Row

Step = tuple[str, Callable[[], Row]]
_SAMPLES = ("anomaly-detection/autoencoder", "tabular-classification/binary-mlp", "time-series-forecasting/keras-conv")
_EVERY_FAULT = 16
_EVERY_DERIVATION = 8
_GROWN = ("index / 100", "rank_bm25 / 100", "index / 1000", "rank_bm25 / 1000")
_TASKS = 3
_SENTENCES = ("tabular-classification", "tabular-regression", "time-series-forecasting")
"""Categories whose first sentence is made into a project: those that train in seconds."""
REMARK = (
    "**The quick version**: a few steps of each benchmark, to see that all of it works. Its figures come from too few "
    "rows to say more."
)


def steps() -> dict[str, Iterator[Step]]:
    """Journal -> its steps."""
    return {
        "plans": plan_prediction.quick_steps(),
        "code": _code(),
        "runs": project_runs.steps([project_runs.way(Context(writer="syntax"))], _sentences()),
        "retrieval": (step for step in retrieval.steps(None) if step[0].startswith("BM25 on words alone")),
        "duplicates": near_duplicates.steps(),
        "growth": (step for step in pool_growth.steps() if step[0] in _GROWN),
        "derivation": _every(_EVERY_DERIVATION, derivation.steps()),
        "samples": (step for step in pool_proof.steps() if step[0] in _SAMPLES),
        "sandbox": sandbox_speed.steps(1),
        "ladder": _ladder(),
    }


def _code() -> Iterator[Step]:
    """The published outputs for the first tasks."""
    try:
        path = code_files.published_tasks()
    except SettingsError as problem:
        reason = str(problem)
        yield "published tasks", lambda: {"absent": reason}
        return
    whole = [file for file in code_files.published_codes(path) if "DLCodeGen" in file.stem]
    tasks = code_files.read_tasks(path)
    yield from code_table.steps(tasks[:_TASKS], tasks, whole, [], {})


def _sentences() -> list[suite.Sentence]:
    first = {sentence.category: sentence for sentence in reversed(suite.chosen(kept=False))}
    return [first[category] for category in _SENTENCES if category in first]


def _ladder() -> Iterator[Step]:
    """Faults of every kind, and the samples that are quick."""
    faults = [step for step in ladder_faults.steps() if step[0].startswith("fault / ")]
    sound = [step for step in ladder_faults.steps() if step[0].removeprefix("sample / ") in _SAMPLES]
    yield from (*faults[::_EVERY_FAULT], *sound)


def _every(count: int, steps: Iterator[Step]) -> Iterator[Step]:
    yield from list(steps)[::count]
