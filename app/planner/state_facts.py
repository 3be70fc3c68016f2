"""Set what the requirement states in a predicted plan: what the user said wins."""

from collections.abc import Mapping
from typing import Any

from dlcodegen.corpus.sample import Sample
from dlcodegen.plan import Hyperparameters, SolutionPlan, layer_name
from dlcodegen.planner.plan_layers import cell_swap, restated_layers
from dlcodegen.planner.plan_texts import input_text, output_text, preprocess_text
from dlcodegen.planner.shown_facts import with_absent
from dlcodegen.report import Fact
from dlcodegen.widths import width_settings
from dlcodegen.writers.interface import read_interface

__all__ = ["cell_swap", "with_facts"]

_WITH_MOMENTUM = ("SGD", "RMSprop")


def with_facts(plan: SolutionPlan, facts: list[Fact], sample: Sample) -> SolutionPlan:
    """The plan of `sample`, changed to what the facts state. The sample tells which settings its layers follow."""
    stated = {fact["name"]: fact["value"] for fact in facts}
    known = width_settings(sample.code, stated) | stated
    values = {**sample.config, **{name: value for name, value in known.items() if name in {*sample.config, "split"}}}
    interface = read_interface(sample.code)
    changed = plan.model_copy(
        update={
            "input": input_text(plan.input, sample, values, interface),
            "output": output_text(plan.output, sample, values, interface),
            "preprocess": preprocess_text(plan.preprocess, sample, values),
            "layers": restated_layers(plan.layers, known, sample, values, interface),
            "hyperparameters": _hyperparameters(plan.hyperparameters, stated),
        }
    )
    return with_absent(changed, facts)


def _hyperparameters(predicted: Hyperparameters, stated: Mapping[str, Any]) -> Hyperparameters:
    metric = stated.get("metric")
    return predicted.model_copy(
        update={
            "optimizer": _optimizer(predicted.optimizer, stated),
            "loss_function": stated.get("loss", predicted.loss_function),
            "learning_rate": stated.get("learning_rate", predicted.learning_rate),
            "batch_size": stated.get("batch_size", predicted.batch_size),
            "epochs": stated.get("epochs", predicted.epochs),
            "evaluation_metric": str(metric[0]) if metric else predicted.evaluation_metric,
        }
    )


def _optimizer(predicted: str, stated: Mapping[str, Any]) -> str:
    """`SGD(momentum=0.9, weight_decay=0.0005)`: the stated class with the stated arguments that it takes.

    Momentum without a class means SGD; Nesterov's kind needs a momentum, 0.9 if none is stated.
    """
    by_momentum = ("momentum" in stated or "nesterov" in stated) and "optimizer" not in stated
    name = str(stated.get("optimizer", layer_name(predicted)))
    if by_momentum and name not in _WITH_MOMENTUM:
        name = "SGD"
    arguments = {key: f"{stated[key]:g}" for key in ("momentum", "weight_decay") if key in stated}
    if "nesterov" in stated and name == "SGD":
        arguments = {"momentum": "0.9", **arguments, "nesterov": "True"}
    if name not in _WITH_MOMENTUM:
        arguments.pop("momentum", None)
    if name == "LBFGS":
        arguments.clear()
    return f"{name}({', '.join(f'{key}={value}' for key, value in arguments.items())})" if arguments else name
