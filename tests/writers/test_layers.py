"""A plan's layers become a model that runs: every spelling, whatever has to be put in between, and what is refused."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dlcodegen.writers.interface import InputKind, Interface, OutputKind, read_interface
from dlcodegen.writers.layers import LayerError, build_model_segment

IMAGE = ("channels", "image_height", "image_width")
CLASSES = ("num_classes",)
INPUTS: dict[InputKind, tuple[str, ...]] = {
    "image": IMAGE,
    "series": ("window", "num_features"),
    "tokens": ("sequence_length",),
    "vector": ("num_features",),
}
OUTPUTS: dict[OutputKind, tuple[str, ...]] = {
    "scalar": (),
    "vector": CLASSES,
    "map": ("num_classes", "image_height", "image_width"),
    "steps": ("sequence_length", "num_classes"),
}
SIZES = {"vocab_size": 50, "embedding_dim": 10}
SMALL = SimpleNamespace(
    **SIZES, channels=1, image_height=13, image_width=9, num_classes=2, window=1, num_features=1, sequence_length=3
)
ODD = SimpleNamespace(
    **SIZES, channels=3, image_height=33, image_width=50, num_classes=5, window=11, num_features=3, sequence_length=8
)
BATCH = 3


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Tensors this small are slower on several threads."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def build(layers: list[str], interface: Interface, config: SimpleNamespace = ODD) -> Any:
    """The model, from the segment's source."""
    segment = build_model_segment(layers, interface)
    names: dict[str, Any] = {"torch": torch, "nn": nn, "Tensor": Tensor, "F": F, "Config": SimpleNamespace}
    used = {node.id for node in ast.walk(ast.parse(segment.code)) if isinstance(node, ast.Name)}
    assert ("from torch.nn import functional as F" in segment.imports) == ("F" in used)
    exec(compile(segment.code, "segment", "exec"), names)
    return names["build_model"](config)


def shapes(interface: Interface, config: SimpleNamespace) -> tuple[Tensor, tuple[int, ...]]:
    """What goes in, and the shape that has to come out."""
    inputs = [getattr(config, name) for name in interface.inputs]
    outputs = [getattr(config, name) for name in interface.outputs]
    if interface.input_kind == "tokens":
        return torch.randint(config.vocab_size, (BATCH, *inputs)), (BATCH, *outputs)
    return torch.randn(BATCH, *inputs), (BATCH, *outputs)


def check(layers: list[str], input_kind: InputKind, output_kind: OutputKind) -> None:
    """The model gives the right shape and finite gradients, in training and one by one, for two odd sizes."""
    interface = Interface(INPUTS[input_kind], OUTPUTS[output_kind])
    for config in (SMALL, ODD):
        torch.manual_seed(0)
        inputs, shape = shapes(interface, config)
        model = build(layers, interface, config)
        outputs = model(inputs)
        assert tuple(outputs.shape) == shape
        outputs.square().sum().backward()
        gradients = [weight.grad for weight in model.parameters()]
        assert gradients and all(gradient is not None and gradient.isfinite().all() for gradient in gradients)
        with torch.no_grad():
            assert tuple(model.eval()(inputs[:1]).shape) == (1, *shape[1:])


def modules(layers: list[str], input_kind: InputKind = "image", output_kind: OutputKind = "vector") -> list[str]:
    """The classes of the modules, in their order."""
    model = build(layers, Interface(INPUTS[input_kind], OUTPUTS[output_kind]))
    return [type(module).__name__ for module in model]


@pytest.mark.parametrize(
    ("input_kind", "layers"),
    [
        (
            "image",
            ["Conv2D(8, (3, 3), activation='relu', padding='same', strides=2)", "MaxPooling2D((2, 2))", "Flatten()"],
        ),
        ("image", ["Conv2D(filters=8, kernel_size=(3, 5), dilation_rate=2)", "Activation('gelu')", "Dense(6, 'relu')"]),
        (
            "image",
            ["layers.Conv2D(8, 4)", "tf.keras.layers.ReLU()", "AveragePooling2D(pool_size=3, strides=2)", "Flatten"],
        ),
        ("image", ["Input(shape=(28, 28, 1))", "Rescaling(1 / 255)", "ZeroPadding2D(1)", "Flatten()", "Dense(7)"]),
        ("image", ["Conv2d(3, 8, 3)", "BatchNorm2d(8)", "nn.ReLU()", "MaxPool2d(2, 2)", "AdaptiveAvgPool2d((1, 1))"]),
        ("image", ["SeparableConv2D(8, 3, activation='relu')", "DepthwiseConv2D(3)", "GlobalMaxPooling2D()"]),
        ("image", ["MaxPooling2D(4, strides=1)", "SpatialDropout2D(0.1)", "UpSampling2D(2)", "LayerNormalization()"]),
        ("image", ["Conv2D(4, 3)", "Flatten()", "Dense(8)", "Dense(2 * 2 * 4)", "Reshape((2, 2, 4))", "Conv2D(3, 2)"]),
        ("image", ["Conv2D(4, 3)", "LSTM(5)"]),
        ("image", ["MultiHeadAttention(num_heads=2, key_dim=4)", "Dense(4)"]),
        ("series", ["Conv1D(8, kernel_size=3)", "BatchNormalization()", "MaxPooling1D(pool_size=2)", "Flatten()"]),
        ("series", ["Conv1D(8, 2)", "AveragePooling1D(2)", "UpSampling1D(2)", "SpatialDropout1D(0.2)", "GRU(4)"]),
        ("series", ["LSTM(8, return_sequences=True)", "LSTM(8)", "Dropout(0.2)"]),
        ("series", ["Bidirectional(LSTM(units=8, return_sequences=True))", "Attention()", "GlobalMaxPooling1D()"]),
        ("series", ["LSTM(1, 8, 2)", "Linear(8, 16)", "LeakyReLU(alpha=0.2)"]),
        ("series", ["SimpleRNN(4, activation='tanh', dropout=0.1)", "BatchNormalization()"]),
        (
            "series",
            ["BiGRU(4, num_layers=2, dropout=0.1)", "TimeDistributed(Dense(3, activation='relu'))", "Flatten()"],
        ),
        ("series", ["Conv2D(4, 3)", "MaxPooling2D(2)", "Flatten()"]),
        ("series", ["Dense(8)", "PositionalEncoding()", "TransformerEncoder(8, 1, 2)", "AttentionPooling()"]),
        ("series", ["TemporalBlock(4, dilation=2)", "TemporalBlock(4)"]),
        ("tokens", ["Embedding(20000, 12)", "SpatialDropout1D(0.2)", "Bidirectional(GRU(4))"]),
        (
            "tokens",
            ["Embedding(vocab_size, embedding_dim)", "GlobalAveragePooling1D()", "Dense(4, activation='swish')"],
        ),
        ("tokens", ["PositionEmbedding(200, 8)", "TransformerEncoderLayer(8, nhead=2)", "TransformerBlock(8, 2, 32)"]),
        ("tokens", ["Flatten()"]),
        ("tokens", ["Conv1D(8, 5, activation='relu')", "GlobalMaxPooling1D()"]),
        ("vector", ["Dense(8, activation='relu')", "BatchNormalization()", "Dropout(rate=0.3)"]),
        ("vector", ["Conv1D(4, 3)", "GlobalAveragePooling1D()"]),
        ("vector", ["FeatureTokens(8)", "TransformerEncoder(hidden_size=8, num_layers=1, num_heads=2)"]),
        ("vector", ["ResidualDense(8)", "ResidualDense(8, dropout=0.3)", "Dense(num_classes)"]),
        ("vector", []),
    ],
)
@pytest.mark.parametrize("output_kind", ["scalar", "vector"])
def test_layers_become_a_model(layers: list[str], input_kind: InputKind, output_kind: OutputKind) -> None:
    check(layers, input_kind, output_kind)


@pytest.mark.parametrize(
    "layers",
    [
        ["UNet(base_width=4, depth=4)"],
        ["AttentionUNet(base_width=4, depth=2)", "Conv2D(1, (1, 1), activation='sigmoid')"],
        ["Conv2D(4, 3)", "MaxPooling2D(2)", "Conv2DTranspose(4, 2, strides=2, activation='relu')"],
        ["Conv2D(4, 3, strides=2)", "Conv2DTranspose(3, 4, strides=2, activation='tanh')"],
        ["ResidualBlock(4, stride=2)", "ASPP(4)", "Dense(1)"],
        ["Flatten()", "Dense(12, activation='relu')", "Dense(36)", "Reshape((3, 3, 4))", "UpSampling2D()"],
    ],
)
def test_a_map_has_the_size_of_the_image(layers: list[str]) -> None:
    check(layers, "image", "map")


@pytest.mark.parametrize(
    "layers",
    [
        ["Bidirectional(LSTM(4))", "Dense(9, activation='softmax')"],
        ["Embedding(100, 8)", "Conv1D(4, 3, padding='same', activation='relu')", "TimeDistributed(Dense(9))"],
        ["TransformerEncoder(hidden_size=8, num_layers=1, num_heads=2)", "Dropout(0.1)"],
    ],
)
def test_every_step_has_its_output(layers: list[str]) -> None:
    check(layers, "tokens", "steps")


@pytest.mark.parametrize(
    "block",
    [
        "ResidualBlock(8)",
        "ResidualBlock(8, stride=2)",
        "InvertedResidual(8, stride=2, expansion=3)",
        "InvertedResidual(8, squeeze=True)",
        "SqueezeExcitation()",
        "DenseBlock(num_layers=2, growth=4)",
        "Transition()",
        "InceptionBlock(10)",
        "ConvNeXtBlock(8)",
        "ASPP(8)",
        "PatchEmbedding(4, 8)",
        "UNet(4, 2)",
    ],
)
def test_each_image_block_runs_alone_and_twice(block: str) -> None:
    check([block], "image", "vector")
    check(["Conv2D(8, 3)", block, block], "image", "vector")


def test_the_output_kind_decides_what_recurrent_layers_return() -> None:
    code = build_model_segment(["LSTM(4)", "GRU(4)"], Interface(INPUTS["series"], CLASSES)).code
    assert "RecurrentLayer(nn.LSTM, config.num_features, 4, sequence=True)," in code
    assert "RecurrentLayer(nn.GRU, 4, 4)," in code


def test_alike_recurrent_layers_are_one_module() -> None:
    interface = Interface(INPUTS["series"], ("horizon",))
    code = build_model_segment(["GRU(64)", "GRU(64)", "Dropout(0.3)", "Dense(7)"], interface).code
    assert code.endswith(
        "def build_model(config: Config) -> nn.Module:\n"
        '    """Shapes: (N, window, num_features) -> (N, horizon)."""\n'
        "    return nn.Sequential(\n"
        "        RecurrentLayer(nn.GRU, config.num_features, 64, num_layers=2),\n"
        "        nn.Dropout(0.3),\n"
        "        nn.Linear(64, config.horizon),\n"
        "    )\n"
    )


def test_transformer_layers_in_a_row_are_one_encoder() -> None:
    layers = ["TransformerEncoderLayer(8, num_heads=2)"] * 3
    code = build_model_segment(layers, Interface(INPUTS["series"], CLASSES)).code
    assert "TransformerEncoder(config.num_features, 8, num_layers=3, num_heads=2)," in code


def test_outputs_are_logits_of_the_interfaces_width() -> None:
    body = ["Flatten", "Linear", "ReLU", "Linear"]
    assert modules(["Flatten()", "Dense(8, activation='relu')", "Dense(1000, activation='softmax')"]) == body
    assert modules(["Flatten()", "Dense(8)", "ReLU()", "Dense(1000)", "Softmax()"]) == body
    assert modules(["Flatten()", "Dense(8, activation='relu')"]) == body
    assert build(["Dense(1000)"], Interface(INPUTS["vector"], ("num_classes * 2",))).out_features == 10
    embeddings = Interface(IMAGE, ("num_classes",), "of length one")
    assert "-> (N, num_classes) of length one." in build_model_segment(["Dense(8)"], embeddings).code
    vectors = build(["Conv2D(4, kernel_size=3)", "Dense(8)"], embeddings)(torch.randn(2, 3, 33, 50))
    assert torch.allclose(vectors.norm(dim=1), torch.ones(2))
    places = build(["Flatten()", "Dense(8)"], Interface(IMAGE, ("num_classes",), "coordinates in [0, 1]"))
    found = places(torch.full((2, 3, 33, 50), 1e6))
    assert found.min() >= 0 and found.max() <= 1


def test_a_head_of_one_unit_stays_the_head_although_it_is_rectified() -> None:
    assert modules(["Flatten()", "Dense(1, activation='relu')"], "image", "scalar") == ["Flatten", "Linear", "Flatten"]


def test_an_mlp_reads_the_raw_input_at_full_size() -> None:
    assert build(["Dense(8, activation='relu')"], Interface(IMAGE, CLASSES))[1].in_features == 3 * 33 * 50
    assert build(["Dense(8, activation='relu')"], Interface(INPUTS["series"], CLASSES))[1].in_features == 11 * 3


def test_only_the_classes_used_are_written_and_what_they_need_comes_first() -> None:
    code = build_model_segment(["InvertedResidual(8, squeeze=True)", "UNet(4, 2)"], Interface(IMAGE, CLASSES)).code
    classes = [node.name for node in ast.parse(code).body if isinstance(node, ast.ClassDef)]
    assert sorted(classes) == ["DoubleConv", "InvertedResidual", "SqueezeExcitation", "UNet"]
    assert classes.index("SqueezeExcitation") < classes.index("InvertedResidual")
    assert classes.index("DoubleConv") < classes.index("UNet")


@pytest.mark.parametrize("outputs", OUTPUTS.values())
def test_the_docstring_states_the_interface(outputs: tuple[str, ...]) -> None:
    interface = Interface(("sequence_length",) if outputs == OUTPUTS["steps"] else IMAGE, outputs)
    assert read_interface(build_model_segment([], interface).code) == interface


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        (["LSTM layer with 64 units"], "LSTM layer with 64 units: a layer is written as a call, such as LSTM(64)"),
        (["Conv2D(8, 3)", "CapsuleLayer(10)"], "CapsuleLayer(10): unknown layer"),
        (["Conv2D()"], "Conv2D(): filters is missing"),
        (["Conv2D(many, 3)"], "Conv2D(many, 3): filters is no positive number"),
        (["Conv2D(8, kernel_size=0)"], "Conv2D(8, kernel_size=0): kernel_size is no positive whole number"),
        (["Dropout(50)"], "Dropout(50): rate is no rate from 0 to below 1"),
        (["Dense(8, activation='magic')", "Dense(2)"], "Dense(8, activation='magic'): unknown activation 'magic'"),
        (["Embedding(100, 8)"], "Embedding(100, 8): the input is no text"),
        (["Flatten()", "Conv2D(8, 3)"], "Conv2D(8, 3): it needs an image or a series"),
        (["Flatten()", "Dense(5)", "Reshape((2, 2))", "Dense(2)"], "Reshape((2, 2)): 5 values do not make 4"),
        (["ResidualBlock(64, 128)"], "ResidualBlock(64, 128): a stride of 128 leaves nothing of the image"),
        (
            ["TransformerEncoder(hidden_size=10, num_heads=4)"],
            "TransformerEncoder(hidden_size=10, num_heads=4): a width of 10 cannot be shared among 4 heads",
        ),
    ],
)
def test_a_layer_that_cannot_be_built_is_named(layers: list[str], message: str) -> None:
    with pytest.raises(LayerError) as caught:
        build_model_segment(layers, Interface(IMAGE, CLASSES))
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("layers", "inputs", "outputs", "message"),
    [
        (["GlobalAveragePooling2D()"], IMAGE, OUTPUTS["map"], "GlobalAveragePooling2D(): each pixel needs an output"),
        (
            ["GlobalMaxPooling1D()"],
            ("sequence_length",),
            OUTPUTS["steps"],
            "GlobalMaxPooling1D(): each step needs an output",
        ),
        (
            ["MaxPooling1D(2)"],
            ("sequence_length",),
            OUTPUTS["steps"],
            "MaxPooling1D(2): it changes the number of steps",
        ),
        (
            ["Dense(2)"],
            ("num_features",),
            OUTPUTS["map"],
            "a table has no output (N, num_classes, image_height, image_width)",
        ),
        (["Dense(2)"], ("latent_dim",), CLASSES, "no list of layers leads from (N, latent_dim) to (N, num_classes)"),
        (["Conv2D(4, 3)", "LSTM(4)"], ("sequence_length",), OUTPUTS["steps"], "Conv2D(4, 3): it changes the number"),
        (["Flatten()", "Conv1D(4, 3)"], ("sequence_length",), OUTPUTS["steps"], "Flatten(): each step needs an output"),
        (["Dense(2)"], IMAGE, ("window", "num_features"), "no list of layers leads from"),
    ],
)
def test_an_output_that_the_layers_cannot_give_is_refused(
    layers: list[str], inputs: tuple[str, ...], outputs: tuple[str, ...], message: str
) -> None:
    with pytest.raises(LayerError) as caught:
        build_model_segment(layers, Interface(inputs, outputs))
    assert str(caught.value).startswith(message)


def test_segments_are_formatted_and_clean(tmp_path: Path) -> None:
    """All blocks in one script, one long layer included."""
    blocks = [
        *("ResidualBlock(8)", "InvertedResidual(8)", "DenseBlock()", "Transition()", "InceptionBlock(8)", "ASPP(8)"),
        *("ConvNeXtBlock(8)", "UNet(4, 2)", "AttentionUNet(4, 2)", "PatchEmbedding(4, 8)", "Attention()"),
        *("TemporalBlock(4)", "TransformerEncoder(8, 1, 2)", "Conv1D(4, 3)", "AttentionPooling()"),
        *("FeatureTokens(8)", "GlobalMaxPooling1D()", "ResidualDense(8)"),
    ]
    image = build_model_segment(blocks, Interface(IMAGE, CLASSES))
    text = build_model_segment(
        ["Bidirectional(LSTM(hidden_size=10240, num_layers=12, dropout=0.3333))", "GlobalAveragePooling1D()"],
        Interface(("sequence_length",), CLASSES),
    )
    head = "import torch\nfrom torch import Tensor, nn\n"
    for name, segment in {"image": image, "text": text}.items():
        imports = head + "".join(f"{line}\n" for line in segment.imports)
        config = "\n\nclass Config:\n    pass\n\n\n"
        (tmp_path / f"{name}.py").write_text(f"{imports}{config}{segment.code}", encoding="utf-8")
    options = ["--isolated", "--no-cache", "--line-length=120"]
    for command in (["format", "--diff"], ["check", "--extend-select=I,B,UP,SIM,RUF"]):
        ruff = [sys.executable, "-m", "ruff", *command, *options, str(tmp_path)]
        run = subprocess.run(ruff, check=False, capture_output=True, text=True)
        assert run.returncode == 0, run.stdout
