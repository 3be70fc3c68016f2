"""Regression of one number from an image with a convolutional network in Keras.

Reads an age, a count, a price or a ripeness off an image. Each map of the last convolution is pooled to its mean (how
much of something there is) and its maximum (how strong it gets), from which a small head finds the number. A last layer
knows mean and deviation of the training targets and gives outputs in their unit, so that nothing but the weights is
needed to predict. The mean absolute error asks for the median, which a few wrong targets hardly move.

Data (--data PATH): a folder with images/ and targets.csv, one row per image with the columns file and target.
Result (--smoke): what percentage of the image a bright disc covers, R2 above 0.8 after five epochs.
"""

import argparse
import dataclasses
import json
import math
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

os.environ.setdefault("KERAS_BACKEND", "torch")  # Keras reads it when it is imported
import keras
from keras import layers


@dataclass
class Config:
    """Every setting of the project; each field is a command line flag."""

    data: str = ""
    out: str = "outputs"
    smoke: bool = False
    seed: int = 42
    image_height: int = 128
    image_width: int = 128
    channels: int = 3
    base_width: int = 16  # channels of the first stage; each further stage doubles them
    depth: int = 4  # number of stages, each of which halves the resolution
    hidden_size: int = 64
    dropout: float = 0.1
    batch_size: int = 32
    learning_rate: float = 1e-3
    weight_decay: float = 1e-4
    epochs: int = 50
    patience: int = 10  # epochs without a better validation loss before training stops

    def for_smoke(self) -> "Config":
        """A trial that ends in seconds on a CPU: few examples, few epochs, no image side above 256 pixels."""
        height, width = min(self.image_height, 256), min(self.image_width, 256)
        batch_size, epochs = min(self.batch_size, 4), min(self.epochs, 5)
        return dataclasses.replace(self, image_height=height, image_width=width, batch_size=batch_size, epochs=epochs)


class Batches(keras.utils.PyDataset):
    """Batches of images (n, height, width, channels) in [0, 1] and targets (n,), read when they are needed."""

    def __init__(
        self, read: Callable[[int], np.ndarray], targets: np.ndarray, rows: np.ndarray, config: Config, shuffle: bool
    ) -> None:
        super().__init__()
        self.read, self.targets, self.rows = read, targets, rows
        self.batch_size = config.batch_size
        self.shuffle = np.random.default_rng(config.seed) if shuffle else None
        self.on_epoch_end()

    def __len__(self) -> int:
        return math.ceil(len(self.rows) / self.batch_size)

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        rows = self.rows[index * self.batch_size : (index + 1) * self.batch_size]
        return np.stack([self.read(row) for row in rows]), self.targets[rows]

    def on_epoch_end(self) -> None:
        if self.shuffle is not None:
            self.shuffle.shuffle(self.rows)


def read_table(folder: Path) -> tuple[list[Path], np.ndarray]:
    """Image files and their targets (N,); rows without a target are left out."""
    types = {"file": str, "target": np.float32}
    try:
        table = pd.read_csv(folder / "targets.csv", usecols=list(types), dtype=types).dropna()
    except (OSError, ValueError) as error:
        raise SystemExit(f"{folder / 'targets.csv'}: {error}") from None
    files = [folder / "images" / name for name in table["file"]]
    if absent := [path for path in files if not path.is_file()]:
        raise SystemExit(f"{absent[0]}: there is no such file")
    if len(files) < 3:
        raise SystemExit(f"{folder}: at least 3 images with a row in targets.csv are needed")
    return files, table["target"].to_numpy()


def read_image(files: list[Path], config: Config, row: int) -> np.ndarray:
    """The image of that row as (height, width, channels) in [0, 1]."""
    mode = "L" if config.channels == 1 else "RGB"
    image = Image.open(files[row]).convert(mode).resize((config.image_width, config.image_height))
    return np.array(image, dtype=np.float32).reshape(config.image_height, config.image_width, -1) / 255


def synthetic_data(config: Config) -> tuple[np.ndarray, np.ndarray]:
    """A bright disc on noise, and what percentage it covers: images (N, height, width, channels) and targets (N,)."""
    generator = np.random.default_rng(config.seed)
    height, width = config.image_height, config.image_width
    count = max(96, min(160, 120 * 128 * 128 // (height * width)))
    rows, columns = np.linspace(-1, 1, height).reshape(-1, 1), np.linspace(-1, 1, width)
    x, y = generator.uniform(-0.3, 0.3, (2, count, 1, 1))
    radius = generator.uniform(0.2, 0.7, (count, 1, 1))
    discs = ((columns - x) ** 2 + (rows - y) ** 2 < radius**2).astype(np.float32)
    noise = generator.random((count, height, width, config.channels), dtype=np.float32)
    return 0.6 * discs[..., None] + 0.4 * noise, 100 * discs.mean(axis=(1, 2))


def load_data(config: Config) -> tuple[Batches, Batches, Batches]:
    """Batches of the training (70%), validation (15%) and test (15%) split."""
    if config.smoke:
        images, targets = synthetic_data(config)
        read = images.__getitem__
    else:
        files, targets = read_table(Path(config.data))
        read = partial(read_image, files, config)
    count = len(targets)
    held_out = max(1, round(0.15 * count))
    rows = np.random.default_rng(config.seed).permutation(count)
    train_rows, val_rows, test_rows = np.split(rows, [count - 2 * held_out, count - held_out])
    return (
        Batches(read, targets, train_rows, config, shuffle=True),
        Batches(read, targets, val_rows, config, shuffle=False),
        Batches(read, targets, test_rows, config, shuffle=False),
    )


def build_model(config: Config) -> keras.Model:
    """Shapes: (N, image_height, image_width, channels) -> (N, 1) numbers in the unit of the targets."""
    inputs = keras.Input((config.image_height, config.image_width, config.channels))
    x = inputs
    for stage in range(config.depth):
        x = layers.Conv2D(config.base_width * 2**stage, kernel_size=3, padding="same", use_bias=False)(x)
        x = layers.BatchNormalization(momentum=0.9)(x)  # the default 0.99 needs more steps than a small data set has
        x = layers.ReLU()(x)
        x = layers.MaxPooling2D(2, padding="same")(x)  # rounds up: no map shrinks to nothing
    x = layers.Concatenate()([layers.GlobalAveragePooling2D()(x), layers.GlobalMaxPooling2D()(x)])
    x = layers.Dense(config.hidden_size, activation="relu")(x)
    x = layers.Dense(1)(layers.Dropout(config.dropout)(x))
    # Undoes a standardisation of the targets that need not be done then; `adapt` teaches it their statistics.
    return keras.Model(inputs, layers.Normalization(axis=None, invert=True, name="unit")(x))


def build_loss(config: Config) -> keras.losses.Loss:
    """The training loss, called with (targets, outputs)."""
    return keras.losses.MeanAbsoluteError()


def build_optimizer(config: Config) -> keras.optimizers.Optimizer:
    """The optimizer of all weights."""
    return keras.optimizers.AdamW(learning_rate=config.learning_rate, weight_decay=config.weight_decay)


def train(model: keras.Model, train_set: Batches, val_set: Batches, config: Config) -> None:
    """Fit the model, stop early, and restore the weights with the lowest validation loss."""
    model.get_layer("unit").adapt(train_set.targets[train_set.rows, None])
    model.compile(optimizer=build_optimizer(config), loss=build_loss(config))
    best = keras.callbacks.EarlyStopping(monitor="val_loss", patience=config.patience, restore_best_weights=True)
    model.fit(train_set, validation_data=val_set, epochs=config.epochs, callbacks=[best], verbose=2)


def compute_metrics(outputs: np.ndarray, targets: np.ndarray) -> dict[str, float]:
    """Errors of the predictions (N,), and the share r2 of the target's variance that they explain."""
    errors = outputs.astype(np.float64) - targets
    mse, variance = float(np.square(errors).mean()), float(targets.var(dtype=np.float64))
    return {"mae": float(np.abs(errors).mean()), "mse": mse, "rmse": mse**0.5, "r2": 1 - mse / max(variance, 1e-12)}


def evaluate(model: keras.Model, dataset: Batches) -> dict[str, float]:
    """Metrics over all examples of the data set."""
    return compute_metrics(model.predict(dataset, verbose=0)[:, 0], dataset.targets[dataset.rows])


def predict(model: keras.Model, inputs: np.ndarray) -> np.ndarray:
    """Numbers (N,) for images (N, image_height, image_width, channels)."""
    return model.predict(inputs, verbose=0)[:, 0]


def parse_config() -> Config:
    """Read every field of Config from the command line."""
    parser = argparse.ArgumentParser(
        description="Regression of one number from an image with a convolutional network in Keras."
    )
    for field in dataclasses.fields(Config):
        flag = "--" + field.name.replace("_", "-")
        if isinstance(field.default, bool):
            parser.add_argument(flag, action=argparse.BooleanOptionalAction, default=field.default)
        else:
            parser.add_argument(flag, type=type(field.default), default=field.default, help="default: %(default)s")
    config = Config(**vars(parser.parse_args()))
    if not (config.data or config.smoke):
        parser.error("give --data PATH for real data, or --smoke for a quick trial on synthetic data")
    return config.for_smoke() if config.smoke else config


def main() -> None:
    """Train, evaluate on the test split, and save weights, metrics and predictions."""
    config = parse_config()
    keras.utils.set_random_seed(config.seed)
    train_set, val_set, test_set = load_data(config)
    model = build_model(config)
    train(model, train_set, val_set, config)
    metrics = evaluate(model, test_set)
    predictions = np.concatenate([predict(model, test_set[index][0]) for index in range(len(test_set))])

    out = Path(config.out)
    out.mkdir(parents=True, exist_ok=True)
    model.save_weights(out / "model.weights.h5")
    np.save(out / "predictions.npy", predictions)
    (out / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n", encoding="utf-8")
    print("test:", ", ".join(f"{name} {value:.4f}" for name, value in metrics.items()))


if __name__ == "__main__":
    main()
