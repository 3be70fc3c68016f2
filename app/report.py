"""What is known about generated code: plain data, so that it can live in the graph's state and in report.json."""

from collections.abc import Mapping
from typing import Literal

from typing_extensions import TypedDict  # pydantic reads no other before Python 3.12

from dlcodegen.techniques import BY_NAME

CheckStatus = Literal["passed", "failed", "not_executed", "sandbox_error"]
"""`not_executed`: this computer offers no sandbox; `sandbox_error`: ours failed. Neither says anything of the code."""
Verdict = Literal["honoured", "contradicted", "not found"]
Usage = dict[str, float]
"""What one stage cost: `seconds`, and where a model was asked `calls`, `input_tokens`, `output_tokens`."""


class Fact(TypedDict):
    """One thing that the requirement states, such as `num_classes` = 5."""

    name: str
    """Canonical name (`dlcodegen.facts`), often that of a Config field of the generated code."""
    value: str | int | float | bool | list[str] | list[int]
    text: str
    """The words that state it."""


class Rung(TypedDict):
    """One step of the ladder."""

    name: str
    passed: bool
    seconds: float
    message: str
    """Why it failed, or what was seen, in one line; `not applicable: ...` where there was nothing to look at."""


class Diagnosis(TypedDict):
    """The failure of a run, small enough for a prompt: data, never instructions."""

    rung: str
    exception: str
    """Class name of the exception, or what stopped the run (`timeout`, `out of memory`, ...)."""
    message: str
    line: int | None
    """Line of the generated code, from 1."""
    code: str
    """That line's text."""
    tensors: list[str]
    """Tensors in sight at that line: `inputs: (16, 3, 32, 32) float32`."""
    hint: str
    """What usually mends it, in one sentence; empty when nobody knows."""


class Optimizer(TypedDict):
    """An optimizer that made a step."""

    name: str
    """Class name."""
    settings: dict[str, object]
    """Of its first parameter group: `lr`, `betas`, `momentum`, `weight_decay`, ..., numbers, truth values and lists."""


class Seen(TypedDict, total=False):
    """What the running script showed (`dlcodegen.execution.observer.watch`): a stranger's data, capped and cleaned."""

    framework: str
    """`pytorch` or `keras`."""
    model: str
    """Class name of the outermost module that was called."""
    parameters: int
    layers: list[str]
    """Leaf modules in the order they were built, as PyTorch prints them: `Linear(in_features=128, out_features=10)`."""
    inputs: list[list[int]]
    """Shapes of the tensors that the outermost module got at its first call in training, batch first."""
    outputs: list[list[int]]
    """Shapes of what it gave."""
    batch_size: int
    """First dimension of the largest batch it was trained on."""
    optimizers: list[Optimizer]
    losses: list[str]
    """Loss functions called: names in `torch.nn.functional`, or class names of loss modules."""
    steps: int
    """Optimizer steps made."""
    first_loss: float
    """Mean over the first tenth of the values that `backward` was called on (at least one)."""
    last_loss: float
    """Mean over the last tenth."""
    milestones: dict[str, float]
    """`forward`, `backward`, `step` -> seconds from the script's start to the first one."""


class Conformance(TypedDict):
    """What became of one field of the plan, or of one stated fact."""

    name: str
    expected: str
    verdict: Verdict
    evidence: str
    """The line of code that shows it, or why there is none."""
    line: int | None


class CheckReport(TypedDict):
    """The evidence about one script: how far it climbed the ladder, and what of the plan it honours."""

    status: CheckStatus
    rungs: list[Rung]
    error: Diagnosis | None
    metrics: dict[str, float]
    """metrics.json of the smoke run."""
    untrained: dict[str, float]
    """The same metrics of the same model before it was trained; empty where the judge did not get so far."""
    conformance: list[Conformance]
    lint: int
    """Number of ruff findings."""
    sandbox: dict[str, str]
    """What was enforced while it ran: protection -> how, or why not."""
    seconds: float


class Candidate(TypedDict):
    """Code, where it came from, and what is known about it."""

    name: str
    """`draft_from_code`, `draft_from_template`, `merged`, `repair_1`, ..."""
    code: str
    origin: list[str]
    """One line a segment or decision: what was taken from where, and why."""
    report: CheckReport | None


def honoured(report: CheckReport) -> int:
    """Number of plan fields and facts that the code honours, less those that it contradicts."""
    weight = {"honoured": 1, "contradicted": -1, "not found": 0}
    return sum(weight[row["verdict"]] for row in report["conformance"])


def standing(report: CheckReport | None) -> tuple[bool, int, int, int]:
    """What is compared first: whether it runs, how far it climbed, then the techniques that were asked for by name,
    which count before what a plan adds, then how much of the plan it honours.
    """
    if report is None:
        return (False, 0, 0, 0)
    climbed = sum(rung["passed"] for rung in report["rungs"])
    asked = sum(row["verdict"] == "honoured" for row in report["conformance"] if row["name"] in BY_NAME)
    return (report["status"] == "passed", climbed, asked, honoured(report))


def spent(usage: Mapping[str, Usage]) -> Usage:
    """What all stages so far cost together."""
    total: Usage = {}
    for counts in usage.values():
        for name, count in counts.items():
            total[name] = total.get(name, 0) + count
    return total


def best(candidates: list[Candidate]) -> Candidate:
    """The candidate to hand over: one that runs first, then conformance, then fewest lint findings, then the latest.

    Raises ValueError when there is no candidate.
    """

    def rank(item: tuple[int, Candidate]) -> tuple[tuple[bool, int, int, int], int, int]:
        position, candidate = item
        report = candidate["report"]
        return (standing(report), -report["lint"] if report else 0, position)

    return max(enumerate(candidates), key=rank)[1]
