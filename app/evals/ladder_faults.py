"""`bench ladder`: which rung catches which planted fault, after how long; and does a sound sample set off an alarm?"""

import statistics
import time
from collections.abc import Callable, Iterator
from functools import partial

from dlcodegen.corpus.sample import Sample, all_samples
from dlcodegen.evals.faults import FAULTS, Fault
from dlcodegen.evals.journal import Row
from dlcodegen.execution.ladder import check
from dlcodegen.execution.sandbox.limits import Limits
from dlcodegen.execution.script import Conditions
from dlcodegen.report import CheckReport

_CONDITIONS = Conditions(Limits(wall=30))
"""What the project contract allows a smoke run; a user's is more generous."""


def steps() -> Iterator[tuple[str, Callable[[], Row]]]:
    """Key of each measurement, and what makes it."""
    pool = all_samples()
    for fault in FAULTS:
        yield f"fault / {fault.name}", partial(_plant, fault, pool[fault.sample])
    for sample in pool.values():
        yield f"sample / {sample.id}", partial(_leave, sample)


def summary(rows: list[Row]) -> list[Row]:
    """By kind of fault: how many were planted, caught, caught by a rung that may rightly do it, and after how long."""
    faults = [row for row in rows if "fault" in row]
    samples = [row for row in rows if "fault" not in row]
    kinds = list(dict.fromkeys(row["kind"] for row in faults))
    counted = [_count(kind, [row for row in faults if row["kind"] == kind]) for kind in kinds]
    alarms = sum(row["caught_by"] != "" for row in samples)
    return [*counted, _count("all", faults), {"kind": "sound samples", "planted": len(samples), "caught": alarms}]


def _count(kind: str, rows: list[Row]) -> Row:
    caught = [row for row in rows if row["caught_by"]]
    return {
        "kind": kind,
        "planted": len(rows),
        "expected": sum(bool(row["expected"]) for row in rows),
        "caught": len(caught),
        "by the right rung": sum(row["caught_by"] in row["expected"] for row in caught),
        "median ms": round(statistics.median(row["ms"] for row in caught)) if caught else None,
    }


def _plant(fault: Fault, sample: Sample) -> Row:
    judged = _judge(fault.code(sample.code), sample)
    return {"fault": fault.name, "kind": fault.kind, "sample": sample.id, "expected": list(fault.expected), **judged}


def _leave(sample: Sample) -> Row:
    return {"sample": sample.id, **_judge(sample.code, sample)}


def _judge(code: str, sample: Sample) -> Row:
    """The rung that caught it, or `conformance`; empty when nothing did."""
    started = time.perf_counter()
    report = check(code, sample.plan, [], _CONDITIONS)
    milliseconds = round(1000 * (time.perf_counter() - started))
    error = report["error"]
    said = f"{error['exception']}: {error['message']}"[:200] if error else ""
    return {"caught_by": error["rung"] if error else _by_plan(report), "said": said, "ms": milliseconds}


def _by_plan(report: CheckReport) -> str:
    return "conformance" if any(row["verdict"] != "honoured" for row in report["conformance"]) else ""
