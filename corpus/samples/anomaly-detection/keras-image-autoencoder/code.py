"""Anomaly detection on images with an inpainting convolutional autoencoder in Keras.

Visual inspection: finds defects (scratched or dented parts, flaws in fabric, lesions in scans) where only photos of
good ones are at hand. Random squares of the training images are erased, and the convolutional autoencoder rebuilds the
whole image: it has to know what belongs where, and cannot just copy. An anomaly, which it never saw, is painted over
like an erased square. Absolute errors leave edges sharper than squared ones. A scratch covers few pixels: the anomaly
score is the mean error of those rebuilt worst. The threshold is a quantile of the scores of good validation images.

Data (--data PATH): a folder with the sub-folder good/ (any format Pillow reads), whose images are split into training,
validation and test. Those of all other sub-folders (bad/, scratch/, ...) are anomalies, for testing only; without them
nothing but the accuracy on good images is known. test_files.json tells which image each prediction belongs to.
Result (--smoke): plates with two holes, some of them scratched, ROC AUC above 0.98 (untrained: about 0.5).
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
    latent_dim: int = 64  # length of the code that an image is rebuilt from
    base_width: int = 16  # channels next to the image; each halving of the resolution doubles them
    depth: int = 4  # number of times the resolution is halved
    erased_share: float = 0.2  # share of the squares that are erased in training
    erased_size: int = 16  # side of a square in pixels
    scored_share: float = 0.01  # share of the pixels, those rebuilt worst, whose mean error is the score of an image
    threshold_quantile: float = 0.95  # share of good validation images that stay below the threshold
    batch_size: int = 16
    learning_rate: float = 1e-3
    epochs: int = 100
    patience: int = 10  # epochs without a better validation loss before training stops

    def for_smoke(self) -> "Config":
        """A trial that ends in seconds on a CPU: few examples, few epochs, no image side above 256 pixels."""
        height, width = min(self.image_height, 256), min(self.image_width, 256)
        batch_size, epochs = min(self.batch_size, 4), min(self.epochs, 5)
        return dataclasses.replace(self, image_height=height, image_width=width, batch_size=batch_size, epochs=epochs)


class Batches(keras.utils.PyDataset):
    """Batches of images (n, height, width, channels) in [0, 1] with their labels, or each as its own target."""

    def __init__(
        self, read: Callable[[int], np.ndarray], rows: np.ndarray, config: Config, labels: np.ndarray | None = None
    ) -> None:
        super().__init__()
        self.read, self.rows, self.labels, self.batch_size = read, rows, labels, config.batch_size

    def __len__(self) -> int:
        return math.ceil(len(self.rows) / self.batch_size)

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        rows = self.rows[index * self.batch_size : (index + 1) * self.batch_size]
        images = np.stack([self.read(row) for row in rows])
        return images, images if self.labels is None else self.labels[rows]


class ShuffledBatches(Batches):
    """Batches of other images in every epoch."""

    def on_epoch_end(self) -> None:
        np.random.shuffle(self.rows)


def image_files(folder: Path) -> tuple[list[Path], np.ndarray]:
    """Files of the images and their labels (N,), 0 for those in good/ and 1 for those in other sub-folders."""
    files = sorted(p for p in folder.glob("[!.]*/**/[!.]*") if p.suffix.lower() in Image.registered_extensions())
    labels = np.array([path.relative_to(folder).parts[0] != "good" for path in files], dtype=np.int64)
    if (labels == 0).sum() < 3:
        raise SystemExit(f"{folder}: at least 3 images in a sub-folder good/ are needed")
    return files, labels


def read_image(files: list[Path], config: Config, row: int) -> np.ndarray:
    """The image of that row as (height, width, channels) in [0, 1]."""
    mode = "L" if config.channels == 1 else "RGB"
    image = Image.open(files[row]).convert(mode).resize((config.image_width, config.image_height))
    return np.array(image, dtype=np.float32).reshape(config.image_height, config.image_width, -1) / 255


def synthetic_data(config: Config) -> tuple[np.ndarray, np.ndarray]:
    """Bright plates: images (N, height, width, channels), labels (N,); through a scratch the dark ground is seen."""
    generator = np.random.default_rng(config.seed)
    height, width = config.image_height, config.image_width
    labels = np.repeat([0, 1], [100 if height * width <= 128 * 128 else 60, 25])
    centre_row, centre_column = generator.uniform(-0.25, 0.25, (2, len(labels), 1, 1))
    rows = np.linspace(-1, 1, height).reshape(-1, 1) - centre_row
    columns = np.linspace(-1, 1, width) - centre_column
    holes = np.hypot(rows, np.abs(columns) - 0.35)  # distance from the middle of the nearer one
    outside = np.maximum(np.maximum(np.abs(rows) - 0.5, np.abs(columns) - 0.7), 0.15 - holes)
    plates = (1 / (1 + np.exp(20 * outside))).astype(np.float32)
    turn = generator.uniform(0, np.pi, (len(labels), 1, 1))
    rows, columns = rows - generator.uniform(-0.3, 0.3, turn.shape), columns - generator.uniform(-0.5, 0.5, turn.shape)
    along, across = rows * np.sin(turn) + columns * np.cos(turn), rows * np.cos(turn) - columns * np.sin(turn)
    scratches = (np.abs(along) < 0.25) & (np.abs(across) < max(0.04, 1.5 / min(height, width)))
    plates[scratches & (labels == 1).reshape(-1, 1, 1)] = 0
    brightness = 0.6 + 0.1 * generator.random((len(labels), 1, 1, config.channels), dtype=np.float32)
    images = 0.15 + brightness * plates[..., None]
    return images + 0.02 * generator.standard_normal(images.shape, dtype=np.float32), labels


def save_json(value: object, name: str, config: Config) -> None:
    """Keep under config.out what was learned, or which image is which."""
    out = Path(config.out)
    out.mkdir(parents=True, exist_ok=True)
    (out / name).write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")


def load_data(config: Config) -> tuple[Batches, Batches, Batches]:
    """70%, 15% and 15% of the good images; anomalies and labels (N,) come in the third, the test split."""
    if config.smoke:
        images, labels = synthetic_data(config)
        read = images.__getitem__
    else:
        files, labels = image_files(Path(config.data))
        read = partial(read_image, files, config)
    normal, anomalies = np.flatnonzero(labels == 0), np.flatnonzero(labels == 1)
    normal = np.random.default_rng(config.seed).permutation(normal)
    held_out = max(1, round(0.15 * len(normal)))
    train_rows, val_rows, test_rows = np.split(normal, [len(normal) - 2 * held_out, len(normal) - held_out])
    test_rows = np.concatenate([test_rows, anomalies])
    if not config.smoke:
        save_json([str(files[row]) for row in test_rows], "test_files.json", config)
    train_set, val_set = ShuffledBatches(read, train_rows, config), Batches(read, val_rows, config)
    return train_set, val_set, Batches(read, test_rows, config, labels)


class EraseSquares(layers.Layer):
    """In training, paints a share of the squares of each image grey."""

    def __init__(self, share: float, size: int) -> None:
        super().__init__()
        self.share, self.size = share, size
        self.generator = keras.random.SeedGenerator()

    def call(self, images: keras.KerasTensor, training: bool = False) -> keras.KerasTensor:
        if not training:
            return images
        count, height, width, _ = keras.ops.shape(images)
        squares = (count, math.ceil(height / self.size), math.ceil(width / self.size), 1)
        erased = keras.ops.cast(keras.random.uniform(squares, seed=self.generator) < self.share, images.dtype)
        for axis in (1, 2):
            erased = keras.ops.repeat(erased, self.size, axis=axis)
        erased = erased[:, :height, :width]
        return images * (1 - erased) + 0.5 * erased


def norm_relu(x: keras.KerasTensor) -> keras.KerasTensor:
    """Batch normalisation, then rectification."""
    x = layers.BatchNormalization(momentum=0.9)(x)  # the default 0.99 needs more steps than a small data set has
    return layers.ReLU()(x)


def build_model(config: Config) -> keras.Model:
    """Shapes: (N, image_height, image_width, channels) -> (N, image_height, image_width, channels) rebuilt images."""
    inputs = keras.Input((config.image_height, config.image_width, config.channels))
    x = EraseSquares(config.erased_share, config.erased_size)(inputs)
    for level in range(config.depth):
        width = config.base_width * 2**level
        x = norm_relu(layers.Conv2D(width, kernel_size=3, strides=2, padding="same", use_bias=False)(x))
    map_shape = x.shape[1:]
    x = layers.Dense(config.latent_dim)(layers.Flatten()(x))
    x = layers.Reshape(map_shape)(layers.Dense(math.prod(map_shape), activation="relu")(x))
    for level in reversed(range(config.depth - 1)):
        width = config.base_width * 2**level
        x = norm_relu(layers.Conv2DTranspose(width, kernel_size=4, strides=2, padding="same", use_bias=False)(x))
    x = layers.Conv2DTranspose(config.channels, kernel_size=4, strides=2, padding="same", activation="sigmoid")(x)
    surplus = ((0, x.shape[1] - config.image_height), (0, x.shape[2] - config.image_width))  # each halving rounds up
    return keras.Model(inputs, layers.Cropping2D(surplus)(x))


def build_loss(config: Config) -> keras.losses.Loss:
    """The training loss, called with (targets, outputs)."""
    return keras.losses.MeanAbsoluteError()


def build_optimizer(config: Config) -> keras.optimizers.Optimizer:
    """The optimizer of all weights."""
    return keras.optimizers.Adam(learning_rate=config.learning_rate)


def train(model: keras.Model, train_set: Batches, val_set: Batches, config: Config) -> None:
    """Fit the model, stop early, and restore the weights with the lowest validation loss."""
    model.compile(optimizer=build_optimizer(config), loss=build_loss(config))
    best = keras.callbacks.EarlyStopping(monitor="val_loss", patience=config.patience, restore_best_weights=True)
    model.fit(train_set, validation_data=val_set, epochs=config.epochs, callbacks=[best], verbose=2)


def roc_auc(scores: np.ndarray, positive: np.ndarray) -> float:
    """Chance that a positive scores above a negative, from the ranks of the scores; ties count half."""
    _, place, sizes = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (sizes.cumsum() - (sizes - 1) / 2)[place]
    positives, negatives = int(positive.sum()), int((~positive).sum())
    wins = float(ranks[positive].sum()) - positives * (positives + 1) / 2
    return wins / max(1, positives * negatives)


def average_precision(scores: np.ndarray, positive: np.ndarray) -> float:
    """Mean over the positives of the precision among all that score at least as high."""
    hits = positive[np.argsort(-scores)]
    return float((hits.cumsum() / np.arange(1, len(hits) + 1))[hits].mean())


def compute_metrics(outputs: np.ndarray, targets: np.ndarray) -> dict[str, float]:
    """Metrics of finding anomalies; outputs are scores minus threshold (N,), targets (N,) are 0 or 1."""
    predicted, true = outputs > 0, targets > 0.5
    hits, found, wanted = (int(images.sum()) for images in (predicted & true, predicted, true))
    accuracy = float((predicted == true).mean())
    if not wanted:
        return {"accuracy": accuracy}  # nothing else is known where there are good images only
    return {
        "accuracy": accuracy,
        "precision": hits / max(1, found),
        "recall": hits / wanted,
        "f1": 2 * hits / (found + wanted),
        "roc_auc": roc_auc(outputs, true),
        "average_precision": average_precision(outputs, true),
    }


def anomaly_scores(model: keras.Model, inputs: np.ndarray, config: Config) -> np.ndarray:
    """Mean absolute error (N,) of the worst rebuilt pixels of images (N, height, width, channels)."""
    errors = np.abs(model.predict(inputs, verbose=0) - inputs).mean(axis=3).reshape(len(inputs), -1)
    count = max(1, round(config.scored_share * errors.shape[1]))
    return np.partition(errors, -count, axis=1)[:, -count:].mean(axis=1)


def evaluate(model: keras.Model, dataset: Batches, threshold: float, config: Config) -> dict[str, float]:
    """Metrics over all images of the data set, whose targets are labels."""
    scores = [anomaly_scores(model, dataset[index][0], config) for index in range(len(dataset))]
    return compute_metrics(np.concatenate(scores) - threshold, dataset.labels[dataset.rows])


def predict(model: keras.Model, inputs: np.ndarray, threshold: float, config: Config) -> np.ndarray:
    """Labels (N,), 0 for good and 1 for anomaly, of images (N, height, width, channels)."""
    return (anomaly_scores(model, inputs, config) > threshold).astype(np.uint8)


def parse_config() -> Config:
    """Read every field of Config from the command line."""
    parser = argparse.ArgumentParser(
        description="Anomaly detection on images with an inpainting convolutional autoencoder in Keras."
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
    """Train, evaluate on the test split, and save weights, threshold, metrics and predictions."""
    config = parse_config()
    keras.utils.set_random_seed(config.seed)
    train_set, val_set, test_set = load_data(config)
    model = build_model(config)
    train(model, train_set, val_set, config)
    scores = np.concatenate([anomaly_scores(model, val_set[index][0], config) for index in range(len(val_set))])
    threshold = float(np.quantile(scores, config.threshold_quantile))
    metrics = evaluate(model, test_set, threshold, config)
    predictions = [predict(model, test_set[index][0], threshold, config) for index in range(len(test_set))]

    save_json({"threshold": threshold}, "threshold.json", config)
    save_json(metrics, "metrics.json", config)
    model.save_weights(Path(config.out) / "model.weights.h5")
    np.save(Path(config.out) / "predictions.npy", np.concatenate(predictions))
    print("test:", ", ".join(f"{name} {value:.4f}" for name, value in metrics.items()))


if __name__ == "__main__":
    main()
