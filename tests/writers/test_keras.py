"""The embedded writer in Keras: what is stated arrives in Keras's spelling, and the scripts run."""

import ast
from collections.abc import Callable

import pytest

from dlcodegen.execution.ladder import check
from dlcodegen.writers.framework import framework_of
from dlcodegen.writers.keras_expressions import family, optimizer_expression
from dlcodegen.writers.syntax import SyntaxWriter
from tests.writers.conftest import Job

WRITER = SyntaxWriter(seed=7)


def draft_a(job: Job) -> str:
    return WRITER.draft_from_code(job.request, job.plan, job.samples)["code"]


def draft_b(job: Job) -> str:
    return WRITER.draft_from_template(job.request, job.plan, WRITER.abstract(job.plan, job.samples))["code"]


@pytest.mark.parametrize("draft", [draft_a, draft_b])
@pytest.mark.parametrize(
    ("requirement", "expected"),
    [
        (
            "Classify 28x28 grayscale digits into 7 classes with a CNN in Keras, SGD with momentum 0.9, "
            "cosine annealing, gradient clipping at 1.0, report MCC",
            [
                "keras.optimizers.SGD(learning_rate=config.learning_rate, momentum=0.9, global_clipnorm=1.0)",
                "keras.optimizers.schedules.CosineDecay(config.learning_rate, decay_steps=config.epochs)",
                "def by_epoch(",
                '"mcc": mcc(outputs.argmax(axis=-1), targets)',
                "num_classes: int = 7",
                "channels: int = 1",
            ],
        ),
        (
            "Classify tweets into 3 sentiments with a BiGRU in Keras, focal loss, NAdam, gradient clipping at 0.5",
            ["layers.Bidirectional(layers.GRU(", "return FocalLoss()", "def one_hot(", "Nadam(", "clipnorm=0.5"],
        ),
        (
            "Segment polyps in 64x64 images with a U-Net in Keras, Dice loss, RMSprop",
            ["return DiceLoss()", "class TverskyLoss(keras.losses.Loss)", "keras.optimizers.RMSprop("],
        ),
        (
            "Classify photos into 4 classes in Keras, label smoothing 0.1, reduce the learning rate on plateau",
            ["return LabelSmoothingCrossEntropy(label_smoothing=0.1)", "keras.callbacks.ReduceLROnPlateau("],
        ),
    ],
)
def test_what_is_stated_arrives_in_keras(
    draft: Callable[[Job], str], requirement: str, expected: list[str], job: Callable[..., Job]
) -> None:
    code = draft(job(requirement, "keras"))
    assert framework_of(code).name == "keras"
    assert "torch.optim" not in code
    for text in expected:
        assert text in code
    assert "seed: int = 7" in code


def test_a_recurrent_cell_is_exchanged_in_names_and_words(job: Callable[..., Job]) -> None:
    code = draft_a(job("classify tweets into 3 sentiments with a GRU in Keras", "keras"))
    assert "layers.GRU(" in code
    assert "lstm" not in code.lower()


def call_of(code: str) -> ast.Call:
    node = ast.parse(code, mode="eval").body
    assert isinstance(node, ast.Call)
    return node


@pytest.mark.parametrize(
    ("planned", "expected"),
    [
        ("Adam(lr=0.1, betas=(0.8, 0.9))", "Adam(learning_rate=config.learning_rate, beta_1=0.8, beta_2=0.9)"),
        ("AdamW(weight_decay=0.01)", "AdamW(learning_rate=config.learning_rate, weight_decay=0.01)"),
        ("Adamax", "Adamax(learning_rate=config.learning_rate)"),
        ("RMSprop(momentum=0.9)", "RMSprop(learning_rate=config.learning_rate, momentum=0.9)"),
        ("SGD", "SGD(learning_rate=config.learning_rate, momentum=0.5, nesterov=True)"),
    ],
)
def test_an_optimizer_keeps_the_arguments_that_its_class_takes(planned: str, expected: str) -> None:
    own = call_of("keras.optimizers.SGD(config.learning_rate, momentum=0.5, nesterov=True)")
    assert optimizer_expression(planned, own, []) == f"keras.optimizers.{expected}"


def test_what_keras_has_not_is_left_as_it_is() -> None:
    own = call_of("keras.optimizers.Adam(learning_rate=config.learning_rate)")
    assert optimizer_expression("RAdam", own, []) is None
    assert optimizer_expression("LBFGS", own, []) is None
    assert family(call_of("keras.losses.BinaryCrossentropy()")) is None
    assert family(call_of("keras.losses.BinaryCrossentropy(from_logits=True)")) == "binary"


def passes(code: str, work: Job, *settled: str) -> None:
    report = check(code, work.plan, work.request["facts"])
    assert report["status"] == "passed", report["error"]
    verdicts = {row["name"]: row["verdict"] for row in report["conformance"]}
    assert {name: verdicts[name] for name in settled} == dict.fromkeys(settled, "honoured")


def test_the_template_draft_in_keras_runs_with_the_plans_layers(job: Callable[..., Job]) -> None:
    work = job(
        "Classify 16x16 photos into 3 classes with a CNN in Keras, SGD with momentum 0.9, focal loss, "
        "cosine annealing, gradient clipping at 1.0, report balanced accuracy",
        "keras",
    )
    code = draft_b(work)
    assert "inputs = x = keras.Input((config.image_height, config.image_width, config.channels))" in code
    passes(code, work, "optimizer", "loss", "scheduler", "gradient_clip", "layer", "metric")


@pytest.mark.slow
@pytest.mark.parametrize("draft", [draft_a, draft_b])
@pytest.mark.parametrize(
    "requirement",
    [
        "Classify tweets into 3 sentiments with a BiGRU in Keras, Nadam, report F1",
        "Segment polyps in 64x64 images with a U-Net in Keras, Dice loss, RMSprop",
        "Classify 32x32 photos into 7 classes with a CNN in Keras, label smoothing 0.1, warm-up",
    ],
)
def test_keras_drafts_run(draft: Callable[[Job], str], requirement: str, job: Callable[..., Job]) -> None:
    work = job(requirement, "keras")
    passes(draft(work), work, "optimizer", "loss")
