"""Plan conformance: what the running model shows decides where it shows more than the code."""

from typing import Any

import pytest

from dlcodegen.report import Seen, Verdict
from tests.execution.conformance_cases import (
    BUILT,
    KERAS,
    TORCH,
    keras_plan,
    layer,
    model,
    row,
    rows,
    seen,
    torch_plan,
    verdicts,
)


def test_a_run_that_shows_the_same_changes_nothing() -> None:
    assert rows(TORCH, torch_plan(), seen()) == rows(TORCH, torch_plan())


@pytest.mark.parametrize(
    ("name", "changes", "evidence"),
    [
        ("input", {"inputs": [[8, 3, 64, 64]]}, "the running model gets (N, 3, 64, 64)"),
        ("output", {"outputs": [[8, 5]]}, "the running model gives (N, 5)"),
        ("loss", {"losses": ["mse_loss"]}, "the running script computes mse_loss"),
        (
            "optimizer",
            {"optimizers": [{"name": "SGD", "settings": {"lr": 0.1, "momentum": 0}}]},
            "the running script's optimizer is SGD(lr=0.1)",
        ),
        (
            "optimizer",
            {"optimizers": [{"name": "AdamW", "settings": {"lr": 0.001}}]},
            "the running script's optimizer is AdamW(lr=0.001)",
        ),
        (
            "learning_rate",
            {"optimizers": [{"name": "SGD", "settings": {"lr": 0.002, "initial_lr": 0.02, "momentum": 0.9}}]},
            "the running script's optimizer is SGD(lr=0.02)",
        ),
        ("category", {"outputs": [[8, 4, 32, 32]]}, "the running model gives (N, 4, 32, 32): something for each pixel"),
    ],
)
def test_a_run_that_shows_something_else_contradicts(name: str, changes: dict[str, Any], evidence: str) -> None:
    found = row(TORCH, torch_plan(), name, seen(**changes))
    assert (found["verdict"], found["evidence"], found["line"]) == ("contradicted", evidence, None)


def test_a_learning_rate_that_a_schedule_may_have_changed_is_not_judged() -> None:
    shown = seen(optimizers=[{"name": "SGD", "settings": {"lr": 0.0002, "momentum": 0.9}}])
    assert row(TORCH, torch_plan(), "learning_rate", shown)["verdict"] == "honoured"


def test_a_run_shows_what_the_code_hides() -> None:
    code = "import torch\nfrom helpers import make\n\nmodel, optimizer = make()\n"
    plan = torch_plan(layers=["Conv2D(32, kernel_size=3)", "Dense(10)", "Dense(20)"])
    found = {one["name"]: one for one in rows(code, plan, seen()) if one["name"] != "layer"}
    for name in ("optimizer", "learning_rate", "loss", "input"):
        assert found[name]["verdict"] == "honoured", name
        assert found[name]["line"] is None
        assert found[name]["evidence"].startswith("the running ")
    assert verdicts(code, *plan.layers, seen=seen()) == ["honoured", "honoured", "not found"]


def test_a_layer_that_is_named_but_never_built_is_contradicted() -> None:
    shown = seen(layers=[text for text in BUILT if "Dropout" not in text])
    found = layer(TORCH, "Dropout(0.3)", shown)
    assert (found["verdict"], found["evidence"]) == ("contradicted", "the running model has no Dropout")


def test_numbers_that_the_code_hides_are_compared_with_what_was_built() -> None:
    code = TORCH.replace("nn.Linear(32, num_classes)", "nn.Linear(32, len(self.names))")
    assert layer(code, "Dense(7)")["verdict"] == "honoured"
    found = layer(code, "Dense(7)", seen())
    assert (found["verdict"], found["evidence"]) == (
        "contradicted",
        "the running model has Linear(in_features=32, out_features=10, bias=True)",
    )
    assert verdicts(code, "Dense(10)", "Dense(10)", seen=seen()) == ["honoured", "not found"]


def test_an_lstm_of_two_layers_stands_for_two() -> None:
    code = model("self.layers = nn.LSTM(8, 64, num_layers=2)")
    shown = seen(layers=["LSTM(8, 64, num_layers=2, batch_first=True)"])
    for run in (None, shown):
        assert verdicts(code, "LSTM(64)", "LSTM(64)", "LSTM(64)", seen=run) == ["honoured", "honoured", "not found"]


def test_what_smoke_mode_makes_smaller_contradicts_nothing() -> None:
    capped = TORCH.replace("return replace(self, ", "return replace(self, image_height=min(self.image_height, 16), ")
    plan = torch_plan()
    small = seen(inputs=[[8, 3, 16, 32]])
    assert row(TORCH, plan, "input", small)["verdict"] == "contradicted"
    assert row(capped, plan, "input", small)["verdict"] == "honoured"
    assert row(capped, plan, "input", seen(inputs=[[8, 3, 64, 64]]))["verdict"] == "contradicted"
    loose = TORCH.replace("image_height=", "image_height=").replace(
        "return replace(self, ", "return replace(self, image_height=min(self.image_height, 512), "
    )
    assert row(loose, plan, "input", small)["verdict"] == "contradicted"


def test_batch_size_and_epochs_are_never_judged_by_a_smoke_run() -> None:
    assert row(TORCH, torch_plan(), "batch_size", seen(batch_size=1))["verdict"] == "honoured"


def test_where_two_models_are_trained_the_layers_of_one_contradict_nothing() -> None:
    two = [{"name": "Adam", "settings": {}}, {"name": "SGD", "settings": {"momentum": 0.9}}]
    assert verdicts(TORCH, "Dropout(0.3)", seen=seen(layers=BUILT[:1], optimizers=two)) == ["honoured"]


def test_keras_layers_are_read_as_the_observer_prints_them() -> None:
    built = [
        "Embedding(input_dim=5000, output_dim=64)",
        "Bidirectional(LSTM(units=128))",
        "Dropout(rate=0.5)",
        "Dense(units=3, activation=softmax)",
    ]
    shown = Seen(framework="keras", layers=built, inputs=[[32, 80]], outputs=[[32, 3]])
    assert [one["verdict"] for one in rows(KERAS, keras_plan(), shown) if one["name"] == "layer"] == ["honoured"] * 4
    shown["layers"] = [*built[:-1], "Dense(units=7)"]
    assert rows(KERAS, keras_plan(), shown)[-1]["verdict"] == "contradicted"


@pytest.mark.parametrize(
    "changes",
    [{"layers": ["", ")(", "Linear(", "Linear(in_features=1, out_features=" + "9" * 300]}, {"inputs": [[]]},
     {"outputs": [[], [0]]}, {"optimizers": [{"name": "", "settings": {}}]}, {"losses": [""]}],
)  # fmt: skip
def test_whatever_a_run_claims_there_is_a_row_for_each_field(changes: dict[str, Any]) -> None:
    assert len(rows(TORCH, torch_plan(), seen(**changes))) == len(rows(TORCH, torch_plan()))


def test_where_the_script_makes_two_models_the_layers_of_one_contradict_nothing() -> None:
    code = TORCH.replace("return SmallCNN(config.channels", "return nn.Linear(2, 2), SmallCNN(config.channels")
    assert verdicts(code, "Dropout(0.3)", "Dense(10)", seen=seen(layers=BUILT[:1])) == ["honoured", "honoured"]


@pytest.mark.parametrize(
    ("planned", "returned", "losses", "verdict"),
    [
        ("cross-entropy", "make()", ["cross_entropy"], "honoured"),
        ("cross-entropy", "FocalLoss()", ["FocalLoss", "cross_entropy"], "contradicted"),
        ("smooth L1 + cross-entropy", "nn.CrossEntropyLoss()", ["cross_entropy"], "not found"),
        ("mean squared error", "make()", ["cross_entropy"], "not found"),
    ],
)
def test_a_loss_may_use_others_inside(planned: str, returned: str, losses: list[str], verdict: Verdict) -> None:
    code = TORCH.replace("nn.CrossEntropyLoss()", returned)
    assert row(code, torch_plan(loss_function=planned), "loss", seen(losses=losses))["verdict"] == verdict


def test_a_rate_that_one_cycle_replaces_is_not_judged() -> None:
    settings = {"lr": 0.0004, "initial_lr": 0.0004, "max_lr": 0.01, "momentum": 0.9}
    shown = seen(optimizers=[{"name": "SGD", "settings": settings}])
    assert row(TORCH, torch_plan(), "learning_rate", shown)["verdict"] == "honoured"
