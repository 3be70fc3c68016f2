"""The sections of the report on executing code: what the sandbox costs, and what the ladder catches."""

from dlcodegen.evals import ladder_faults, sandbox_speed
from dlcodegen.evals.journal import Row
from dlcodegen.evals.sections import Bars, Block, Listing, Part, Table, Text


def of_sandbox(rows: list[Row]) -> list[Block]:
    """Seconds of each way of running a script."""
    found = sandbox_speed.summary(rows)
    notes = [
        Text(f"The fork server answers {row['start']:.1f} s after its start, and keeps {row['memory']} MiB.")
        for row in rows
        if row["what"] == "fork server"
    ]
    head = ["what", "way", "median s", "fastest s", "slowest s", "times"]
    lines = [
        [row["what"], row["way"], *(f"{row[name]:.3f}" for name in ("median", "best", "worst")), row["times"]]
        for row in found
    ]
    small = [row for row in found if row["what"] == "small CNN"]
    ways = [row["way"] for row in small]
    plot = Bars("Median seconds of a small CNN's run", ways, {"seconds": [row["median"] for row in small]}, unit="s")
    return [*notes, *([plot] if small else []), Table(head, lines)]


def of_ladder(rows: list[Row]) -> list[Block]:
    """Which rung catches which planted fault."""
    names = ["kind", "planted", "expected", "caught", "by the right rung", "median ms"]
    counted = ladder_faults.summary(rows)
    faults = [row for row in rows if "fault" in row]
    missed = [row for row in faults if row["expected"] and not row["caught_by"]]
    others = [row for row in faults if row["caught_by"] and row["caught_by"] not in row["expected"]]
    unexpected = [row for row in faults if not row["expected"] and not row["caught_by"]]
    alarms = [row for row in rows if "fault" not in row and row["caught_by"]]
    each = [[row["fault"], row["sample"], row["caught_by"] or "nothing", row["ms"], row["said"]] for row in faults]
    kinds = [row for row in counted if row["kind"] not in ("all", "sound samples")]
    return [
        Text("`expected`: faults that a check should be able to see; the rest were planted to know what it cannot."),
        Bars(
            "Faults that were expected to be caught, and that were",
            [row["kind"] for row in kinds],
            {name: [row[name] for row in kinds] for name in ("expected", "caught")},
        ),
        Table(names, [[row.get(name) for name in names] for row in counted]),
        Listing("Not caught, though expected", [row["fault"] for row in missed]),
        Listing("Not caught, as expected", [row["fault"] for row in unexpected]),
        Listing(
            "Caught by another rung than the one named for it",
            [f"{row['fault']} ({row['caught_by']})" for row in others],
        ),
        Listing("False alarms on sound samples", [row["sample"] for row in alarms]),
        Part("Fault by fault", [Table(["fault", "sample", "caught by", "ms", "in its words"], each)], folded=True),
    ]
