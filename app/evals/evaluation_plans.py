"""The section of docs/EVALUATION.md on predicted plans."""

from dlcodegen.evals.journal import Row
from dlcodegen.evals.markdown_table import table
from dlcodegen.evals.plan_scores import DECIMALS, LOWER_IS_BETTER, PlanScores, best

_AIMS = PlanScores(100, 55, 92, 25, 20, 5.8, 0.01, 62, 71, 36, 52, 67)
"""Of issue 5, for the paper protocol."""


def of_plans(rows: list[Row]) -> str:
    """The table of the paper's columns, then what was measured besides."""
    scored = [row for row in rows if "BLEU" in row]
    parts = (
        [_table(scored), _besides(scored)]
        if scored
        else [f"No scores: {row['absent']}." for row in rows if "absent" in row]
    )
    return "\n".join([*parts, _speed(rows), _facts(rows)])


def _table(rows: list[Row]) -> str:
    scores = [PlanScores(**{name: row[name] for name in PlanScores._fields}) for row in rows]
    tops = best(scores)
    head = ["system", *(f"{name}{'↓' if name in LOWER_IS_BETTER else '↑'}" for name in PlanScores._fields)]
    lines = [[row["key"], *_marked(score, tops)] for row, score in zip(rows, scores, strict=True)]
    lines.append(["*aim for the paper protocol*", *(f"{aim:g}" for aim in _AIMS)])
    return (
        "200 published test rows. `published:` what the paper's predictors answered; `paper protocol:` our predictor, "
        "trained on the published training rows (those weights are not shipped); `shipped weights:` what the package "
        "holds, never trained on such data. Bold: best of all.\n\n" + table(head, lines)
    )


def _marked(score: PlanScores, tops: PlanScores) -> list[str]:
    return [
        f"**{value:.{DECIMALS}f}**" if round(value, DECIMALS) == top else f"{value:.{DECIMALS}f}"
        for value, top in zip(score, tops, strict=True)
    ]


def _besides(rows: list[Row]) -> str:
    ours = [row for row in rows if "seconds a plan" in row]
    head = ["system", "seconds a plan", "mean confidence in the category", "expected calibration error"]
    return table(
        head, [[row["key"], row["seconds a plan"], row["confidence"], row["calibration error"]] for row in ours]
    )


def _speed(rows: list[Row]) -> str:
    timed = [row for row in rows if "median s" in row]
    lines = table(
        ["shipped weights", "median s", "p95 s", "plans", "threads"],
        [[row["key"], row["median s"], row["p95 s"], row["plans"], row["threads"]] for row in timed],
    )
    notes = [
        f"Libraries are imported in {row['import s']} s, weights loaded in {row['load s']} s; the process then holds "
        f"{row['with a plan MiB']} MiB after its first plan, {row['libraries MiB']} MiB of them libraries.\n"
        for row in rows
        if row["key"] == "start"
    ]
    return "\n".join([lines, *notes])


def _facts(rows: list[Row]) -> str:
    return "".join(
        f"Stated facts: {row['shown']} of {row['stated']} facts that {row['phrasings']} phrasings state stand in the "
        f"plans, in {row['only added']} of them as a remark, for the sample has no such setting.\n"
        for row in rows
        if row["key"] == "stated facts"
    )
