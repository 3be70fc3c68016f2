"""Proving samples: each is executed in the sandbox, climbs the whole ladder, and has to have learned something."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import NamedTuple

from dlcodegen import vocabulary
from dlcodegen.corpus.sample import Sample
from dlcodegen.execution.judgement.evidence import direction
from dlcodegen.execution.ladder import check
from dlcodegen.execution.sandbox.limits import cores
from dlcodegen.execution.script import Conditions
from dlcodegen.report import CheckReport

_SHARE_OF_THE_WAY = 1 / 3
"""A score is clearly better when it went this share of the way from the untrained value to a perfect 1."""
_SHARE_LEFT = 0.7
"""An error is clearly better when no more than this share of the untrained value is left."""
_DECIBELS = 2.0
"""What peak signal-to-noise ratio, which has no perfect value, has to gain."""


class Learned(NamedTuple):
    """The plan's metric before and after training, on the same test split."""

    metric: str
    untrained: float
    trained: float

    @property
    def clearly(self) -> bool:
        """Whether training made it clearly better; a metric whose name does not tell what is better never did."""
        gain = direction(self.metric) * (self.trained - self.untrained)
        if gain <= 0:
            return False
        if direction(self.metric) < 0:
            return self.trained <= _SHARE_LEFT * self.untrained
        if self.metric == "psnr":
            return gain >= _DECIBELS
        is_share = 0 <= self.untrained <= self.trained <= 1
        return gain >= _SHARE_OF_THE_WAY * (1 - self.untrained if is_share else max(1, abs(self.untrained)))


class Proof(NamedTuple):
    """What became of one sample."""

    sample: Sample
    report: CheckReport
    learned: Learned | None
    """None where the judge could not compare."""

    @property
    def stands(self) -> bool:
        """It runs without findings, honours its plan, and learned; others' code, whose plan was derived, only runs."""
        if self.report["status"] != "passed":
            return False
        if self.sample.source:
            return True
        honoured = all(row["verdict"] == "honoured" for row in self.report["conformance"])
        return honoured and not self.report["lint"] and self.learned is not None and self.learned.clearly


def prove(samples: Iterable[Sample], conditions: Conditions) -> Iterator[Proof]:
    """Proofs as they are made, as many at once as there are cores. Nowhere else is a user's sample executed as it is.

    Raises StoppedError when `stop_all` stopped a run.
    """

    def proof(sample: Sample) -> Proof:
        report = check(sample.code, sample.plan, [], conditions)
        return Proof(sample, report, learned(sample, report))

    with ThreadPoolExecutor(cores()) as pool:
        running = [pool.submit(proof, sample) for sample in samples]
        try:
            yield from (future.result() for future in as_completed(running))
        finally:
            for future in running:  # those that have not begun, when one failed or nobody waits any more
                future.cancel()


def learned(sample: Sample, report: CheckReport) -> Learned | None:
    """The plan's metric in the report, where the judge has its value for untrained weights too."""
    metrics, untrained = report["metrics"], report["untrained"]
    wanted = vocabulary.metric_keys(sample.plan.hyperparameters.evaluation_metric)
    name = next((name for name in metrics if name in wanted and name in untrained), None)
    return Learned(name, untrained[name], metrics[name]) if name else None
