"""docs/EVALUATION.md, made from the JSON lines of the benchmarks: what was measured, how, and what is not known."""

from collections.abc import Callable
from pathlib import Path

from dlcodegen.errors import InputError
from dlcodegen.evals import evaluation_corpus, evaluation_plans, ladder_faults, sandbox_speed
from dlcodegen.evals.journal import Journal, Row
from dlcodegen.evals.markdown_table import cell, listed, table

_HEAD = """# Evaluation

Every figure here comes from `dlcodegen bench`, whose results lie as JSON lines in `docs/evaluation/`. To make them
anew: `make bench`. Computers are noisy: ratios within one run mean more than seconds.
"""


def render(folder: Path) -> str:
    """The whole page. Raises InputError when no benchmark has left results in `folder`."""
    parts = [
        f"## {title}\n\n{_how(journal.rows)}\n\n{write(journal.rows)}"
        for name, (title, write) in _SECTIONS.items()
        if (folder / f"{name}.jsonl").exists() and (journal := Journal(folder / f"{name}.jsonl")).rows
    ]
    if not parts:
        raise InputError(f"there are no results in {folder}: run `dlcodegen bench sandbox` first")
    return "\n".join([_HEAD, *parts])


def _how(rows: list[Row]) -> str:
    made = [row["made"] for row in rows]
    parts = {name: ", ".join(dict.fromkeys(str(entry[name]) for entry in made)) for name in made[0]}
    return "Made " + "; ".join(f"{name} {value}" for name, value in parts.items()) + "."


def _sandbox(rows: list[Row]) -> str:
    found = sandbox_speed.summary(rows)
    lines = table(
        ["what", "way", "median s", "fastest s", "slowest s", "times"],
        [
            [row["what"], row["way"], *(f"{row[name]:.3f}" for name in ("median", "best", "worst")), row["times"]]
            for row in found
        ],
    )
    servers = [row for row in rows if row["what"] == "fork server"]
    notes = [
        f"The fork server answers {row['start']:.1f} s after its start, and keeps {row['memory']} MiB."
        for row in servers
    ]
    return "\n".join([*notes, "", lines])


def _ladder(rows: list[Row]) -> str:
    names = ["kind", "planted", "expected", "caught", "by the right rung", "median ms"]
    summed = table(names, [[row.get(name, "") for name in names] for row in ladder_faults.summary(rows)])
    faults = [row for row in rows if "fault" in row]
    missed = [row for row in faults if row["expected"] and not row["caught_by"]]
    others = [row for row in faults if row["caught_by"] and row["caught_by"] not in row["expected"]]
    unexpected = [row for row in faults if not row["expected"] and not row["caught_by"]]
    alarms = [row for row in rows if "fault" not in row and row["caught_by"]]
    each = table(
        ["fault", "sample", "caught by", "ms", "in its words"],
        [[row["fault"], row["sample"], row["caught_by"] or "nothing", row["ms"], cell(row["said"])] for row in faults],
    )
    return "\n".join(
        [
            "`expected`: faults that a check should be able to see; the rest were planted to know what it cannot.",
            "",
            summed,
            listed("Not caught, though expected", [row["fault"] for row in missed]),
            listed("Not caught, as expected", [row["fault"] for row in unexpected]),
            listed(
                "Caught by another rung than the one named for it",
                [f"{row['fault']} ({row['caught_by']})" for row in others],
            ),
            listed("False alarms on sound samples", [row["sample"] for row in alarms]),
            "### Fault by fault",
            "",
            each,
        ]
    )


_SECTIONS: dict[str, tuple[str, Callable[[list[Row]], str]]] = {
    "sandbox": ("What the sandbox costs", _sandbox),
    "ladder": ("What the ladder catches", _ladder),
    "plans": ("Predicted plans", evaluation_plans.of_plans),
    "retrieval": ("Is the right sample found?", evaluation_corpus.of_retrieval),
    "duplicates": ("Which rule keeps copies out?", evaluation_corpus.of_duplicates),
    "growth": ("What a large pool costs", evaluation_corpus.of_growth),
    "derivation": ("Plans derived from code", evaluation_corpus.of_derivation),
    "samples": ("The samples, proved", evaluation_corpus.of_samples),
}
