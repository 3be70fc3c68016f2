"""The sections on whole runs: sentences that became projects, and what models add."""

from dlcodegen.evals import project_runs
from dlcodegen.evals.journal import Row
from dlcodegen.evals.sections import Bars, Block, Part, Table, Text, plain_table

_SHARES = ("first drafts run %", "merged runs %", "after repair %", "delivered runs %")


def of_runs(rows: list[Row]) -> list[Block]:
    """Does a sentence become the project that it asks for?"""
    return [
        Text(
            "Sentences of our own, as people type them. `success`: the delivered code passed the whole ladder, its "
            "category is right, and it honours **every** fact that the suite lists for the sentence; the facts were "
            "written by hand. The `kept` third is measured for this figure only, and nobody looks at what it misses; "
            "nor at what those of `others` miss, whose writer knew the names of facts and tasks, and no reader of ours."
        ),
        plain_table(project_runs.summary(rows)),
        Part("What the open sentences miss", [_misses(rows)], folded=True),
    ]


def of_models(rows: list[Row]) -> list[Block]:
    """What does a model add?"""
    counted = project_runs.summary(rows)
    return [
        Text(
            "The same sentences for every way, two thirds of the suite at most, the kept third never. `direct`: one "
            "prompt, no retrieval. `first drafts`: before anything was merged or repaired; `merged`: before a repair; "
            "`after repair`: it, or a repair of it; `delivered`: the best of all; `no-...`: without that part. `plan "
            "honoured` of `direct` is by a plan that the model never saw, and its category is that plan's."
        ),
        Bars(
            "Code that runs",
            [row["way"] for row in counted],
            {name.removesuffix(" %"): [row[name] for row in counted] for name in _SHARES},
            unit="%",
        ),
        plain_table(counted),
        Part("What was missed", [_misses(rows)], folded=True),
    ]


def _misses(rows: list[Row]) -> Table:
    missed = [row for row in rows if row.get("why not")]
    return Table(
        ["way", "sentence", "what is not as it was asked for"],
        [[row["way"], row["sentence"], "; ".join(row["why not"])] for row in missed],
        of=missed,
    )
