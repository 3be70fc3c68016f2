"""Every metric of classes or of a positive class that is asked for is reported by each script that can report it."""

import pytest

from dlcodegen.corpus.sample import all_samples
from dlcodegen.execution.conformance.table import conformance
from dlcodegen.execution.ladder import check
from dlcodegen.report import Fact
from dlcodegen.writers.adapt import finished
from dlcodegen.writers.tidy import tidy

METRICS = (
    *("accuracy", "precision", "recall", "f1", "roc_auc", "average_precision", "balanced_accuracy", "specificity"),
    *("mcc", "cohen_kappa"),
)
SCRIPTS = (
    "anomaly-detection/autoencoder",
    "anomaly-detection/keras-image-autoencoder",
    "audio-classification/keras-logmel-cnn",
    "graph-machine-learning/graph-classification",
    "image-classification/frozen-backbone",
    "image-classification/imbalanced",
    "image-classification/keras-resnet",
    "image-classification/vision-transformer",
    "multimodal-classification/keras-image-text",
    "tabular-classification/binary-mlp",
    "tabular-classification/keras-mlp",
    "text-classification/char-cnn",
    "time-series-classification/cnn-1d",
    "video-classification/cnn-gru",
)
RUN = ("anomaly-detection/autoencoder", "image-classification/imbalanced", "tabular-classification/keras-mlp")


def reporting(sample: str, *metrics: str) -> str:
    return tidy(finished(all_samples()[sample].code, [Fact(name="metric", value=list(metrics), text="")]))


@pytest.mark.parametrize("sample", SCRIPTS)
def test_every_metric_is_reported_once(sample: str) -> None:
    code = reporting(sample, *METRICS)
    compile(code, sample, "exec")
    for name in METRICS:
        rows = conformance(code, all_samples()[sample].plan, [Fact(name="metric", value=[name], text=name)])
        assert {row["verdict"] for row in rows if row["name"] == "metric"} == {"honoured"}, name
    assert reporting(sample, *METRICS) == tidy(finished(code, [Fact(name="metric", value=list(METRICS), text="")]))


@pytest.mark.parametrize("sample", ["image-segmentation/unet-multiclass", "image-segmentation/keras-unet-binary"])
def test_of_masks_too(sample: str) -> None:
    code = reporting(sample, "precision", "recall", "f1", "iou", "dice")
    assert all(f'"{name}":' in code for name in ("precision", "recall", "f1", "iou", "dice"))


@pytest.mark.parametrize("sample", ["translation/transformer", "image-regression/cnn", "recommendation/two-tower"])
def test_where_it_means_nothing_it_is_left_out(sample: str) -> None:
    assert reporting(sample, "roc_auc", "mcc") == reporting(sample)


@pytest.mark.parametrize("sample", RUN)
def test_the_scripts_run_with_all_of_them(sample: str) -> None:
    _run(sample)


@pytest.mark.slow
@pytest.mark.parametrize("sample", [sample for sample in SCRIPTS if sample not in RUN])
def test_so_do_the_others(sample: str) -> None:
    _run(sample)


def _run(sample: str) -> None:
    report = check(reporting(sample, *METRICS), all_samples()[sample].plan, [])
    assert report["status"] == "passed", report["error"]
    assert set(METRICS) <= set(report["metrics"])
    assert all(-1 <= report["metrics"][name] <= 1 for name in METRICS)
