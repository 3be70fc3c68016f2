"""The rungs that look at the running script: one smoke run, observed, tells all of them.

Each answers with a Diagnosis when it does not hold, with what was seen when it does, and with None when the script
never got so far that there was anything to look at. All raise SandboxError when the script cannot be executed.
"""

import json
import re

from dlcodegen import vocabulary
from dlcodegen.execution.conformance.terms import plain
from dlcodegen.execution.diagnosis import clean, diagnose, fault
from dlcodegen.execution.observations import finite_number, notes, read_seen
from dlcodegen.execution.sandbox.run import RunResult
from dlcodegen.execution.script import METRICS, Script
from dlcodegen.report import Diagnosis

_MOST_METRICS = 200
_DEPRECATED = {"DeprecationWarning", "PendingDeprecationWarning", "FutureWarning"}
# Warnings of this computer, or of how fast something runs: no misuse.
_OF_THE_COMPUTER = re.compile(r"pin_memory|accelerator|CUDA|nested.tensor|worker|determinis", re.IGNORECASE)
_OF_THE_STEP = {"NonFiniteLoss", "NonFiniteWeights"}
# Metrics that lie between nothing and everything, as a fraction or in percent.
_SHARES = {"accuracy", "precision", "recall", "f1", "dice", "iou", "auc", "balanced accuracy", "map"}


def build(script: Script) -> Diagnosis | str | None:
    """The model is built, and one batch goes through it forwards and backwards."""
    script.seen = read_seen(script.result.record.get("seen"))
    reached = script.seen.get("milestones", {})
    if "backward" in reached:
        script.seconds["build"] = reached["backward"]
        return _shapes(script)
    error = diagnose("build", script.code, script.result)
    if error and error["exception"] in _OF_THE_STEP:
        return _shapes(script)
    in_the_model = "forward" in reached or (error is not None and "[layer " in error["message"])
    if error is None or not in_the_model or script.result.status != "exit":
        return None
    script.seconds["build"] = script.result.seconds
    return error


def step(script: Script) -> Diagnosis | str | None:
    """The optimizer's first step leaves loss and weights finite."""
    reached = script.seen.get("milestones", {})
    error = diagnose("step", script.code, script.result)
    if error and error["exception"] in _OF_THE_STEP:
        return error
    if "step" not in reached:
        return None
    script.seconds["step"] = max(0.0, reached["step"] - reached.get("backward", 0.0))
    optimizers = ", ".join(optimizer["name"] for optimizer in script.seen.get("optimizers", []))
    return f"{optimizers}: loss and weights are finite"


def smoke_run(script: Script) -> Diagnosis | str:
    """It comes to its end, within its limits, with exit code 0, and without one of the mistakes that nobody notices."""
    before = sum(script.seconds.get(rung, 0.0) for rung in ("build", "step"))
    script.seconds["smoke run"] = max(0.0, script.result.seconds - before)
    error = diagnose("smoke run", script.code, script.result)
    if error:
        return error
    for note in notes(script.result.record.get("faults")):
        return fault("smoke run", note["kind"], note["message"], note["line"], script.code)
    return _course(script)


def current_api(script: Script) -> Diagnosis | str:
    """Nothing it calls is about to go, and no library warned it of a misuse."""
    found = notes(script.result.record.get("warnings"))
    warned = [note for note in found if note["kind"] in _DEPRECATED or not _OF_THE_COMPUTER.search(note["message"])]
    for note in sorted(warned, key=lambda note: note["kind"] not in _DEPRECATED):
        return fault("current API", note["kind"], note["message"], note["line"], script.code)
    return ""


def metrics(script: Script) -> Diagnosis | str:
    """It wrote metrics.json: an object of finite numbers in their ranges, the plan's metric among them."""
    problem, script.metrics = _read_metrics(script.result)
    problem = problem or _out_of_range(script.metrics) or _missing(script)
    if problem:
        return fault("metrics", "metrics.json", problem)
    return ", ".join(f"{name} {value:.3g}" for name, value in list(script.metrics.items())[:6])


def _shapes(script: Script) -> str:
    inputs, outputs = (
        " and ".join("x".join(map(str, shape)) for shape in shapes[:3])
        for shapes in (script.seen.get("inputs", []), script.seen.get("outputs", []))
    )
    return f"{script.seen.get('model', 'model')}: {inputs or '?'} -> {outputs or '?'}"


def _course(script: Script) -> str:
    seen = script.seen
    if "first_loss" not in seen or "last_loss" not in seen:
        return ""
    return f"{seen.get('steps', 0)} steps, training loss {seen['first_loss']:.3g} to {seen['last_loss']:.3g}"


def _read_metrics(result: RunResult) -> tuple[str, dict[str, float]]:
    """The problem, if any; else the numbers."""
    if METRICS in result.refused:
        return result.refused[METRICS], {}
    try:
        found = json.loads(result.artefacts[METRICS])
    except (ValueError, RecursionError) as error:
        return f"{METRICS} is no JSON: {error}", {}
    if not isinstance(found, dict) or not 0 < len(found) <= _MOST_METRICS:
        return f"{METRICS} is no object of 1 to {_MOST_METRICS} numbers", {}
    for name, value in found.items():
        if finite_number(value) is None:
            return f"{METRICS}: `{clean(name, 60)}` is no finite number: {value!r:.60}", {}
    return "", {clean(name, 60): float(value) for name, value in found.items()}


def _out_of_range(found: dict[str, float]) -> str:
    for name, value in found.items():
        term = vocabulary.find(vocabulary.METRICS, name)
        if term and term.name.lower() in _SHARES and not 0 <= value <= 100:
            return f"{METRICS}: `{name}` is {value:.4g}, and lies between 0 and 1"
    return ""


def _missing(script: Script) -> str:
    """The plan's metric, when we know what it is and nothing reported is called so."""
    if script.plan is None:
        return ""
    wanted = vocabulary.find(vocabulary.METRICS, script.plan.hyperparameters.evaluation_metric)
    reported = [vocabulary.find(vocabulary.METRICS, name.replace("_", " ")) for name in script.metrics]
    if wanted is None or wanted in reported or plain(wanted.name) in map(plain, script.metrics):
        return ""
    return f"{METRICS} lacks the plan's metric `{wanted.name}`: it has {', '.join(script.metrics)}"
