"""A solution plan derived from a script alone, and what could not be derived. Nothing is executed."""

import re
from dataclasses import dataclass, field

from dlcodegen import categories
from dlcodegen.corpus.importing import data_texts, training_settings
from dlcodegen.corpus.importing.findings import Finding
from dlcodegen.corpus.importing.layer_texts import OPEN
from dlcodegen.corpus.importing.model_layers import ModelLayers, model_layers
from dlcodegen.corpus.importing.task import find_task
from dlcodegen.execution.code_view import CodeView
from dlcodegen.execution.conformance.values import Values
from dlcodegen.plan import Hyperparameters, SolutionPlan

_UNKNOWN = "unknown"
_STAND_INS = {"learning rate": "0.001", "batch size": "32", "epochs": "10"}
"""Numbers that a plan must have; where the code states none, these stand there, and `missing` says so."""


@dataclass
class Derivation:
    """The plan, the fields that the code shows, and sentences on those that it does not."""

    plan: SolutionPlan
    found: list[Finding] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)


def derive(code: str) -> Derivation:
    """The plan of a script by its code: layers, training, task and data, each as far as the code shows it.

    A field that the code does not show reads `unknown`, or is a stand-in where the plan needs a number; each is named
    in `missing`. Raises SyntaxError, ValueError or RecursionError when the code does not parse.
    """
    view = CodeView(code)
    values = Values(view)
    model = model_layers(view)
    found: list[Finding] = []
    missing: list[str] = []

    def settle(name: str, finding: Finding | None) -> str:
        """The value of a field; what stands in for it where there is none."""
        if finding is not None:
            found.append(finding)
            return finding.value
        stand_in = _STAND_INS.get(name)
        missing.append(f"{name}: {f'{stand_in} stands in for it' if stand_in else 'not in the code'}")
        return stand_in or _UNKNOWN

    loss = settle("loss function", training_settings.loss(view, values))
    task = find_task(code, view, model.texts, loss)
    category = settle("task category", _category(task.category, task.line))
    training = Hyperparameters(
        optimizer=settle("optimizer", training_settings.optimizer(view, values)),
        loss_function=loss,
        learning_rate=float(settle("learning rate", training_settings.learning_rate(view, values))),
        batch_size=int(settle("batch size", training_settings.batch_size(view, values))),
        epochs=int(settle("epochs", training_settings.epochs(view, values))),
        evaluation_metric=settle("evaluation metric", training_settings.metric(view, task.category)),
    )
    _note_layers(model, found, missing)
    plan = SolutionPlan(
        category=task.category if category != _UNKNOWN else "other",
        input=_described("input", data_texts.inputs(view, values, task.category, model), found, missing),
        output=_described("output", data_texts.outputs(view, values, task.category, model), found, missing),
        preprocess=_preprocess(data_texts.preprocessing(view, values, task.category), found, missing),
        layers=model.texts,
        hyperparameters=training,
    )
    return Derivation(plan, found, missing)


def _category(name: str, line: int | None) -> Finding | None:
    return None if name == "other" else Finding("task category", categories.title(name), line)


def _note_layers(model: ModelLayers, found: list[Finding], missing: list[str]) -> None:
    if model.texts:
        found.append(Finding("layers", f"{len(model.texts)} layers", model.line or None))
    unsaid = sum(bool(re.search(rf"\b{OPEN}\b", text)) for text in model.texts)
    if unsaid:
        missing.append(f"layers: a number of {unsaid} of them is not in the code")
    if model.problem:
        missing.append(f"layers: {model.problem}")


def _described(name: str, described: data_texts.Described, found: list[Finding], missing: list[str]) -> str:
    if described.known:
        found.append(Finding(name, described.text, described.line))
    else:
        missing.append(f"{name}: its shape is not in the code")
    return described.text


def _preprocess(steps: list[tuple[str, int | None]], found: list[Finding], missing: list[str]) -> str:
    """The steps as one sentence, the first letter large."""
    if not steps:
        missing.append("preprocess: no step that is known by name")
        return ""
    text = ", ".join(step for step, _ in steps)
    found.append(Finding("preprocess", text, steps[0][1]))
    return text[:1].upper() + text[1:]
