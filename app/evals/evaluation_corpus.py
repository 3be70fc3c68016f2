"""The part of docs/EVALUATION.md that is about the sample pool."""

from typing import Any

from dlcodegen.evals import derivation, near_duplicates, pool_growth, pool_proof, retrieval
from dlcodegen.evals.journal import Row
from dlcodegen.evals.markdown_table import cell, listed, table


def of_retrieval(rows: list[Row]) -> str:
    """Is the right sample found?"""
    missed = [
        [entry["right"], entry["first"], cell(entry["requirement"])]
        for row in rows
        if "what a run does" in row["way"] and row["category"] == "known"
        for entry in row["missed"]
    ]
    return "\n".join(
        [
            "Requirements of our own, the sample that each asks for, and where several ways rank it. `known`: the",
            "category filter is told the task; `predicted`: it is read from the sentence, and a task that is not",
            "recognised is a miss. Nobody looked at the kept third while the ranking was made.",
            "",
            _plain(retrieval.summary(rows)),
            "### What a run misses though the category is known (tuning part)",
            "",
            table(["right", "came first", "requirement"], missed),
        ]
    )


def of_duplicates(rows: list[Row]) -> str:
    """Which rule keeps copies out?"""
    return "\n".join(
        [
            "Every sample has a copy with names and numbers changed; three samples are asked for. `different of 3`:",
            "how many of them are no copies of each other.",
            "",
            _plain(near_duplicates.summary(rows)),
        ]
    )


def of_derivation(rows: list[Row]) -> str:
    """How true are plans that are derived from code?"""
    wrong = [
        f"{row['sample']} ({', '.join(name for name in derivation.EXACT if not row[name])})"
        for row in rows
        if not all(row[name] for name in derivation.EXACT)
    ]
    return "\n".join(
        [
            "`corpus add` derives a plan from code alone. Here it reads the shipped samples, whose plans are known. It",
            "was made while looking at them, so these are no held-out figures.",
            "",
            _plain(derivation.summary(rows)),
            listed("Fields that are not right", wrong),
        ]
    )


def of_growth(rows: list[Row]) -> str:
    """What does a large pool cost?"""
    return "\n".join(
        [
            "Pools grown synthetically from the shipped plans. `category` are queries over the rows of one category,",
            "`whole` over all; ratios are to `rank_bm25`, whose scores ours are to the last bit. Each measurement has",
            "a process of its own.",
            "",
            _turned(pool_growth.summary(rows)),
        ]
    )


def of_samples(rows: list[Row]) -> str:
    """Does every sample run and learn?"""
    each = [
        [
            row["key"],
            row["framework"],
            "yes" if row["stands"] else f"no: {row['status']}",
            row["metric"],
            _number(row["untrained"]),
            _number(row["trained"]),
            f"{sum(row['seconds'].values()):.1f}",
        ]
        for row in rows
    ]
    return "\n".join(
        [
            "`dlcodegen corpus verify`: each sample through the whole ladder in the sandbox, its metric on the test",
            "split before and after training in smoke mode. It stands when all rungs hold, the plan is honoured, and",
            "training made the metric clearly better.",
            "",
            _plain(pool_proof.summary(rows)),
            "### Sample by sample",
            "",
            table(["sample", "framework", "stands", "metric", "untrained", "trained", "s"], each),
        ]
    )


def _plain(rows: list[Row]) -> str:
    names = list(dict.fromkeys(name for row in rows for name in row))
    return table(names, [[_number(row.get(name)) for name in names] for row in rows])


def _turned(rows: list[Row]) -> str:
    """Sizes as columns, since there are few sizes and many figures."""
    names = [name for name in dict.fromkeys(name for row in rows for name in row) if name != "size"]
    head = ["", *(f"{row['size']:,}" for row in rows)]
    return table(head, [[name, *(_number(row.get(name)) for row in rows)] for name in names])


def _number(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else "" if value is None else str(value)
