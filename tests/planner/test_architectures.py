"""Every named architecture, for every input and output that it fits, becomes a model that runs."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dlcodegen.planner.architectures import BUILDERS, layers_for
from dlcodegen.writers.interface import InputKind, Interface, OutputKind
from dlcodegen.writers.layers import build_model_segment

INPUTS: dict[InputKind, tuple[str, ...]] = {
    "image": ("channels", "image_height", "image_width"),
    "series": ("window", "num_features"),
    "tokens": ("sequence_length",),
    "vector": ("num_features",),
}
OUTPUTS: dict[OutputKind, tuple[str, ...]] = {
    "scalar": (),
    "vector": ("num_classes",),
    "map": ("num_classes", "image_height", "image_width"),
    "steps": ("sequence_length", "num_classes"),
}
TEXT = {"vocab_size": 50, "embedding_dim": 10}
SMALL = SimpleNamespace(
    **TEXT, channels=1, image_height=13, image_width=9, num_classes=2, window=1, num_features=1, sequence_length=3
)
ODD = SimpleNamespace(
    **TEXT, channels=3, image_height=28, image_width=37, num_classes=5, window=11, num_features=3, sequence_length=8
)
FITTING = [
    (architecture, input_kind, output_kind)
    for architecture in BUILDERS
    for input_kind in INPUTS
    for output_kind in OUTPUTS
    if layers_for(architecture, input_kind, output_kind, {}) is not None
]
IMAGE_NETWORKS = "cnn vgg resnet mobilenet efficientnet densenet inception xception convnext"
STATED = {
    "num_layers": 3,
    "hidden_size": 12,
    "hidden_units": [10, 6],
    "filters": [8, 12],
    "kernel_size": 4,
    "num_heads": 5,
    "dropout": 0.25,
    "bidirectional": True,
    "attention": True,
    "embedding_dim": 7,
    "patch_size": 5,
    "batch_norm": True,
    "activation": "leaky_relu",
    "base_width": 4,
    "depth": 2,
    "latent_dim": 3,
}


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Tensors this small are slower on several threads."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def build(layers: list[str], input_kind: InputKind, output_kind: OutputKind, config: SimpleNamespace) -> nn.Module:
    segment = build_model_segment(layers, Interface(INPUTS[input_kind], OUTPUTS[output_kind]))
    names: dict[str, Any] = {"torch": torch, "nn": nn, "Tensor": Tensor, "F": F, "Config": SimpleNamespace}
    exec(compile(segment.code, "segment", "exec"), names)
    model: nn.Module = names["build_model"](config)
    return model


def check(layers: list[str] | None, input_kind: InputKind, output_kind: OutputKind, config: SimpleNamespace) -> None:
    """The right shape and finite gradients for every weight."""
    assert layers is not None
    torch.manual_seed(0)
    sides = [getattr(config, name) for name in INPUTS[input_kind]]
    inputs = torch.randint(config.vocab_size, (3, *sides)) if input_kind == "tokens" else torch.randn(3, *sides)
    model = build(layers, input_kind, output_kind, config)
    outputs = model(inputs)
    assert tuple(outputs.shape) == (3, *(getattr(config, name) for name in OUTPUTS[output_kind]))
    outputs.square().sum().backward()
    assert all(weight.grad is not None and weight.grad.isfinite().all() for weight in model.parameters())


@pytest.mark.parametrize(("architecture", "input_kind", "output_kind"), FITTING)
def test_an_architecture_runs_at_odd_sizes(architecture: str, input_kind: InputKind, output_kind: OutputKind) -> None:
    layers = layers_for(architecture, input_kind, output_kind, {})
    for config in (SMALL, ODD):
        check(layers, input_kind, output_kind, config)


@pytest.mark.parametrize(("architecture", "input_kind", "output_kind"), FITTING)
def test_an_architecture_runs_with_everything_stated(
    architecture: str, input_kind: InputKind, output_kind: OutputKind
) -> None:
    check(layers_for(architecture, input_kind, output_kind, STATED), input_kind, output_kind, ODD)


@pytest.mark.parametrize(("architecture", "input_kind", "output_kind"), FITTING)
def test_an_architecture_is_small(architecture: str, input_kind: InputKind, output_kind: OutputKind) -> None:
    config = SimpleNamespace(
        **TEXT | {"vocab_size": 100}, channels=3, image_height=32, image_width=32,
        num_classes=10, window=48, num_features=8, sequence_length=64,
    )  # fmt: skip
    layers = layers_for(architecture, input_kind, output_kind, {})
    assert layers is not None
    model = build(layers, input_kind, output_kind, config)
    limit = 2_200_000 if "unet" in architecture else 700_000  # narrower U-Nets learn nothing in a few steps
    assert sum(weight.numel() for weight in model.parameters()) < limit


@pytest.mark.parametrize(
    ("input_kind", "output_kind", "names"),
    [
        ("image", "vector", f"{IMAGE_NETWORKS} lenet alexnet vit mlp cnn-lstm cnn-gru transformer"),
        ("image", "map", f"{IMAGE_NETWORKS} unet attention-unet fcn segnet deeplab autoencoder"),
        ("series", "vector", "cnn resnet mlp fcn lstm bilstm gru bigru rnn tcn cnn-lstm cnn-gru transformer"),
        ("tokens", "steps", "cnn resnet mlp lstm bilstm gru bigru rnn tcn cnn-lstm cnn-gru transformer"),
        ("vector", "scalar", "cnn resnet mlp transformer"),
        ("vector", "vector", "cnn resnet mlp transformer autoencoder"),
        ("vector", "map", ""),
        ("series", "steps", ""),
    ],
)
def test_which_architectures_fit(input_kind: InputKind, output_kind: OutputKind, names: str) -> None:
    found = {name for name in BUILDERS if layers_for(name, input_kind, output_kind, {}) is not None}
    assert found == set(names.split())


def test_an_unknown_architecture_fits_nothing() -> None:
    assert layers_for("capsule-network", "image", "vector", {}) is None


@pytest.mark.parametrize(
    ("architecture", "input_kind", "output_kind", "facts", "layers"),
    [
        ("lstm", "series", "vector", {"num_layers": 2, "hidden_size": 32}, ["LSTM(32)", "LSTM(32)", "Dense(horizon)"]),
        (
            "gru",
            "tokens",
            "scalar",
            {"bidirectional": True, "attention": True, "dropout": 0.4, "embedding_dim": 100},
            [
                "Embedding(vocab_size, 100)",
                "Bidirectional(GRU(64))",
                "AttentionPooling()",
                "Dropout(0.4)",
                "Dense(1)",
            ],
        ),
        (
            "mlp",
            "vector",
            "vector",
            {"hidden_units": [256, 128], "dropout": 0, "activation": "gelu"},
            ["Dense(256, activation='gelu')", "Dense(128, activation='gelu')", "Dense(num_classes)"],
        ),
        (
            "transformer",
            "series",
            "vector",
            {"num_heads": 8, "num_layers": 3, "num_classes": 4},
            [
                "TransformerEncoder(hidden_size=64, num_layers=3, num_heads=8, dropout=0.1)",
                "GlobalAveragePooling1D()",
                "Dense(num_classes)",
            ],
        ),
        (
            "unet",
            "image",
            "map",
            {"depth": 5, "attention": True},
            ["AttentionUNet(base_width=32, depth=5)", "Conv2D(num_classes, kernel_size=1)"],
        ),
        (
            "resnet",
            "image",
            "vector",
            {"num_layers": 10, "filters": [16, 32], "num_outputs": 3},
            [
                "Conv2D(16, kernel_size=3)",
                "BatchNormalization()",
                "ReLU()",
                *["ResidualBlock(16)"] * 5,
                "ResidualBlock(32, stride=2)",
                *["ResidualBlock(32)"] * 4,
                "GlobalAveragePooling2D()",
                "Dense(num_outputs)",
            ],
        ),
    ],
)
def test_stated_facts_change_the_layers(
    architecture: str, input_kind: InputKind, output_kind: OutputKind, facts: dict[str, object], layers: list[str]
) -> None:
    assert layers_for(architecture, input_kind, output_kind, facts) == layers


def test_a_fact_of_the_wrong_type_counts_as_not_stated() -> None:
    wrong = {"num_layers": "two", "dropout": 30, "filters": "many", "hidden_size": True, "activation": "magic"}
    assert layers_for("cnn", "image", "vector", wrong) == layers_for("cnn", "image", "vector", {})
