"""A Keras project climbs the same ladder."""

import pytest

from dlcodegen.execution.ladder import RUNGS, check
from tests.small_keras_script import KERAS_SCRIPT


def test_it_climbs_to_the_top() -> None:
    report = check(KERAS_SCRIPT, None, [])
    assert report["status"] == "passed", report["error"]
    assert [rung["name"] for rung in report["rungs"]] == list(RUNGS)
    said = {rung["name"]: rung["message"] for rung in report["rungs"]}
    assert said["build"] == "Sequential: 16x2 -> 16x4"
    assert said["smoke run"].startswith("50 steps")


@pytest.mark.parametrize(
    ("old", "new", "rung"),
    [
        ("keras.layers.Dense(4,", "keras.layers.Dense(3,", "build"),  # a class that has no output
        ("json.dumps(metrics)", "json.dumps({'accuracy': 0.01})", "judgement"),
        ('model.save_weights(out / "model.weights.h5")', 'print("saved")', "reload"),
    ],
)
def test_a_fault_is_caught(old: str, new: str, rung: str) -> None:
    assert old in KERAS_SCRIPT
    error = check(KERAS_SCRIPT.replace(old, new), None, [])["error"]
    assert error is not None
    assert error["rung"] in (rung, "smoke run" if rung == "build" else rung)


def test_a_layer_that_drops_out_in_training_only_is_no_fault() -> None:
    """Keras tells its layers with each call whether they train; the mode of their modules means nothing."""
    recurrent = (
        "keras.Input((2,)), keras.layers.Reshape((2, 1)), keras.layers.LSTM(32, dropout=0.05), keras.layers.Dense(4,"
    )
    start = 'keras.Input((2,)), keras.layers.Dense(32, activation="relu"), keras.layers.Dense(4,'
    assert start in KERAS_SCRIPT
    report = check(KERAS_SCRIPT.replace(start, recurrent), None, [])
    assert report["status"] == "passed", report["error"]
