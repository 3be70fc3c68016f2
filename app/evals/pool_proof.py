"""The shipped pool proved sample by sample (`dlcodegen corpus verify`): what each learned, where the seconds went."""

from collections.abc import Callable, Iterator
from statistics import median

from dlcodegen.corpus.sample import Sample, all_samples
from dlcodegen.corpus.verify import prove
from dlcodegen.evals.journal import Row
from dlcodegen.execution.sandbox.limits import Limits
from dlcodegen.execution.script import Conditions


def steps() -> Iterator[tuple[str, Callable[[], Row]]]:
    """Key of each measurement, and what makes it."""
    for key, sample in all_samples().items():
        yield key, _proof(sample)


def summary(rows: list[Row]) -> list[Row]:
    """By framework: how many stand, and seconds; the rungs that take the time."""
    table = []
    for framework in sorted({row["framework"] for row in rows}):
        own = [row for row in rows if row["framework"] == framework]
        spent = [sum(row["seconds"].values()) for row in own]
        table.append(
            {
                "framework": framework,
                "samples": len(own),
                "stand": sum(row["stands"] for row in own),
                "median s": median(spent),
                "slowest s": max(spent),
                "all s": sum(spent),
                "where": where(own),
            }
        )
    return table


def where(rows: list[Row]) -> str:
    """Shares of the seconds, the largest first: `smoke run 61%, reload 25%`."""
    names = dict.fromkeys(name for row in rows for name in row["seconds"])
    spent = {name: sum(row["seconds"].get(name, 0.0) for row in rows) for name in names}
    total = sum(spent.values()) or 1.0
    most = sorted(spent.items(), key=lambda item: -item[1])[:4]
    return ", ".join(f"{name} {value / total:.0%}" for name, value in most)


def _proof(sample: Sample) -> Callable[[], Row]:
    def measure() -> Row:
        (proof,) = prove([sample], Conditions(Limits(wall=120)))
        learned = proof.learned
        return {
            "framework": sample.framework,
            "lines": sample.code.count("\n"),
            "stands": proof.stands,
            "status": proof.report["status"],
            "metric": learned.metric if learned else "",
            "untrained": learned.untrained if learned else None,
            "trained": learned.trained if learned else None,
            "seconds": {rung["name"]: round(rung["seconds"], 3) for rung in proof.report["rungs"]},
        }

    return measure
