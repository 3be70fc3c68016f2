"""What is stated stands in every part of the plan, for every category of the pool; and its texts read well."""

import ast
import re

import pytest

from dlcodegen.context import Context
from dlcodegen.corpus.pool import Pool
from dlcodegen.corpus.sample import Sample, all_samples
from dlcodegen.plan import SolutionPlan
from dlcodegen.planner import make_plan
from dlcodegen.planner.state_facts import with_facts
from dlcodegen.report import Fact

SAMPLES = list(all_samples().values())
NEW_VALUES = {
    "image_height": 96, "image_width": 160, "channels": 1, "num_classes": 11, "window": 57, "horizon": 1,
    "num_features": 13, "sequence_length": 77, "vocab_size": 4321, "num_keypoints": 17, "num_users": 55,
    "num_items": 66, "hidden_size": 88, "embedding_dim": 99, "latent_dim": 9, "scale_factor": 4, "num_layers": 3,
    "base_width": 24, "dropout": 0.45,
}  # fmt: skip


def plan(requirement: str, framework: str = "") -> SolutionPlan:
    """What every planner shares is tested on the one that needs no weights."""
    return make_plan(requirement, "", framework, Context(planner="nearest")).plan


def facts_for(sample: Sample) -> list[Fact]:
    return [Fact(name=name, value=value, text="") for name, value in NEW_VALUES.items() if name in sample.config]


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.id)
def test_a_plan_with_its_own_settings_is_unchanged(sample: Sample) -> None:
    assert with_facts(sample.plan, [], sample) == sample.plan


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.id)
def test_no_old_size_is_left_and_no_name_unresolved(sample: Sample) -> None:
    new = with_facts(sample.plan, facts_for(sample), sample)
    text = f"{new.input} {new.output}"
    if "image_height" in sample.config:
        assert "RGB" not in text
        assert f"{sample.config['image_height']}x{sample.config['image_width']}" not in text
    for shape in re.findall(r"\(N,[^)]*\)", text):
        assert re.fullmatch(r"\(N,(?: \d+(?:, \d+)*)?\)", shape), shape
    for layer in new.layers:
        ast.parse(layer)
        assert "num_classes" not in layer
    assert not re.search(r"\b1 (?:values|features|steps)\b", text)


@pytest.mark.parametrize(
    ("requirement", "given", "result"),
    [
        (
            "Predict tomorrow's closing price from the last 60 days with 3 features using a GRU",
            "windows of 60 past steps with 3 features, shape (N, 60, 3)",
            "the next value of the first feature, shape (N, 1)",
        ),
        (
            "classify 28x28 greyscale images into 7 classes with a ResNet",
            "greyscale images of 28x28 pixels, shape (N, 1, 28, 28)",
            "one of 7 classes per image, shape (N,)",
        ),
        (
            "4x super-resolution of photos",
            "small RGB images of 32x32 pixels, shape (N, 3, 32, 32)",
            "RGB images of four times the size, shape (N, 3, 128, 128)",
        ),
        (
            "17 keypoints of humans, 256x192 crops",
            "RGB images of 256x192 pixels, shape (N, 3, 256, 192)",
            "x and y of 17 keypoints in [0, 1], shape (N, 34)",
        ),
        (
            "recognise 35 words in 2-second audio clips at 8 kHz",
            "mono clips of 2.0 seconds at 8000 Hz, shape (N, 16000)",
            "one of 35 classes per clip, shape (N,)",
        ),
    ],
)
def test_texts_follow_what_is_stated(requirement: str, given: str, result: str) -> None:
    new = plan(requirement.replace("35 words", "35 commands"))
    assert (new.input, new.output) == (given, result)


def test_the_preprocessing_follows_what_is_stated() -> None:
    assert plan("4x super-resolution of photos").preprocess.endswith("shrink inputs by 4 (bicubic)")
    assert "40-band" in plan("recognise 5 commands, log-mel spectrograms with 40 bands").preprocess
    assert plan("transcribe speech in Keras, 40 mel bands").layers[0] == "MelSpectrogram(num_mel_bins=40)"


def test_hyperparameters_follow_what_is_stated() -> None:
    new = plan("classify photos with RMSprop, lr 0.01, batch size 8, 3 epochs, focal loss, report F1").hyperparameters
    assert (new.optimizer, new.learning_rate, new.batch_size, new.epochs) == ("RMSprop", 0.01, 8, 3)
    assert (new.loss_function, new.evaluation_metric) == ("focal loss", "f1")


@pytest.mark.parametrize(
    ("words", "optimizer"),
    [
        ("AdamW optimizer with weight decay 0.01", "AdamW(weight_decay=0.01)"),
        ("SGD (momentum 0.9, nesterov)", "SGD(momentum=0.9, nesterov=True)"),
        ("nesterov momentum", "SGD(momentum=0.9, nesterov=True)"),
        ("Adam with momentum 0.9", "Adam"),
        ("momentum 0.8", "SGD(momentum=0.8)"),
    ],
)
def test_the_optimizer_has_the_arguments_it_takes(words: str, optimizer: str) -> None:
    assert plan(f"classify photos with {words}").hyperparameters.optimizer == optimizer


def test_layers_are_repeated_as_often_as_stated() -> None:
    requirement = "forecast load with a {}-layer LSTM of 32 units, dropout 0.2"
    three = ["LSTM(32, return_sequences=True)", "Dropout(0.2)"] * 2 + ["LSTM(32)", "Dropout(0.2)", "Dense(12)"]
    assert plan(requirement.format("3")).layers == three
    assert plan(requirement.format("one")).layers == ["LSTM(32)", "Dropout(0.2)", "Dense(12)"]
    dilated = plan("forecast load with a TCN of 3 layers").layers
    assert [layer.split("dilation=")[1] for layer in dilated[:-1]] == ["1)", "2)", "4)"]


def test_no_layer_is_as_wide_as_the_image_is_high() -> None:
    for task in ("depth estimation", "binary segmentation of polyps", "detect 3 kinds of fruit with boxes"):
        made = [plan(f"Keras: {task} on {size} images") for size in ("128x128", "96x96")]
        widths = [[re.findall(r"Conv2D\((\d+)", layer) for layer in one.layers] for one in made]
        assert widths[0] == widths[1]


def test_frames_are_counted_alike_in_words_and_shape() -> None:
    text = plan("classify videos of sign language, 20 signs, 32 frames").input
    assert text.startswith("clips of 32 frames")
    assert "(N, 32," in text


def test_the_maps_of_a_convolution_are_no_code_however_many_they_are() -> None:
    """In both samples a convolution happens to be as wide as the code, or the embedding."""
    vae = plan("a VAE in Keras for 28x28 images of digits with 2 latent dimensions").layers
    assert [layer for layer in vae if layer.startswith("Conv2D(2,")] == []
    siamese = plan("tell signatures apart by a siamese network, contrastive loss, embeddings of size 128").layers
    assert [layer.split(",")[0] for layer in siamese if layer.startswith("Conv2D(")][:3] == [
        "Conv2D(16", "Conv2D(32", "Conv2D(64",
    ]  # fmt: skip
    assert siamese[-1] == "Dense(128)"


def test_equal_widths_are_those_of_a_stack_of_layers() -> None:
    words = "train a DQN agent for cart-pole, hidden layers of {} units"
    assert plan(words.format("64, 64 and 64")).layers == ["Dense(64, activation='relu')"] * 3 + ["Dense(2)"]
    assert plan(words.format("128 and 64")).layers == ["Dense(128, activation='relu')"] * 2 + ["Dense(2)"]


@pytest.mark.parametrize(
    ("requirement", "layers"),
    [
        ("SimCLR with a ResNet on unlabelled photos, embedding dim 64", "ResidualBlock(128) ... Dense(64)"),
        ("re-identify whales with a ResNet, triplet loss, embedding dimension 512", "ResidualBlock(64 ... Dense(512)"),
        ("classify nodes of a citation graph with a GAT of 3 layers, 4 heads", "GAT(... num_heads=4, num_layers=3"),
        ("classify nodes of a citation graph with a GCN of 3 layers", "GCN(... num_layers=3"),
        ("forecast load with a Transformer encoder, d_model 96", "TransformerEncoderLayer(96, ... feed_forward=384"),
        ("caption photos, CNN and LSTM decoder, embedding 192, hidden 512", "Dense(192) ... LSTM(512)"),
        (
            "classify molecules with a GIN of 4 layers, hidden size 48",
            "GINLayer(48) GINLayer(48) GINLayer(48) GINLayer(48)",
        ),
        ("masked autoencoder on unlabelled photos, ViT with 6 layers", "MaskedAutoencoder(... num_layers=6"),
    ],
)
def test_what_is_stated_of_a_block_stands_in_the_plan(requirement: str, layers: str) -> None:
    text, parts = " ".join(plan(requirement).layers), layers.split(" ... ")
    assert all(part in text for one in parts for part in one.split("(... ")), text


def test_no_dropout_leaves_no_dropout_layer() -> None:
    assert not any("Dropout" in layer for layer in plan("forecast load with an LSTM, no dropout").layers)


def test_stated_kernels_and_dense_layers_stand_in_the_plan() -> None:
    layers = plan("classify photos with a CNN, 5x5 kernels, two dense layers after the 3 conv layers").layers
    assert sum(layer.startswith("Conv2D(") and "kernel_size=5" in layer for layer in layers) == 3
    assert sum(layer.startswith("Dense(") for layer in layers) == 3  # the head is one too


def test_one_label_and_several_are_told_apart() -> None:
    assert plan("classify photos of flowers with a small CNN").output.startswith("one of")
    assert "labels per image" in plan("multi-label classification of photos").output
    assert plan("text classification: sort letters into 4 topics").output.startswith("one of 4")
    assert plan("text classification: 4 topics of letters, labels that can be combined").output == (
        "zeros and ones for 4 labels per text, shape (N, 4)"
    )


def test_without_a_sample_of_the_framework_the_other_ones_plan_serves_with_less_confidence() -> None:
    have = {(sample.category, sample.framework) for sample in SAMPLES}
    requirement = "forecast the next 6 hours from the last 48 hours"
    own, other = (make_plan(requirement, "", framework, Context()) for framework in ("pytorch", "keras"))
    assert other.plan.output == "the next 6 values of the first feature, shape (N, 6)"
    if ("time-series-forecasting", "keras") not in have:
        assert other.confidence == own.confidence / 2


@pytest.mark.parametrize(
    ("requirement", "category", "begins"),
    [
        ("SimCLR pre-training on unlabelled 32x32 images", "self-supervised-learning", "RGB images of 32x32"),
        ("classify video clips of sports into 4 classes", "video-classification", "RGB images"),
        ("transcribe meeting recordings", "automatic-speech-recognition", "mono clips"),
    ],
)
def test_a_category_without_samples_takes_a_related_plan(
    requirement: str, category: str, begins: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    smaller = {sample.id: sample for sample in SAMPLES if sample.category != category}
    monkeypatch.setattr("dlcodegen.planner.nearest.shipped_pool", lambda: Pool(smaller))
    new = plan(requirement)
    assert new.category == category
    assert new.input.startswith(begins)
