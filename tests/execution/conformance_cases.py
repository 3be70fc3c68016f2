"""Scripts, plans that are true of them, and what running them shows: for the tests of plan conformance."""

from typing import Any, cast

from dlcodegen.execution.conformance.table import conformance
from dlcodegen.plan import Hyperparameters, SolutionPlan
from dlcodegen.report import Conformance, Fact, Seen, Verdict

TORCH = '''"""Classification of photos."""
from dataclasses import dataclass, replace

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.utils.data import DataLoader, random_split


@dataclass
class Config:
    image_height: int = 32
    image_width: int = 32
    channels: int = 3
    num_classes: int = 10
    dropout: float = 0.3
    batch_size: int = 64
    learning_rate: float = 1e-3
    epochs: int = 20

    def for_smoke(self):
        return replace(self, batch_size=min(self.batch_size, 8), epochs=min(self.epochs, 2))


def read_image(path, config):
    image = Image.open(path).resize((config.image_width, config.image_height))
    return np.array(image, dtype=np.float32) / 255


def load_data(config):
    images = [read_image(path, config) for path in config.paths]
    held_out = round(0.15 * len(images))
    parts = random_split(images, [len(images) - 2 * held_out, held_out, held_out])
    return [DataLoader(part, config.batch_size, shuffle=part is parts[0]) for part in parts]


class SmallCNN(nn.Module):
    def __init__(self, channels, num_classes, dropout):
        super().__init__()
        self.first = nn.Conv2d(channels, 32, kernel_size=3)
        self.norm = nn.BatchNorm2d(32)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(32, num_classes)

    def forward(self, x):
        x = torch.relu(self.norm(self.first(x))).mean(dim=(2, 3))
        return self.head(self.dropout(x))


def build_model(config):
    """Shapes: (N, channels, image_height, image_width) -> (N, num_classes) logits."""
    return SmallCNN(config.channels, config.num_classes, config.dropout)


def build_loss(config):
    return nn.CrossEntropyLoss()


def train(model, loader, config):
    optimizer = torch.optim.SGD(model.parameters(), lr=config.learning_rate, momentum=0.9)
    for epoch in range(config.epochs):
        pass


def compute_metrics(outputs, targets):
    return {"accuracy": (outputs.argmax(dim=1) == targets).float().mean().item()}
'''

KERAS = '''"""Classification of sentences."""
import keras
from keras import layers

WINDOW = 80


def load_data():
    vectorize = layers.TextVectorization(max_tokens=5000, output_sequence_length=WINDOW)
    return vectorize


def build_model():
    return keras.Sequential([
        keras.Input(shape=(WINDOW,)),
        layers.Embedding(5000, 64),
        layers.Bidirectional(layers.LSTM(units=128)),
        layers.Dropout(0.5),
        layers.Dense(3, activation="softmax"),
    ])


def train(model, data):
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(*data, batch_size=32, epochs=5, validation_split=0.2)
'''


def torch_plan(**changes: Any) -> SolutionPlan:
    return _plan(
        {
            "category": "image-classification",
            "input": "RGB images of 32x32 pixels, shape (N, 3, 32, 32)",
            "output": "one of 10 classes per image, shape (N,)",
            "preprocess": "Resize images to 32x32, scale pixels to [0, 1], split 70/15/15",
            "layers": ["Conv2D(32, kernel_size=3)", "BatchNormalization()", "ReLU()", "Dropout(0.3)", "Dense(10)"],
            "optimizer": "SGD(momentum=0.9)",
            "loss_function": "cross-entropy",
            "learning_rate": 0.001,
            "batch_size": 64,
            "epochs": 20,
            "evaluation_metric": "accuracy",
        },
        changes,
    )


def keras_plan(**changes: Any) -> SolutionPlan:
    return _plan(
        {
            "category": "text-classification",
            "input": "sentences as 80 token ids, shape (N, 80)",
            "output": "one of 3 classes per sentence, shape (N,)",
            "preprocess": "Tokenize, lower-case, vocabulary of 5000 words, pad or cut to 80 tokens",
            "layers": ["Embedding(5000, 64)", "Bidirectional(LSTM(128))", "Dropout(0.5)", "Dense(3)"],
            "optimizer": "Adam",
            "loss_function": "categorical cross-entropy",
            "learning_rate": 0.001,
            "batch_size": 32,
            "epochs": 5,
            "evaluation_metric": "accuracy",
        },
        changes,
    )


def _plan(fields: dict[str, Any], changes: dict[str, Any]) -> SolutionPlan:
    values = fields | changes
    hyper = {name: values.pop(name) for name in Hyperparameters.model_fields}
    return SolutionPlan(**values, hyperparameters=Hyperparameters(**hyper))


def rows(code: str, plan: SolutionPlan, seen: Seen | None = None, facts: list[Fact] | None = None) -> list[Conformance]:
    return conformance(code, plan, facts or [], seen)


def row(code: str, plan: SolutionPlan, name: str, seen: Seen | None = None) -> Conformance:
    return next(found for found in rows(code, plan, seen) if found["name"] == name)


def layer(code: str, text: str, seen: Seen | None = None) -> Conformance:
    """The row of one layer, the plan's only one."""
    return row(code, torch_plan(layers=[text]), "layer", seen)


def step(code: str, text: str) -> Verdict:
    return row(code, torch_plan(preprocess=text), "preprocess")["verdict"]


def fact(name: str, value: Any) -> Fact:
    return {"name": name, "value": value, "text": ""}


def model(*lines: str) -> str:
    body = "\n        ".join(lines)
    return (
        "from torch import nn\n\n\nclass Net(nn.Module):\n    def __init__(self, config):\n        super().__init__()\n"
        f"        {body}\n\n    def forward(self, x):\n        return self.layers(x).mean(dim=1)\n\n\n"
        "def build_model(config):\n    return Net(config)\n"
    )


def verdicts(code: str, *layers: str, seen: Seen | None = None) -> list[Verdict]:
    found = rows(code, torch_plan(layers=list(layers)), seen)
    return [one["verdict"] for one in found if one["name"] == "layer"]


BUILT = [
    "Conv2d(3, 32, kernel_size=(3, 3), stride=(1, 1))",
    "BatchNorm2d(32, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True)",
    "Dropout(p=0.3, inplace=False)",
    "Linear(in_features=32, out_features=10, bias=True)",
]


def seen(**changes: Any) -> Seen:
    shown: dict[str, Any] = {
        "framework": "pytorch",
        "model": "SmallCNN",
        "layers": BUILT,
        "inputs": [[8, 3, 32, 32]],
        "outputs": [[8, 10]],
        "optimizers": [{"name": "SGD", "settings": {"lr": 0.001, "momentum": 0.9, "weight_decay": 0}}],
        "losses": ["cross_entropy"],
        "batch_size": 8,
    }
    shown.update(changes)
    return cast(Seen, shown)
