"""Plans derived from code: of scripts in ordinary styles, and of the pool's own samples."""

import time
from pathlib import Path

import pytest

from dlcodegen.corpus.importing.derive import derive
from dlcodegen.corpus.sample import all_samples
from dlcodegen.evals import derivation
from dlcodegen.execution.conformance.table import conformance
from tests.corpus.importing import scripts


def settings(code: str) -> tuple[str, str, float, int, int, str]:
    told = derive(code).plan.hyperparameters
    return (
        told.optimizer,
        told.loss_function,
        told.learning_rate,
        told.batch_size,
        told.epochs,
        told.evaluation_metric,
    )


def test_a_script_with_argparse() -> None:
    derived = derive(scripts.ARGPARSE_CNN)
    assert derived.plan.category == "image-classification"
    assert derived.plan.layers == [
        *("Conv2D(32, kernel_size=3)", "ReLU()", "MaxPooling2D(2)"),
        *("Conv2D(64, kernel_size=3)", "ReLU()", "MaxPooling2D(2)"),
        *("Flatten()", "Dense(128)", "ReLU()", "Dropout(0.25)", "Dense(10)"),
    ]
    assert settings(scripts.ARGPARSE_CNN) == ("SGD(momentum=0.9)", "cross-entropy", 0.1, 64, 14, "accuracy")
    assert "shape (N, 3, 32, 32)" in derived.plan.input  # that is CIFAR-10
    assert derived.plan.output == "one of 10 classes per image"
    assert derived.missing == []


def test_code_at_module_level() -> None:
    derived = derive(scripts.MODULE_LEVEL_LSTM)
    assert derived.plan.category == "time-series-forecasting"
    assert derived.plan.layers == ["LSTM(50)", "LSTM(50)", "Dense(1)"]
    assert settings(scripts.MODULE_LEVEL_LSTM) == ("Adam", "mean squared error", 0.005, 16, 40, "rmse")
    assert "in-max scaling" in derived.plan.preprocess


def test_a_sequential_keras_model_trained_by_fit() -> None:
    derived = derive(scripts.KERAS_SEQUENTIAL)
    assert derived.plan.category == "tabular-classification"
    assert derived.plan.layers == [
        "Dense(64, activation='relu')",
        "Dropout(0.5)",
        "Dense(1, activation='sigmoid')",
    ]
    assert settings(scripts.KERAS_SEQUENTIAL) == ("Adam", "binary cross-entropy", 0.001, 128, 25, "accuracy")
    assert derived.plan.input.endswith("shape (N, 30)")
    assert derived.plan.output == "class 0 or 1 per row"
    assert derived.plan.preprocess == "Standardise features, fill missing values, split 80/20"


def test_a_functional_keras_model_with_a_loop() -> None:
    derived = derive(scripts.KERAS_FUNCTIONAL)
    assert derived.plan.category == "image-classification"
    assert derived.plan.layers[1:] == [
        *("Conv2D(32, 3, padding='same', activation='relu')", "MaxPooling2D(2)"),
        *("Conv2D(64, 3, padding='same', activation='relu')", "MaxPooling2D(2)"),
        *("Conv2D(128, 3, padding='same', activation='relu')", "MaxPooling2D(2)"),
        *("GlobalAveragePooling2D()", "Dense(5, activation='softmax')"),
    ]
    assert settings(scripts.KERAS_FUNCTIONAL) == ("RMSprop", "cross-entropy", 0.0002, 8, 12, "accuracy")


def test_a_model_of_a_library_with_a_head_of_its_own() -> None:
    assert derive(scripts.TRANSFER).plan.layers == ["resnet18()", "Dense(256)", "ReLU()", "Dense(4)"]


def test_a_file_of_modules_alone_says_what_it_lacks() -> None:
    derived = derive(scripts.BLOCKS)
    assert derived.plan.category == "image-segmentation"
    assert derived.plan.layers == [
        *("ConvBlock(16)", "MaxPooling2D(2)", "ConvBlock(32)", "MaxPooling2D(2)"),
        *("ConvBlock(64)", "MaxPooling2D(2)", "Conv2D(1, kernel_size=1)"),
    ]
    lacking = [line.partition(":")[0] for line in derived.missing]
    assert {"optimizer", "loss function", "learning rate", "batch size", "epochs"} <= set(lacking)
    assert derived.plan.hyperparameters.optimizer == "unknown"
    assert "32 stands in" in " ".join(derived.missing)


def test_a_trainer_with_a_dictionary_of_settings() -> None:
    derived = derive(scripts.TRAINER)
    assert derived.plan.category == "tabular-regression"
    assert derived.plan.layers == [
        *("Dense(64)", "BatchNormalization()", "ReLU()", "Dense(32)", "BatchNormalization()", "ReLU()", "Dense(1)"),
    ]
    assert settings(scripts.TRAINER)[:5] == ("AdamW(weight_decay=0.05)", "Huber", 0.02, 24, 7)
    assert derived.plan.input == "table rows, 13 features"


def test_two_networks_and_a_long_training() -> None:
    derived = derive(scripts.KERAS_GAN)
    assert derived.plan.category == "unconditional-image-generation"
    assert [layer.partition("(")[0] for layer in derived.plan.layers] == [
        *("Dense", "Reshape", "Conv2DTranspose", "Conv2DTranspose"),
        *("Conv2D", "Flatten", "Dense"),
    ]
    assert derived.plan.hyperparameters.epochs == 500


def test_a_number_that_cannot_be_followed_keeps_its_place() -> None:
    code = "import keras\nfrom keras import layers\nwords = len(open('words.txt').read())\nmodel = keras.Sequential(["
    code += "layers.Embedding(words, 64), layers.LSTM(32), layers.Dense(words // 2 + 1)])"
    derived = derive(code)
    assert derived.plan.layers == ["Embedding(unknown, 64)", "LSTM(32)", "Dense(unknown)"]
    assert "layers: a number of 2 of them is not in the code" in derived.missing


def test_each_finding_names_its_line() -> None:
    lines = scripts.ARGPARSE_CNN.split("\n")
    found = {finding.name: finding for finding in derive(scripts.ARGPARSE_CNN).found}
    for name, part in (("batch size", "--batch-size"), ("optimizer", "SGD"), ("loss function", "CrossEntropyLoss")):
        line = found[name].line
        assert line is not None and part in lines[line - 1]


@pytest.mark.parametrize("code", ["", "x = 1", "import torch", "from torch.nn import *\nclass A(Module): pass"])
def test_a_script_without_a_model_gives_a_plan_of_unknowns(code: str) -> None:
    derived = derive(code)
    assert derived.plan.layers == []
    assert any(line.startswith("layers:") for line in derived.missing)


HOSTILE = {
    "recursion": "from torch import nn\ndef f(n): return nn.Sequential(f(n), f(n))\nmodel = f(3)",
    "itself": "from torch import nn\nmodel = nn.Sequential(nn.Linear(1, 1))\nmodel.append(model)\nmodel.append(model)",
    "doubling": "from torch import nn\nm = nn.Sequential(nn.Linear(1, 1))\n" + "m = nn.Sequential(m, m)\n" * 60,
    "lists": "from torch import nn\nx = [1]\n" + "x = [x, x]\n" * 60 + "m = nn.Linear(max(x), x == x)",
    "numbers": "from torch import nn\nx = 9 ** 9 ** 9 ** 9\ny = 2 ** 64 ** 64\nm = nn.Sequential(nn.Linear(x, y))",
    "loops": "from torch import nn\nl = []\n" + "".join(f"{' ' * i}for i{i} in range(99):\n" for i in range(9))
    + " " * 9 + "l.append(nn.Linear(1, 2))\nmodel = nn.Sequential(*l)",
    "wrappers": "from keras import layers\nl = layers.Dense(1)\n" + "l = layers.Wrapper(l, l)\n" * 60
    + "l(layers.Input(1))",
    "replaced": "from torchvision import models\nmodel = models.resnet18()\nmodel.fc = model\nmodel.fc = model",
    "uses": "from torch import nn\nm = nn.ReLU()\nclass A(nn.Module):\n    def forward(self, x):\n"
    "        for i in range(500):\n            for j in range(500):\n                x = m(x) + nn.Tanh()(x)\n"
    "        return x\nmodel = nn.Sequential(A(), nn.Linear(1, 1))",
    "copies": "from torch import nn\nl, k = [], []\nfor a in range(500):\n    for b in range(40):\n"
    "        l.append(nn.Linear(1, 2))\nfor a in range(500):\n    for b in range(500):\n"
    "        k.append([nn.Sequential(*l), nn.Sequential(l), l[:], l + l])",
    "inherits": "from torch import nn\nclass A(B, nn.Module): pass\nclass B(A): pass\nmodel = A()",
    "deep": "import torch\nx = " + "-" * 80 + "1\ny = " + "+".join(["1"] * 700),
    "texts": "import torch\ns = 'a' * 10**12\nt = s.split('a') * 10**9\nu = f'{s:>999999999}'",
}  # fmt: skip


@pytest.mark.parametrize("code", HOSTILE.values(), ids=HOSTILE.keys())
def test_code_that_builds_without_end_is_left(code: str) -> None:
    started = time.process_time()
    assert len(derive(code).plan.layers) <= 120
    assert time.process_time() - started < 5


def test_nothing_is_executed(tmp_path: Path) -> None:
    derive(f"import torch\nopen({str(tmp_path / 'trace')!r}, 'w')\nraise SystemExit(7)\n" + scripts.TRANSFER)
    assert list(tmp_path.iterdir()) == []


FEW = ("image-segmentation/unet-binary", "text-classification/bilstm-attention", "tabular-regression/mlp")


@pytest.mark.parametrize("key", FEW)
def test_a_sample_gives_its_own_plan_back(key: str) -> None:
    sample = all_samples()[key]
    row = derivation.measure(sample)
    assert all(row[name] for name in derivation.EXACT)
    assert row["common"] == row["true"]
    assert row["contradicted"] == []


def test_the_evaluation_measures_every_sample() -> None:
    keys = [key for key, _ in derivation.steps()]
    assert len(keys) == len(all_samples())
    rows = [derivation.measure(all_samples()[key]) for key in FEW]
    summary = {row["field"]: row for row in derivation.summary(rows)}
    assert summary["epochs"]["share"] == 1
    assert summary["layers, recall"]["share"] == 1


@pytest.mark.parametrize("code", [scripts.ARGPARSE_CNN, scripts.KERAS_SEQUENTIAL, scripts.KERAS_FUNCTIONAL])
def test_the_code_does_not_contradict_the_plan_derived_from_it(code: str) -> None:
    rows = conformance(code, derive(code).plan, [])
    assert [row for row in rows if row["verdict"] == "contradicted"] == []
