"""The sections of the report on the sample pool."""

from dlcodegen.evals import derivation, near_duplicates, pool_growth, pool_proof, retrieval
from dlcodegen.evals.journal import Row
from dlcodegen.evals.sections import Bars, Block, Curves, Listing, Part, Table, Text, plain_table, turned_table


def of_retrieval(rows: list[Row]) -> list[Block]:
    """Is the right sample found?"""
    missed = [
        [entry["right"], entry["first"], entry["requirement"]]
        for row in rows
        if "what a run does" in row["way"] and row["category"] == "known"
        for entry in row["missed"]
    ]
    kept = [row for row in rows if row["part"] == "kept" and row["category"] == "known"]
    return [
        Text(
            "Requirements of our own, the sample that each asks for, and where several ways rank it. `known`: the\n"
            "category filter is told the task; `predicted`: it is read from the sentence, and a task that is not\n"
            "recognised is a miss. Nobody looked at the kept third while the ranking was made."
        ),
        Bars(
            "Found first, and among the first three (kept third, category known)",
            [row["way"] for row in kept],
            {name: [100 * row[name] for row in kept] for name in ("hit@1", "hit@3")},
            unit="%",
        ),
        plain_table(retrieval.summary(rows)),
        Part(
            "What a run misses though the category is known (tuning part)",
            [Table(["right", "came first", "requirement"], missed)],
            folded=True,
        ),
    ]


def of_duplicates(rows: list[Row]) -> list[Block]:
    """Which rule keeps copies out?"""
    return [
        Text(
            "Every sample has a copy with names and numbers changed; three samples are asked for. `different of 3`:\n"
            "how many of them are no copies of each other."
        ),
        plain_table(near_duplicates.summary(rows)),
    ]


def of_derivation(rows: list[Row]) -> list[Block]:
    """How true are plans that are derived from code?"""
    wrong = [
        f"{row['sample']} ({', '.join(name for name in derivation.EXACT if not row[name])})"
        for row in rows
        if not all(row[name] for name in derivation.EXACT)
    ]
    return [
        Text(
            "`corpus add` derives a plan from code alone. Here it reads the shipped samples, whose plans are known.\n"
            "It was made while looking at them, so these are no held-out figures."
        ),
        plain_table(derivation.summary(rows)),
        Listing("Fields that are not right", wrong),
    ]


def of_growth(rows: list[Row]) -> list[Block]:
    """What does a large pool cost?"""
    sizes = pool_growth.summary(rows)
    figures = {"within a category": "category p95 ms", "over all samples": "whole p95 ms"}
    ours = {name: [row.get(figure) for row in sizes] for name, figure in figures.items()}
    theirs = {
        f"{name}, rank_bm25": [row.get(f"rank_bm25 {figure}") for row in sizes] for name, figure in figures.items()
    }
    return [
        Text(
            "Pools grown synthetically from the shipped plans. `category` are queries over the rows of one category,\n"
            "`whole` over all; ratios are to `rank_bm25`, whose scores ours are to the last bit. Each measurement has\n"
            "a process of its own."
        ),
        Curves(
            "The slowest 5% of queries take longer than this",
            [row["size"] for row in sizes],
            {**ours, **theirs},
            x_title="samples in the pool",
            unit="ms",
            logarithmic=True,
        ),
        turned_table(sizes, "size"),
    ]


def of_samples(rows: list[Row]) -> list[Block]:
    """Does every sample run and learn?"""
    each = [
        [
            row["key"],
            row["framework"],
            "yes" if row["stands"] else f"no: {row['status']}",
            row["metric"],
            row["untrained"],
            row["trained"],
            f"{sum(row['seconds'].values()):.1f}",
        ]
        for row in rows
    ]
    return [
        Text(
            "`dlcodegen corpus verify`: each sample through the whole ladder in the sandbox, its metric on the test\n"
            "split before and after training in smoke mode. It stands when all rungs hold, the plan is honoured, and\n"
            "training made the metric clearly better."
        ),
        plain_table(pool_proof.summary(rows)),
        Part(
            "Sample by sample",
            [Table(["sample", "framework", "stands", "metric", "untrained", "trained", "s"], each)],
            folded=True,
        ),
    ]
