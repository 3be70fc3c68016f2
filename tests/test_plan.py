"""The plan prints as the paper's JSON and reads it back, drifted spellings included; what is wrong is named."""

import json
from typing import Any

import pytest

from dlcodegen.corpus.sample import Sample, all_samples
from dlcodegen.errors import InputError
from dlcodegen.plan import SolutionPlan, layer_call, layer_name

PAPER: dict[str, Any] = {
    "Task Category": "Image Classification",
    "Dataset": {"Input": "images", "Output": "one of 5 classes"},
    "Preprocess": "scale pixels",
    "Model Architecture": {
        "Layers": ["Conv2D(32, kernel_size=3)", "Dense(5)"],
        "Hyperparameters": {
            "optimizer": "Adam",
            "loss function": "cross-entropy",
            "learning rate": 0.001,
            "batch size": 32,
            "epochs": 10,
            "evaluation metric": "accuracy",
        },
    },
}


@pytest.mark.parametrize("sample", all_samples().values(), ids=lambda sample: sample.id)
def test_a_plan_survives_its_json(sample: Sample) -> None:
    assert SolutionPlan.from_text(json.dumps(sample.plan.to_paper())) == sample.plan


def test_the_papers_json_is_printed_as_it_was_read() -> None:
    assert SolutionPlan.from_paper(PAPER).to_paper() == PAPER


def test_drifted_spellings_are_read() -> None:
    drifted = {
        "task": "semantic image segmentation",
        "Data": {"INPUT": ["RGB images", "masks"], "output": {"mask": "one per image"}},
        "Preprocessing": "resize",
        "Model architecture": {
            "layers": {"encoder": ["Conv2D(8)"], "decoder": ["Conv2D(1)"]},
            "Hypermeters": {
                "Optimizer": "SGD", "Loss": "Dice loss", "lr": "1e-2 (cosine)", "batch_size": "16 images", "Epoch": 5.0,
                "Metrics": ["IoU", "Dice"],
            },
        },
    }  # fmt: skip
    plan = SolutionPlan.from_paper(drifted)
    assert (plan.category, plan.input, plan.output) == (
        "image-segmentation",
        "RGB images, masks",
        "mask: one per image",
    )
    assert plan.layers == ["Conv2D(8)", "Conv2D(1)"]
    hyper = plan.hyperparameters
    assert (hyper.learning_rate, hyper.batch_size, hyper.epochs) == (0.01, 16, 5)
    assert (hyper.loss_function, hyper.evaluation_metric) == ("Dice loss", "IoU, Dice")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"Dataset": {}}, "the plan lacks: input, output"),
        ({"Dataset": {"Input": "", "Output": "x"}}, "the plan's input: String should have at least 1 character"),
    ],
)
def test_what_is_missing_is_named(change: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        SolutionPlan.from_paper({**PAPER, **change})


@pytest.mark.parametrize(("name", "value"), [("batch size", "many"), ("learning rate", None), ("epochs", 0)])
def test_a_number_that_cannot_be_is_named(name: str, value: object) -> None:
    changed = json.loads(json.dumps(PAPER))
    changed["Model Architecture"]["Hyperparameters"][name] = value
    with pytest.raises(InputError, match=r"no number where one is needed|greater than 0"):
        SolutionPlan.from_paper(changed)


def test_text_that_is_no_plan_is_refused() -> None:
    with pytest.raises(InputError, match="the plan is no JSON: "):
        SolutionPlan.from_text("{")
    with pytest.raises(InputError, match="the plan is no JSON object"):
        SolutionPlan.from_text("[1]")


def test_layers_are_read_as_calls() -> None:
    assert layer_name("Bidirectional(LSTM(64))") == "LSTM"
    assert layer_call("Dense(5)") is not None
    assert layer_call("a dense layer") is None
    assert layer_call("nn.Linear(5)") is None
