"""Techniques of training, schedules and shares of the data that are asked for stand in the code, which still learns."""

import pytest

from dlcodegen.corpus.sample import all_samples
from dlcodegen.execution.conformance.table import conformance
from dlcodegen.execution.ladder import check
from dlcodegen.report import Fact
from dlcodegen.writers.adapt import finished
from dlcodegen.writers.data_split import set_split
from dlcodegen.writers.tidy import tidy

TORCH = "gradient_accumulation mixup mixed_precision weight_average"
ADDED = {
    "image-classification/small-cnn": f"{TORCH} augmentation test_time_augmentation",
    "image-segmentation/unet-multiclass": f"{TORCH} augmentation test_time_augmentation",
    "image-regression/cnn": f"{TORCH} augmentation test_time_augmentation",
    "tabular-regression/mlp": TORCH,
    "time-series-classification/cnn-1d": TORCH,
    "audio-classification/logmel-cnn": f"{TORCH} spec_augment",
    "text-classification/text-cnn": "gradient_accumulation mixed_precision weight_average",
    "tabular-classification/keras-mlp": "gradient_accumulation mixup weight_average",
    "image-classification/keras-small-cnn": "gradient_accumulation mixup weight_average augmentation",
}
LEFT_OUT = {
    "text-classification/text-cnn": "mixup augmentation test_time_augmentation",  # words are no numbers to be mixed
    "tabular-classification/mlp": "augmentation test_time_augmentation spec_augment",
    "keypoint-detection/coordinate-regression": "augmentation test_time_augmentation",  # a mirror image moves them
    "image-to-image/cycle-gan": "gradient_accumulation weight_average",  # a loop of its own
    "text-classification/keras-bilstm": "mixup",
    "graph-machine-learning/keras-gcn": "mixup",
}
SCHEDULES = ("cosine", "step", "plateau", "warm-up", "exponential", "one-cycle")


def facts_of(**stated: object) -> list[Fact]:
    return [Fact(name=name, value=value, text=name) for name, value in stated.items()]  # type: ignore[typeddict-item]


def extended(sample: str, **stated: object) -> str:
    return tidy(finished(all_samples()[sample].code, facts_of(**stated)))


def verdicts(sample: str, code: str, **stated: object) -> dict[str, str]:
    rows = conformance(code, all_samples()[sample].plan, facts_of(**stated))
    return {row["name"]: row["verdict"] for row in rows if row["name"] in stated}


def cases(table: dict[str, str]) -> list[tuple[str, str]]:
    return [(sample, name) for sample, names in table.items() for name in names.split()]


@pytest.mark.parametrize(("sample", "technique"), cases(ADDED))
def test_a_technique_is_put_in_and_seen(sample: str, technique: str) -> None:
    code = extended(sample, **{technique: True})
    compile(code, sample, "exec")
    assert verdicts(sample, code, **{technique: True}) == {technique: "honoured"}
    assert tidy(finished(code, facts_of(**{technique: True}))) == code  # once


@pytest.mark.parametrize("sample", ["image-classification/small-cnn", "image-classification/keras-small-cnn"])
def test_gradients_are_accumulated_over_as_many_batches_as_are_stated(sample: str) -> None:
    stated = {"gradient_accumulation": True, "accumulation_steps": 8}
    code = extended(sample, **stated)
    assert verdicts(sample, code, **stated) == dict.fromkeys(stated, "honoured")
    assert verdicts(sample, code, accumulation_steps=4) == {"accumulation_steps": "contradicted"}
    assert verdicts(sample, extended(sample), accumulation_steps=4) == {"accumulation_steps": "not found"}


@pytest.mark.parametrize(("sample", "technique"), cases(LEFT_OUT))
def test_where_it_does_not_fit_nothing_is_put_in(sample: str, technique: str) -> None:
    assert extended(sample, **{technique: True}) == extended(sample)


@pytest.mark.parametrize("sample", ["image-classification/small-cnn", "image-classification/keras-small-cnn"])
@pytest.mark.parametrize("schedule", SCHEDULES)
def test_a_schedule_is_put_in_and_seen(sample: str, schedule: str) -> None:
    code = extended(sample, scheduler=schedule)
    compile(code, sample, "exec")
    assert verdicts(sample, code, scheduler=schedule) == {"scheduler": "honoured"}


@pytest.mark.parametrize("shares", ["80/10/10", "70/20/10", "60/20/20", "90/5/5", "80/20"])
@pytest.mark.parametrize(
    "sample",
    [
        "image-classification/small-cnn",
        "text-classification/text-cnn",
        "time-series-forecasting/lstm",
        "translation/transformer",
        "image-segmentation/unet-binary",
        "tabular-regression/keras-mlp",
    ],
)
def test_the_data_is_split_as_stated(sample: str, shares: str) -> None:
    code = extended(sample, split=shares)
    compile(code, sample, "exec")
    assert verdicts(sample, code, split=shares) == {"split": "honoured"}
    assert "70/15/15" not in code


@pytest.mark.parametrize("shares", ["50/50/50", "100/0/0", "nonsense", "70/15/15"])
def test_shares_that_make_no_whole_change_nothing(shares: str) -> None:
    code = all_samples()["image-classification/small-cnn"].code
    assert set_split(code, shares) == code


ALL_AT_ONCE = {
    "image-classification/small-cnn": {"scheduler": "one-cycle", "split": "80/10/10"},
    "image-regression/cnn": {"scheduler": "exponential", "split": "70/20/10"},
    "tabular-classification/keras-mlp": {"scheduler": "one-cycle", "split": "80/10/10"},
}


@pytest.mark.parametrize("sample", ALL_AT_ONCE)
def test_with_all_of_them_a_script_runs_and_learns(sample: str) -> None:
    stated = {**dict.fromkeys(ADDED[sample].split(), True), **ALL_AT_ONCE[sample]}
    report = check(extended(sample, **stated), all_samples()[sample].plan, facts_of(**stated))
    assert report["status"] == "passed", report["error"]
    honoured = {row["name"] for row in report["conformance"] if row["verdict"] == "honoured"}
    assert honoured >= stated.keys()


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("sample", [name for name in ADDED if name not in ALL_AT_ONCE])
def test_every_other_script_runs_and_learns_with_all_of_them(sample: str) -> None:
    stated = dict.fromkeys(ADDED[sample].split(), True)
    report = check(extended(sample, **stated), all_samples()[sample].plan, facts_of(**stated))
    assert report["status"] == "passed", report["error"]
