"""A plan's layers become a Keras model that runs; our Keras losses and metrics give what those of PyTorch give."""

import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from dlcodegen.writers.block_source import block_classes
from dlcodegen.writers.interface import Interface, read_interface
from dlcodegen.writers.keras_layers import build_keras_segment
from dlcodegen.writers.layer_calls import LayerError

pytestmark = pytest.mark.filterwarnings("default")  # those of Keras itself

IMAGE = ("image_height", "image_width", "channels")
INPUTS = {
    "image": IMAGE,
    "series": ("window", "num_features"),
    "tokens": ("sequence_length",),
    "row": ("num_features",),
}
CLASSES = ("num_classes",)
MAP = ("image_height", "image_width", "num_classes")
STEPS = ("sequence_length", "num_classes")
SIZES = {"vocab_size": 50, "embedding_dim": 10}
SMALL = SimpleNamespace(
    **SIZES, channels=1, image_height=13, image_width=9, num_classes=2, window=1, num_features=1, sequence_length=3
)
ODD = SimpleNamespace(
    **SIZES, channels=3, image_height=33, image_width=50, num_classes=5, window=11, num_features=3, sequence_length=8
)


@pytest.fixture(scope="module")
def keras() -> Any:
    """Keras on the backend that the scripts use."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KERAS_BACKEND", "torch")
        import keras
    return keras


def sizes(dimensions: tuple[str, ...], config: SimpleNamespace) -> list[int]:
    return [int(name) if name.isdigit() else getattr(config, name) for name in dimensions]


@pytest.mark.parametrize(
    ("kind", "outputs", "layers"),
    [
        ("image", CLASSES, ["Conv2D(8, (3, 3), activation='relu', strides=2)", "MaxPooling2D((2, 2))", "Flatten()"]),
        ("image", (), ["Conv2D(filters=8, kernel_size=(3, 5), dilation_rate=2)", "Activation('gelu')", "Dense(6)"]),
        ("image", ("1",), ["Conv2d(3, 8, 3)", "BatchNorm2d(8)", "nn.ReLU()", "MaxPool2d(2, 2)", "Linear(8, 1)"]),
        ("image", CLASSES, ["RandomFlip('horizontal')", "SeparableConv2D(8, 3)", "DepthwiseConv2D(3)"]),
        ("image", CLASSES, ["MaxPooling2D(4, strides=1)", "SpatialDropout2D(0.1)", "UpSampling2D(2)", "Flatten"]),
        ("image", CLASSES, ["Conv2D(4, 3)", "Flatten()", "Dense(16)", "Reshape((2, 2, 4))", "Conv2D(3, 2)"]),
        ("image", CLASSES, ["Conv2D(4, 3)", "LSTM(5)"]),
        ("image", MAP, ["Conv2D(4, 3, strides=2)", "Conv2DTranspose(4, 2, strides=2)", "PReLU()", "Conv2D(9, 1)"]),
        ("image", MAP, ["MaxPooling2D(2)", "UpSampling2D(2)", "Dense(4)", "LeakyReLU(0.2)"]),
        ("image", MAP, []),
        ("series", CLASSES, ["Conv1D(8, 3)", "BatchNormalization()", "AveragePooling1D(2)", "UpSampling1D(2)"]),
        ("series", (), ["LSTM(8, return_sequences=True)", "LSTM(8)", "Dropout(0.2)"]),
        ("series", CLASSES, ["Bidirectional(GRU(units=8))", "MultiHeadAttention(2, 4)", "GlobalMaxPooling1D()"]),
        ("series", CLASSES, ["LSTM(1, 8, 2)", "SimpleRNN(4, dropout=0.1)"]),
        ("tokens", CLASSES, ["Embedding(10000, 16)", "Dropout(0.1)", "BiLSTM(8)", "Dense(3, activation='softmax')"]),
        ("tokens", CLASSES, ["Conv1D(8, 3)", "GlobalMaxPooling1D()"]),
        ("tokens", STEPS, ["Bidirectional(LSTM(8))", "TimeDistributed(Dense(9, activation='softmax'))"]),
        ("row", ("1",), ["Dense(8, activation='relu')", "GaussianNoise(0.1)", "Dense(1, activation='sigmoid')"]),
        ("row", CLASSES, ["Conv1D(8, 3)", "LayerNormalization()", "LSTM(4)"]),
        ("row", CLASSES, []),
    ],
)
def test_the_model_runs_for_every_size(kind: str, outputs: tuple[str, ...], layers: list[str], keras: Any) -> None:
    interface = Interface(INPUTS[kind], outputs)
    segment = build_keras_segment(layers, interface, "mask = 'mask_zero=True'")
    assert read_interface(segment.code) == interface
    names = {"keras": keras, "layers": keras.layers, "Config": SimpleNamespace}
    exec(segment.code, names)  # this code is ours, so it may run here
    for config in (SMALL, ODD):
        shape = (3, *sizes(interface.inputs, config))
        inputs = np.random.default_rng(0).integers(0, 9, shape) if kind == "tokens" else np.ones(shape, np.float32)
        model = names["build_model"](config)
        found = model(inputs, training=True)
        assert tuple(found.shape) == (3, *sizes(outputs, config))
        (found**2).sum().backward()
        gradients = [weight.value.grad for weight in model.trainable_weights]
        assert gradients and all(gradient is not None and gradient.isfinite().all() for gradient in gradients)


@pytest.mark.parametrize(
    ("layers", "kind", "outputs", "script", "message"),
    [
        (["CapsuleLayer(10)"], "image", CLASSES, "", "CapsuleLayer(10): unknown layer"),
        (["ResidualBlock(64)"], "image", CLASSES, "", "ResidualBlock(64): unknown layer"),
        (["Conv2D()"], "image", CLASSES, "", "Conv2D(): filters is missing"),
        (["Embedding(9, 8)"], "image", CLASSES, "", "Embedding(9, 8): the input is no text"),
        (["RandomFlip(mode)"], "image", CLASSES, "", "RandomFlip(mode): its arguments are not plain values"),
        (["GlobalAveragePooling2D()"], "image", MAP, "", "GlobalAveragePooling2D(): each pixel needs an output"),
        ([], "row", MAP, "", "a table has no output (N, num_classes, image_height, image_width)"),
        ([], "row", CLASSES, "def train(model):\n    model.get_layer('a')", "train reads model.get_layer"),
    ],
)
def test_what_cannot_be_built_is_named(
    layers: list[str], kind: str, outputs: tuple[str, ...], script: str, message: str
) -> None:
    with pytest.raises(LayerError) as caught:
        build_keras_segment(layers, Interface(INPUTS[kind], outputs), script)
    assert str(caught.value).startswith(message)


@pytest.fixture(scope="module")
def blocks(keras: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """All losses and metrics, of PyTorch and of Keras; this code is ours, so it may run here."""
    import torch
    from torch import Tensor, nn
    from torch.nn import functional
    from torch.utils.data import DataLoader

    names: dict[str, Any] = {"torch": torch, "nn": nn, "Tensor": Tensor, "F": functional, "math": math}
    names["DataLoader"] = DataLoader
    in_keras: dict[str, Any] = {"keras": keras, "np": np}
    for name, source in block_classes("keras").items():
        exec(source, in_keras)
        if name in block_classes():
            exec(block_classes()[name], names)
    return names, in_keras


@pytest.mark.parametrize(
    "name", ["FocalLoss", "BinaryCrossEntropy", "DiceLoss", "TverskyLoss", "IoULoss", "CrossEntropyDiceLoss"]
)
@pytest.mark.parametrize("places", [(), (5, 3)])
def test_a_class_loss_is_that_of_pytorch(name: str, places: tuple[int, ...], blocks: Any) -> None:
    import torch

    logits, targets = torch.randn(6, 4, *places), torch.randint(0, 4, (6, *places))
    in_keras = blocks[1][name]()(targets, logits.movedim(1, -1))
    assert float(in_keras) == pytest.approx(float(blocks[0][name]()(logits, targets)), rel=1e-4)


@pytest.mark.parametrize("name", ["DiceLoss", "TverskyLoss", "IoULoss", "BCEDiceLoss", "QuantileLoss"])
def test_a_mask_loss_is_that_of_pytorch(name: str, blocks: Any) -> None:
    import torch

    logits, targets = torch.randn(4, 1, 6, 5), (torch.rand(4, 1, 6, 5) > 0.5).float()
    in_keras = blocks[1][name]()(targets.movedim(1, -1), logits.movedim(1, -1))
    assert float(in_keras) == pytest.approx(float(blocks[0][name]()(logits, targets)), rel=1e-4)


def test_label_smoothing_is_that_of_pytorch(blocks: Any) -> None:
    import torch

    logits, targets = torch.randn(6, 4), torch.randint(0, 4, (6,))
    expected = torch.nn.functional.cross_entropy(logits, targets, label_smoothing=0.2)
    assert float(blocks[1]["LabelSmoothingCrossEntropy"](0.2)(targets, logits)) == pytest.approx(float(expected), 1e-4)


def test_metrics_are_those_of_pytorch(blocks: Any) -> None:
    import torch

    in_torch, in_keras = blocks
    logits, classes = torch.randn(40, 7), torch.randint(0, 7, (40,))
    scores, positive = torch.randn(40, 1), (torch.rand(40, 1) > 0.4).float()
    cases = {
        **dict.fromkeys(
            ("balanced_accuracy", "specificity", "mcc", "cohen_kappa", "class_scores"), (logits.argmax(1), classes)
        ),
        **dict.fromkeys(("top_5_accuracy", "multiclass_roc_auc", "multiclass_average_precision"), (logits, classes)),
        **dict.fromkeys(("binary_roc_auc", "average_precision"), (scores, positive)),
        "positive_scores": (scores > 0, positive),
        **dict.fromkeys(("r2", "mape", "smape", "rmsle"), (scores, scores + 0.3)),
    }
    for name, values in cases.items():
        found = in_keras[name](*(value.numpy() for value in values))
        assert found == pytest.approx(in_torch[name](*values), rel=1e-4), name


def test_a_rate_is_set_once_an_epoch(blocks: Any, keras: Any) -> None:
    decay = keras.optimizers.schedules.CosineDecay(0.1, decay_steps=4)
    schedule = blocks[1]["by_epoch"](decay).schedule
    assert [round(schedule(epoch, 0.0), 4) for epoch in (0, 2, 4)] == [0.1, 0.05, 0.0]
