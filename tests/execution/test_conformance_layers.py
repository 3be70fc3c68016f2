"""Plan conformance: the layers, by the calls that build the model."""

import pytest

from dlcodegen.corpus.sample import all_samples
from dlcodegen.report import Verdict
from tests.execution.conformance_cases import KERAS, TORCH, layer, model, verdicts


def test_one_call_is_no_evidence_for_two_layers() -> None:
    once = model("self.layers = nn.Sequential(nn.Conv2d(3, 32, 3), nn.ReLU())")
    assert verdicts(once, "Conv2D(32)", "ReLU()", "Conv2D(64)", "ReLU()") == [
        *("honoured", "honoured", "contradicted", "honoured")
    ]
    assert verdicts(once, "Conv2D(32)", "Conv2D(32)") == ["honoured", "not found"]
    twice = model("self.layers = nn.Sequential(nn.Conv2d(3, 32, 3), nn.Conv2d(32, 64, 3))")
    assert verdicts(twice, "Conv2D(32)", "Conv2D(64)") == ["honoured", "honoured"]


def test_a_number_of_another_argument_is_no_evidence() -> None:
    code = model("self.layers = nn.Linear(10, 5)")
    assert verdicts(code, "Dense(5)", "Dense(10)") == ["honoured", "contradicted"]


@pytest.mark.parametrize(
    ("lines", "honoured"),
    [
        (("for width in (32, 64):", "    self.layers.append(nn.Conv2d(3, width, 3))"), [32, 64]),
        (("self.layers = [nn.Conv2d(3, 8 * 2**i, 3) for i in range(3)]",), [8, 16, 32]),
        (("a, b = 16, 64", "self.layers = nn.Sequential(nn.Conv2d(3, a, 3), nn.Conv2d(a, b, 3))"), [16, 64]),
        (("sizes = (3, 48, 3)", "self.layers = nn.Conv2d(*sizes)"), [48]),
    ],
)
def test_widths_are_followed_through_loops_and_variables(lines: tuple[str, ...], honoured: list[int]) -> None:
    code = model(*lines)
    assert verdicts(code, *(f"Conv2D({width})" for width in honoured)) == ["honoured"] * len(honoured)
    assert verdicts(code, "Conv2D(100)") == ["contradicted"]


def test_widths_are_followed_through_the_calls_of_helpers() -> None:
    code = model("self.layers = nn.Sequential(Block(3, 32), Block(32, width=64))")
    block = "class Block(nn.Module):\n    def __init__(self, before, width, rate=0.2):\n        super().__init__()\n"
    block += "        self.conv, self.drop = nn.Conv2d(before, width, 3), nn.Dropout(rate)\n\n"
    code = code.replace("\n\nclass Net", f"\n\n{block}    def forward(self, x):\n        return x\n\n\nclass Net")
    assert verdicts(code, "Conv2D(32)", "Conv2D(64)", "Dropout(0.2)") == ["honoured"] * 3
    assert verdicts(code, "Conv2D(128)", "Dropout(0.5)", "Block(128)") == ["contradicted"] * 3
    assert verdicts(code, "Block(32)", "Block(64, rate=0.2)") == ["honoured", "honoured"]
    assert verdicts(code, "Block(64, rate=0.4)") == ["contradicted"]


def test_a_width_that_cannot_be_followed_is_given_the_benefit_of_the_doubt() -> None:
    code = model("self.layers = nn.Linear(5, len(config.vocabulary))")
    assert verdicts(code, "Dense(20000)", "Dense(20000)") == ["honoured", "not found"]


def test_a_class_that_is_never_used_is_no_evidence() -> None:
    code = model("self.layers = nn.Linear(5, 2)")
    code += "\n\nclass Unused(nn.Module):\n    def __init__(self):\n        self.lstm = nn.LSTM(4, 64)\n"
    assert verdicts(code, "LSTM(64)") == ["not found"]


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("nn.Conv2d(3, 32, kernel_size=3)", "honoured"),
        ("tf.keras.layers.Dense(10)", "honoured"),
        ("fully connected layer with 10 units", "honoured"),
        ("fully connected layer with 77 units", "contradicted"),
        ("dropout of 0.3", "honoured"),
        ("Conv2D(32, kernel_size=5)", "contradicted"),
        ("EfficientNetB0()", "not found"),
        ("Dropout", "honoured"),
        ("GlobalAveragePooling2D()", "honoured"),
        ("MaxPooling2D(2)", "not found"),
    ],
)
def test_layers_in_every_spelling(text: str, verdict: Verdict) -> None:
    assert layer(TORCH, text)["verdict"] == verdict


def test_settings_of_the_scripts_own_blocks_are_looked_up_in_config() -> None:
    unet = all_samples()["image-segmentation/unet-binary"]
    assert layer(unet.code, "UNet(base_width=32, depth=4)")["verdict"] == "honoured"
    assert layer(unet.code, "UNet(base_width=64, depth=4)")["verdict"] == "contradicted"


def test_an_activation_may_be_an_argument_in_keras() -> None:
    code = KERAS.replace('layers.Dense(3, activation="softmax")', 'layers.Dense(3, activation="relu")')
    assert verdicts(code, "ReLU()", "Softmax()") == ["honoured", "not found"]


def test_dropout_may_be_an_argument_and_is_used_again_and_again() -> None:
    code = model("self.layers = nn.LSTM(8, 64, dropout=0.2)")
    assert verdicts(code, "LSTM(64)", "Dropout(0.2)", "Dropout(0.2)") == ["honoured"] * 3
    assert verdicts(code, "Dropout(0.5)") == ["contradicted"]
