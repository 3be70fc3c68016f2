"""What is concluded from the judge's record, made by hand, and what the judge finds in scripts that cheat."""

import io
import json
from typing import Any

import numpy as np
import pytest

from dlcodegen.execution.judgement.evidence import direction
from dlcodegen.execution.judgement.outside_score import read_array, score
from dlcodegen.execution.judgement.verdict import (
    ARTEFACTS,
    FACTS,
    Judgement,
    beside,
    driver,
    judge_artefacts,
    judge_facts,
)
from dlcodegen.execution.sandbox.limits import Limits
from dlcodegen.execution.sandbox.run import run_script
from dlcodegen.execution.script import METRICS, SMOKE_ARGUMENTS, WEIGHT_ENDINGS
from dlcodegen.plan import SolutionPlan
from tests.small_keras_script import KERAS_SCRIPT
from tests.small_script import SCRIPT, edited

GOOD = {"accuracy": 0.975, "f1": 0.97}
POOR = {"accuracy": 0.25, "f1": 0.1}
OTHER = {"accuracy": 0.95, "f1": 0.94}
PREDICT = {
    "kind": "array",
    "given": [8, 2],
    "shape": [8],
    "dtype": "int64",
    "finite": True,
    "rows": 40,
    "distinct": 4,
    "repeatable": True,
}
RECORD: dict[str, Any] = {
    "unchanged": [0, 4],
    "tensors": 4,
    "predict": PREDICT,
    "train_mode": [],
    "evaluated": [GOOD],
    "leak": [0.0, 0.0],
    "validation_leak": [0.0, 0.0],
    "test_validated": [0.0, 0.0],
    "probe": "",
    "inputs": [8, 2],
    "outputs": [8, 4],
    "alone": [0, 2],
    "whole": True,
    "trained": [GOOD],
    "untrained": POOR,
    "fresh": OTHER,
    "fresh_predict": PREDICT,
    "shortened": False,
    "unused_evaluate": False,
    "seconds": 1.0,
}


def plan(output: str = "one of 4 classes, shape (N,)", category: str = "tabular-classification") -> SolutionPlan:
    hyperparameters = {
        "optimizer": "Adam",
        "loss function": "cross-entropy",
        "learning rate": 0.01,
        "batch size": 16,
        "epochs": 5,
        "evaluation metric": "F1",
    }
    dataset = {"Input": "points, shape (N, 2)", "Output": output}
    return SolutionPlan.from_paper(
        {
            "Task Category": category,
            "Dataset": dataset,
            "Model Architecture": {"Layers": ["Dense(4)"], "Hyperparameters": hyperparameters},
        }
    )


def npy(array: Any) -> bytes:
    stream = io.BytesIO()
    np.save(stream, np.asarray(array))
    return stream.getvalue()


def outputs_for(targets: Any, right: int, height: float = 4.0) -> bytes:
    """Logits (N, 4) of which the first `right` point to the target, and the others beside it."""
    logits = np.zeros((len(targets), 4), np.float32)
    shift = (np.arange(len(targets)) >= right).astype(int)
    logits[np.arange(len(targets)), (np.asarray(targets) + shift) % 4] = height
    return npy(logits)


TARGETS = np.arange(40) % 4
ARRAYS = {
    "outputs": outputs_for(TARGETS, 39),
    "targets": npy(TARGETS),
    "untrained_outputs": outputs_for(TARGETS, 10, 0.1),
    "untrained_targets": npy(TARGETS),
}


def judged(
    changes: dict[str, Any] | None = None,
    arrays: dict[str, bytes] | None = None,
    claimed: dict[str, float] | None = None,
    losses: tuple[float, float] | None = (1.4, 0.2),
    of: SolutionPlan | None = None,
) -> Judgement:
    record = json.loads(json.dumps(RECORD | (changes or {})))
    left = {name: content for name, content in (ARRAYS | (arrays or {})).items() if content}
    return judge_facts(record, left, claimed or GOOD, of or plan(), losses)


def problem(found: Judgement) -> tuple[str, str]:
    """Rung and name of the problem."""
    assert found.problem is not None, found.summary
    return found.rung, found.problem[0]


def test_an_honest_record_passes_with_its_evidence_in_a_line() -> None:
    found = judged()
    assert found.problem is None
    assert found.reloaded == "4 tensors loaded, predict() gives int64 (8,)"
    assert found.summary == "f1 0.97 on held-out data (untrained 0.1, other seed 0.94), as claimed"


SAME = {"trained": [GOOD], "untrained": GOOD, "fresh": GOOD, "evaluated": [GOOD]}
SCORED = {"trained": [{"map_50": 0.9}], "untrained": {"map_50": 0.9}, "evaluated": [{"map_50": 0.9}]}
NO_ARRAYS = dict.fromkeys(ARRAYS, b"")


@pytest.mark.parametrize(
    ("changes", "rung", "name"),
    [
        ({"weights": "model.pt lacks head.bias"}, "reload", "weights not loadable"),
        ({"predict": PREDICT | {"finite": False}}, "reload", "not finite"),
        ({"fresh_predict": PREDICT | {"finite": False}}, "reload", "not finite"),
        ({"predict": PREDICT | {"shape": [4]}}, "reload", "wrong shape"),
        ({"unchanged": [4, 4]}, "judgement", "not trained"),
        ({"train_mode": ["Dropout in evaluate()"]}, "judgement", "training mode"),
        ({"trained": [POOR], "evaluated": [POOR]}, "judgement", "claim not reproduced"),
        ({"trained": [POOR, OTHER | {"accuracy": 0.2}], "evaluated": [POOR]}, "judgement", "claim not reproduced"),
        ({"evaluated": [GOOD | {"f1": 0.9}]}, "judgement", "metrics made up"),
        (SAME | {"unused_evaluate": True, "evaluated": []}, "judgement", "metrics made up"),
        (SAME, "judgement", "constant metrics"),
        ({"leak": [0.9, 0.1]}, "judgement", "data leak"),
        ({"validation_leak": [1.0, 0.0]}, "judgement", "data leak"),
        ({"test_validated": [1.0, 0.0]}, "judgement", "data leak"),
        ({"alone": [2, 2]}, "judgement", "batch dependence"),
        ({"predict": PREDICT | {"repeatable": False}}, "judgement", "random predictions"),
        ({"predict": PREDICT | {"distinct": 1}}, "judgement", "constant predictions"),
    ],
)
def test_a_problem_is_named_with_its_rung(changes: dict[str, Any], rung: str, name: str) -> None:
    assert problem(judged(changes)) == (rung, name)


@pytest.mark.parametrize(
    ("arrays", "name"),
    [
        ({"outputs": npy(np.ones((40, 4)))}, "constant outputs"),
        ({"outputs": npy(np.full((40, 4), np.nan))}, "not finite"),
        ({"outputs": outputs_for(TARGETS, 12)}, "claim contradicted"),
        ({"untrained_outputs": outputs_for(TARGETS, 40)}, "claim contradicted"),  # evaluate() said 0.25
    ],
)
def test_the_raw_outputs_have_the_last_word(arrays: dict[str, bytes], name: str) -> None:
    assert problem(judged(arrays=arrays)) == ("judgement", name)


def test_main_that_never_trains_fails_unless_a_training_loss_was_seen() -> None:
    record = {"untrained_main": "main() ends without calling train()"}
    assert problem(judge_facts(record, {}, GOOD, None)) == ("judgement", "not trained")
    assert judge_facts(record, {}, GOOD, None, (1.0, 0.5)).summary.startswith("not applicable: main() ends")


def test_what_cannot_be_replayed_is_not_believed() -> None:
    record = {"not_applicable": "main() cannot be replayed: OSError: not here"}
    assert problem(judge_facts(record, {}, GOOD, None, (1.0, 0.5))) == ("judgement", "not replayable")


def test_a_metric_that_scatters_has_room_in_proportion() -> None:
    scattered = [{"mse": 0.20}, {"mse": 0.17}, {"mse": 0.19}]
    changes = {"trained": scattered, "evaluated": [scattered[0]], "untrained": {"mse": 1.0}}
    assert judged(changes, NO_ARRAYS, {"mse": 0.21}).problem is None
    assert problem(judged(changes, NO_ARRAYS, {"mse": 0.05})) == ("judgement", "claim not reproduced")


@pytest.mark.parametrize(
    ("changes", "arrays", "claimed"),
    [
        # What repeats by chance, as the few different sentences of a small language do.
        ({"leak": [0.8, 0.7]}, {}, GOOD),
        # Seconds, epochs and losses of the training are not repeated.
        (
            {"trained": [GOOD | {"seconds": 0.1, "best_loss": 9.0}], "evaluated": [GOOD]},
            {},
            GOOD | {"seconds": 7.0, "best_loss": 0.3},
        ),
        # main() writes percent, or rounds.
        ({"trained": [{"f1": 97.0}], "untrained": {"f1": 10.0}}, {}, {"f1": 97.0}),
        ({"trained": [{"f1": 0.97}], "evaluated": [{"f1": 0.9738}]}, {}, {"f1": 0.97}),
        # It writes the mean of several calls.
        ({"trained": [{"f1": 0.9}], "evaluated": [{"f1": 0.85}, {"f1": 0.95}]}, {}, {"f1": 0.9}),
        # The metrics come from train(), which ran for one epoch only when it was replayed.
        (SAME | {"trained": [POOR], "untrained": POOR, "evaluated": [], "shortened": True}, {}, GOOD),
        # Both networks answer with one class: they score alike on any data.
        ({"untrained": POOR, "fresh": POOR}, {"outputs": outputs_for(TARGETS, 10)}, POOR),
        # One example of two alone differs: too little to tell.
        ({"alone": [1, 2]}, {}, GOOD),
        # predict() decides for one class where nearly all outputs do.
        ({"predict": PREDICT | {"distinct": 1}}, {"outputs": npy(np.eye(4)[[0] * 39 + [1]])}, {"f1": 0.97}),
        ({"predict": None, "fresh_predict": None, "alone": None, "leak": None, "fresh": None}, {}, GOOD),
    ],
)
def test_no_alarm_without_evidence(
    changes: dict[str, Any], arrays: dict[str, bytes], claimed: dict[str, float]
) -> None:
    changes = {"trained": [claimed], "evaluated": [claimed]} | changes
    assert judged(changes, arrays, claimed, of=plan(category="other")).problem is None


def test_constant_metrics_without_raw_outputs() -> None:
    assert problem(judged(SCORED | {"fresh": {"map_50": 0.9}}, NO_ARRAYS, {"map_50": 0.9}))[1] == "constant metrics"
    assert judged(SCORED | {"fresh": {"map_50": 0.8}}, NO_ARRAYS, {"map_50": 0.9}).problem is None


@pytest.mark.parametrize(
    ("output", "dtype", "shape", "model", "agrees"),
    [
        ("class ids, shape (N,)", "int64", [8], [8, 4], True),
        ("class ids, shape (N,)", "float32", [8, 4], [8, 4], True),  # logits
        ("logits, shape (N, 4)", "int64", [8], [8, 4], True),
        ("mask, shape (N, 1, 6, 6)", "uint8", [8, 6, 6], [8, 3, 6, 6], True),
        ("12 values, shape (N, 12)", "float32", [8, 12], [8, 12], True),
        ("12 values, shape (N, 12)", "float32", [8, 1], [8, 1], False),
        ("12 values, shape (N, 12)", "float32", [8], [8], False),
        ("mask, shape (N, 1, 6, 6)", "uint8", [8, 1, 3, 3], [8, 1, 3, 3], False),
        ("boxes in words", "float32", [8, 6], [8, 7], True),
    ],
)
def test_shapes_against_the_plan(output: str, dtype: str, shape: list[int], model: list[int], agrees: bool) -> None:
    changes = {"predict": PREDICT | {"shape": shape, "dtype": dtype}, "outputs": model}
    found = judged(changes, of=plan(output))
    assert (found.problem is None) == agrees, found.problem


def test_capped_inputs_leave_only_the_number_of_dimensions() -> None:
    changes = {"predict": PREDICT | {"shape": [8, 3], "given": [8, 1]}, "inputs": [8, 1], "outputs": [8, 3]}
    assert judged(changes, of=plan("values, shape (N, 12)")).problem is None
    changes = changes | {"predict": PREDICT | {"shape": [8], "dtype": "float32", "given": [8, 1]}, "outputs": [8]}
    assert problem(judged(changes, of=plan("values, shape (N, 12)"))) == ("reload", "wrong shape")


def test_smoke_mode_may_train_too_little() -> None:
    changes = {"trained": [POOR], "evaluated": [POOR], "fresh": POOR, "untrained": POOR | {"f1": 0.2}}
    worse = {"outputs": outputs_for(TARGETS, 10, 0.2)}
    assert "smoke mode trains too little to tell" in judged(changes, worse, POOR).summary
    assert problem(judged(changes, worse, POOR, losses=(1.4, 2.9))) == ("judgement", "nothing learned")
    assert judged(changes, worse, POOR, (1.4, 2.9), plan(category="reinforcement-learning")).problem is None
    astray = {"outputs": outputs_for(TARGETS, 10, 40.0)}
    assert problem(judged(changes, astray, POOR)) == ("judgement", "worse than untrained")


@pytest.mark.parametrize(
    "record",
    [
        [],
        None,
        {"trained": 7},
        {"trained": [[1]]},
        {"predict": {"kind": "x" * 10_000}},
        {"predict": {"kind": "array", "shape": [-1]}},
        {"leak": ["NaN", 0]},
        {"leak": [float("nan"), 0]},
        {"inputs": list(range(1000))},
        {"unchanged": [1, 2, 3]},
        {"alone": {}},
        {"weights": "x" * 100_000},
        {"tensors": 10**400},
    ],
)
def test_a_record_that_is_none_is_a_problem_of_the_script(record: Any) -> None:
    assert problem(judge_facts(record, {}, GOOD, None)) == ("reload", "unreadable record")


@pytest.mark.parametrize("name", sorted(RECORD))
@pytest.mark.parametrize("value", [None, True, -1, 1e400, "\x1b[31m", [], {}, [[]], {"a": "b"}, [None, "x"], 10**30])
def test_no_field_can_raise(name: str, value: Any) -> None:
    judge_facts(RECORD | {name: value}, ARRAYS, GOOD, plan())


@pytest.mark.parametrize("content", [b"", b"[" * 100_000, b"\xff\xfe", b'{"leak": Infinity}'])
def test_a_file_that_is_no_record(content: bytes) -> None:
    assert problem(judge_artefacts({FACTS: content}, GOOD, None)) == ("reload", "unreadable record")


def hostile_arrays() -> dict[str, bytes]:
    good = npy(np.zeros(4))
    pickled = io.BytesIO()
    np.save(pickled, np.array([{}], dtype=object), allow_pickle=True)
    return {
        "empty": b"x",
        "cut off": good[:-8],
        "longer than it says": good + b"\0" * 8,
        "a pickle": pickled.getvalue(),
        "larger than memory": good.replace(b"(4,)", b"(9" + b"0" * 12 + b",)")[: len(good)],
        "no numbers": npy(np.array(["a"])),
        "no dimension": npy(np.float64(1)),
        "too large": npy(np.zeros(3 << 20)),
    }


@pytest.mark.parametrize("name", hostile_arrays())
def test_arrays_of_a_stranger(name: str) -> None:
    content = hostile_arrays()[name]
    with pytest.raises(ValueError):
        read_array(content)
    assert problem(judged(arrays={"outputs": content})) == ("reload", "unreadable record")


def test_arrays_come_back_as_they_were() -> None:
    for array in (np.arange(6.0).reshape(2, 3), np.asfortranarray(np.arange(6).reshape(2, 3)), np.zeros((0, 4))):
        assert np.array_equal(read_array(npy(array)), array)


def test_a_strangers_words_are_cleaned() -> None:
    found = judged({"train_mode": ["Drop\x1b[31mout\u202e in evaluate()"]})
    assert found.problem is not None
    assert found.problem[1].startswith("Dropout in evaluate() acts as in training")


def test_scores_are_counted_by_ourselves() -> None:
    classes = score(np.array([[2.0, 0.0], [0.0, 2.0]]), np.array([0, 0]))
    assert classes is not None
    assert classes.metrics == {"accuracy": 0.5}
    assert classes.loss == pytest.approx(1.1269, abs=1e-4)
    shares = score(np.array([[0.9, 0.1], [0.2, 0.8]]), np.array([0, 1]))
    assert shares is not None
    assert shares.loss == pytest.approx(-(np.log(0.9) + np.log(0.8)) / 2)
    pixels = score(np.random.default_rng(0).normal(size=(2, 3, 4, 4)), np.zeros((2, 4, 4), np.int64))
    tokens = score(np.random.default_rng(0).normal(size=(2, 5, 7)), np.full((2, 5), -100))
    labels = score(np.array([[3.0], [-3.0]]), np.array([1.0, 1.0]))
    numbers = score(np.array([[1.0], [3.0]]), np.array([0.5, 3.5]))
    assert pixels is not None
    assert not pixels.one_of_many
    assert tokens is None
    assert labels is not None
    assert labels.metrics == {"accuracy": 0.5}
    assert numbers is not None
    assert numbers.metrics == {"mse": 0.25, "rmse": 0.5, "mae": 0.5}


@pytest.mark.parametrize(
    ("outputs", "targets"),
    [
        (np.zeros((2, 3, 3)), np.zeros((2, 3), np.int64)),  # which axis are the classes?
        (np.zeros((2, 3)), np.array([0, 3])),
        (np.zeros((2, 16)), np.zeros(2)),
        (np.full((2, 3), np.inf), np.array([0, 1])),
        (np.zeros((0, 3)), np.zeros(0, np.int64)),
    ],
)
def test_what_fits_nothing_is_not_scored(outputs: Any, targets: Any) -> None:
    assert score(outputs, targets) is None


@pytest.mark.parametrize(
    ("name", "sense"),
    [
        ("accuracy", 1),
        ("roc_auc", 1),
        ("map_50", 1),
        ("hamming_loss", -1),
        ("word_error_rate", -1),
        ("RMSE", -1),
        ("delta_1", 1),
        ("seconds", 0),
        ("", 0),
    ],
)
def test_directions(name: str, sense: int) -> None:
    assert direction(name) == sense


# The judge at work: one run, then the judgement of what it left, each in the sandbox.

PREDICTED = (
    "    out = Path(config.out)\n",
    "    predict(model, next(iter(test_loader))[0])\n    out = Path(config.out)\n",
)
EVALUATED = "    metrics = evaluate(model, test_loader)\n"


def judgement_of(code: str, losses: tuple[float, float] | None = (1.4, 0.2)) -> Judgement:
    weights = (f"outputs/*{ending}" for ending in WEIGHT_ENDINGS)
    first = run_script(code, SMOKE_ARGUMENTS, Limits(), (METRICS, *weights))
    assert first.exit_code == 0, first.stderr
    again = run_script(code, SMOKE_ARGUMENTS, Limits(), ARTEFACTS, driver=driver(), beside=beside(first.artefacts))
    assert again.exit_code == 0, again.stderr
    return judge_artefacts(again.artefacts, json.loads(first.artefacts[METRICS]), plan(), losses)


@pytest.mark.parametrize(
    "code",
    [
        edited(PREDICTED),
        # main() needs what train() returns.
        edited(
            ("            optimizer.step()\n", "            optimizer.step()\n    return model, [loss.item()]\n"),
            ("    train(model, train_loader", "    model, history = train(model, train_loader"),
            ("json.dumps(metrics)", 'json.dumps(metrics | {"loss": history[-1]})'),
        ),
        edited((EVALUATED, "    model.register_buffer('threshold', torch.rand(1))\n" + EVALUATED)),
        edited(("torch.save(model.state_dict(),", "torch.save({'epoch': 5, 'model': model.state_dict()},")),
        KERAS_SCRIPT,
        KERAS_SCRIPT.replace('save_weights(out / "model.weights.h5")', 'save(out / "model.keras")'),
    ],
    ids=["plain", "result of train", "late buffer", "checkpoint", "keras weights", "keras archive"],
)
def test_honest_scripts(code: str) -> None:
    found = judgement_of(code)
    assert found.problem is None
    assert found.summary.startswith("accuracy 0.9")
    assert found.summary.endswith("as claimed")


@pytest.mark.parametrize(
    ("edits", "name"),
    [
        ([('    """Fit the model."""\n', '    """Fit the model."""\n    return\n')], "not trained"),
        ([("torch.save(model.state_dict(),", "torch.save(model,")], "weights not loadable"),
        ([("torch.save(model.state_dict(),", "torch.save(nn.Linear(2, 32).state_dict(),")], "weights not loadable"),
        ([("torch.save(model.state_dict(),", "torch.save(build_model(config).state_dict(),")], "claim not reproduced"),
        ([(EVALUATED, "    metrics = {'accuracy': 0.93}\n")], "metrics made up"),
        ([('return {"accuracy": right.float().mean().item()}', 'return {"accuracy": 0.93}')], "constant metrics"),
        ([("evaluate(model, test_loader)", "evaluate(model, train_loader)")], "data leak"),
        ([("nn.Linear(32, 4))", "nn.Linear(32, 4), nn.Softmax(dim=0))")], "batch dependence"),
        ([("nn.ReLU(),", "nn.ReLU(), nn.Dropout(0.2),"), ("    model.eval()\n", "")], "training mode"),
        ([PREDICTED, ("return model(inputs).argmax(dim=1)", "return model(inputs).argmax(dim=0)")], "wrong shape"),
    ],
)
def test_cheats_and_slips(edits: list[tuple[str, str]], name: str) -> None:
    assert problem(judgement_of(edited(*edits)))[1] == name


def test_metrics_overwritten_behind_main() -> None:
    forged = '    main()\n    Path("outputs/metrics.json").write_text(\'{"accuracy": 0.5}\')\n'
    assert problem(judgement_of(SCRIPT.replace("    main()\n", forged)))[1] == "claim not reproduced"
