"""Metric learning on unseen classes in Keras, with semi-hard triplets and embeddings of length one.

Learns embeddings of images in which likeness means the same class, and is tested as it will be used: on classes that
training never saw. Most triplets soon teach nothing, and the hardest are often mistakes: so the loss takes, for each
pair of one class, the nearest image of another class that is still farther away (semi-hard). On vectors of length one
distances cannot be made large by mere scale, so that a fixed margin keeps its meaning.

Data (--data PATH): a folder with one sub-folder per class (a product, a person, a species), which holds its images (any
format Pillow reads). Whole classes are held out: at least six are needed.
Result (--smoke): noisy gratings in random colours, whose direction and width make the class, recall at 1 above 0.95
for six unseen classes after six epochs (untrained: 0.54).
"""

import argparse
import dataclasses
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

os.environ.setdefault("KERAS_BACKEND", "torch")  # Keras reads it when it is imported
import keras
from keras import layers, ops


@dataclass
class Config:
    """Every setting of the project; each field is a command line flag."""

    data: str = ""
    out: str = "outputs"
    smoke: bool = False
    seed: int = 42
    image_height: int = 48
    image_width: int = 48
    channels: int = 3
    num_classes: int = 40  # of the synthetic data; real data brings its own
    embedding_dim: int = 32  # length of the vector that stands for an image
    images_per_class: int = 4  # in each batch; a pair needs 2
    margin: float = 0.2  # by which a different class has to be farther, in squared distance
    base_width: int = 16  # channels of the first stage; each further stage doubles them
    depth: int = 3  # number of stages, each of which halves the resolution
    batch_size: int = 64
    learning_rate: float = 2e-3
    weight_decay: float = 1e-4
    epochs: int = 50
    patience: int = 10  # epochs without better retrieval of validation classes before training stops

    def for_smoke(self) -> "Config":
        """A trial that ends in seconds on a CPU: few examples, few epochs, no image side above 256 pixels."""
        height, width = min(self.image_height, 256), min(self.image_width, 256)
        most = 32 if height * width <= 192 * 192 else 16  # images in a batch that memory allows
        batch_size, epochs = min(self.batch_size, most), min(self.epochs, 6 if height * width <= 64 * 64 else 4)
        return dataclasses.replace(self, image_height=height, image_width=width, batch_size=batch_size, epochs=epochs)


class Batches(keras.utils.PyDataset):
    """Batches of images (n, height, width, channels) in [0, 1] and class numbers (n,), read when they are needed."""

    def __init__(self, read: Callable[[int], np.ndarray], labels: np.ndarray, rows: np.ndarray, config: Config) -> None:
        super().__init__()
        self.read, self.labels, self.rows, self.config = read, labels, rows, config
        self.batches = [rows[at : at + config.batch_size] for at in range(0, len(rows), config.batch_size)]

    def __len__(self) -> int:
        return len(self.batches)

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        rows = self.batches[index]
        return np.stack([self.read(row) for row in rows]), self.labels[rows]


class BalancedBatches(Batches):
    """Batches of some images of every class that was drawn: a random batch of many classes would hold no pairs."""

    def __init__(self, read: Callable[[int], np.ndarray], labels: np.ndarray, rows: np.ndarray, config: Config) -> None:
        super().__init__(read, labels, rows, config)
        self.generator = np.random.default_rng(config.seed)
        self.members = [rows[labels[rows] == label] for label in np.unique(labels[rows])]
        self.on_epoch_end()

    def on_epoch_end(self) -> None:
        each = max(2, self.config.images_per_class)
        classes = max(2, self.config.batch_size // each)  # per batch
        count = max(1, len(self.rows) // (each * classes))
        self.batches = [self.draw(classes, each) for _ in range(count)]

    def draw(self, classes: int, each: int) -> np.ndarray:
        """Rows (n,) of that many images of each of that many classes, or of all there are."""
        drawn = self.generator.permutation(len(self.members))[:classes]
        return np.concatenate([self.generator.permutation(self.members[label])[:each] for label in drawn])


def read_image(files: list[Path], config: Config, row: int) -> np.ndarray:
    """The image of that row as (height, width, channels) in [0, 1]."""
    mode = "L" if config.channels == 1 else "RGB"
    image = Image.open(files[row]).convert(mode).resize((config.image_width, config.image_height))
    return np.array(image, dtype=np.float32).reshape(config.image_height, config.image_width, -1) / 255


def image_folder(folder: Path) -> tuple[list[Path], np.ndarray]:
    """Image files and their class numbers (N,), from one sub-folder per class."""
    extensions = Image.registered_extensions()
    files = sorted(path for path in folder.glob("[!.]*/*") if path.suffix.lower() in extensions)
    names, labels = np.unique([path.parent.name for path in files], return_inverse=True)
    if len(names) < 6 or np.bincount(labels).min() < 2:
        raise SystemExit(f"{folder}: six sub-folders or more with at least 2 images each are needed")
    return files, labels


def synthetic_data(config: Config) -> tuple[np.ndarray, np.ndarray]:
    """Gratings in two random colours, under noise: images (N, height, width, channels) and class numbers (N,)."""
    generator = np.random.default_rng(config.seed)
    height, width = config.image_height, config.image_width
    classes = max(config.num_classes, 6)
    count = classes * max(6, min(12, 12 * 48 * 48 // (height * width)))
    labels = np.arange(count) % classes
    angles = np.pi * labels / classes
    frequency = 2 * np.pi / np.array([4.0, 6.0, 9.0])[labels % 3]  # pixels per wave
    slope_row, slope_column = ((frequency * turn(angles))[:, None, None] for turn in (np.sin, np.cos))
    rows, columns = np.arange(height)[:, None], np.arange(width)
    phase = generator.uniform(0, 2 * np.pi, (count, 1, 1))
    waves = (np.sin(rows * slope_row + columns * slope_column + phase, dtype=np.float32)[..., None] + 1) / 2
    bright, dark = generator.random((2, count, 1, 1, config.channels), dtype=np.float32)
    images = 0.6 * dark + waves * (0.4 + 0.6 * (bright - dark))
    images += 0.2 * generator.standard_normal(images.shape, dtype=np.float32)
    return images, labels


def load_data(config: Config) -> tuple[BalancedBatches, Batches, Batches]:
    """Batches of the training (70%), validation (15%) and test (15%) split of the classes: no class is in two."""
    if config.smoke:
        images, labels = synthetic_data(config)
        read = images.__getitem__
    else:
        files, labels = image_folder(Path(config.data))
        read = partial(read_image, files, config)
    classes = np.random.default_rng(config.seed).permutation(np.unique(labels))
    held_out = max(2, round(0.15 * len(classes)))
    parts = np.split(classes, [held_out, 2 * held_out])
    val_rows, test_rows, train_rows = (np.flatnonzero(np.isin(labels, part)) for part in parts)
    return (
        BalancedBatches(read, labels, train_rows, config),
        Batches(read, labels, val_rows, config),
        Batches(read, labels, test_rows, config),
    )


def build_model(config: Config) -> keras.Model:
    """Shapes: (N, image_height, image_width, channels) -> (N, embedding_dim) embeddings of length one."""
    inputs = keras.Input((config.image_height, config.image_width, config.channels))
    x = inputs
    for stage in range(config.depth):
        x = layers.Conv2D(config.base_width * 2**stage, kernel_size=5, padding="same", use_bias=False)(x)
        x = layers.BatchNormalization(momentum=0.9)(x)  # the default 0.99 needs more steps than a small data set has
        x = layers.ReLU()(x)
        x = layers.MaxPooling2D(2, padding="same")(x)  # rounds up: no map shrinks to nothing
    x = layers.GlobalAveragePooling2D()(x)
    x = layers.Dense(config.embedding_dim)(x)
    return keras.Model(inputs, layers.UnitNormalization()(x))


class TripletLoss(keras.losses.Loss):
    """Semi-hard triplets of a batch, after FaceNet; targets are class numbers, outputs embeddings of length one."""

    def __init__(self, margin: float) -> None:
        super().__init__()
        self.margin = margin

    def call(self, y_true: keras.KerasTensor, y_pred: keras.KerasTensor) -> keras.KerasTensor:
        labels = ops.reshape(y_true, (-1,))
        distances = 2 - 2 * ops.matmul(y_pred, ops.transpose(y_pred))  # squared, (n, n)
        same = labels[:, None] == labels
        positive, others = distances[:, :, None], distances[:, None, :]  # anchor, positive, negative
        farther = ops.logical_and(ops.logical_not(same)[:, None, :], others > positive)
        nearest = ops.min(ops.where(farther, others, 5.0), axis=2)  # no squared distance exceeds 4
        farthest = ops.max(ops.where(same, -1.0, distances), axis=1, keepdims=True)
        negative = ops.where(ops.any(farther, axis=2), nearest, farthest)  # where none is semi-hard, the easiest
        pairs = ops.cast(same, y_pred.dtype) * (1 - ops.eye(y_pred.shape[0]))
        return ops.sum(pairs * ops.relu(distances - negative + self.margin)) / ops.maximum(ops.sum(pairs), 1)


def build_loss(config: Config) -> keras.losses.Loss:
    """The training loss, called with (targets, outputs)."""
    return TripletLoss(config.margin)


def build_optimizer(config: Config) -> keras.optimizers.Optimizer:
    """The optimizer of all weights."""
    return keras.optimizers.AdamW(learning_rate=config.learning_rate, weight_decay=config.weight_decay)


class Retrieval(keras.callbacks.Callback):
    """Adds to the log of every epoch how well the validation classes, which training does not see, are retrieved."""

    def __init__(self, val_set: Batches) -> None:
        super().__init__()
        self.val_set = val_set

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
        logs["val_map_at_r"] = evaluate(self.model, self.val_set)["map_at_r"]


def train(model: keras.Model, train_set: BalancedBatches, val_set: Batches, config: Config) -> None:
    """Fit the model, stop early, and restore the weights that retrieve best among the validation classes."""
    model.compile(optimizer=build_optimizer(config), loss=build_loss(config))
    best = keras.callbacks.EarlyStopping(
        "val_map_at_r", mode="max", patience=config.patience, restore_best_weights=True
    )
    model.fit(train_set, epochs=config.epochs, callbacks=[Retrieval(val_set), best], verbose=2)


def compute_metrics(outputs: np.ndarray, targets: np.ndarray) -> dict[str, float]:
    """How well embeddings (N, embedding_dim) retrieve, for each image, the R others of its class (N,)."""
    similarity = outputs @ outputs.T
    np.fill_diagonal(similarity, -2)
    ranking = np.argsort(-similarity, axis=1, kind="stable")[:, :-1]  # without the image itself
    hits = targets[ranking] == targets[:, None]
    wanted = hits.sum(axis=1)
    ranks = np.arange(1, hits.shape[1] + 1)
    precision = hits.cumsum(axis=1) / ranks
    average = (precision * hits * (ranks <= wanted[:, None])).sum(axis=1) / np.maximum(wanted, 1)
    recall_at_1, recall_at_5 = (float(hits[:, :count].any(axis=1).mean()) for count in (1, 5))
    return {"recall_at_1": recall_at_1, "recall_at_5": recall_at_5, "map_at_r": float(average.mean())}


def evaluate(model: keras.Model, dataset: Batches) -> dict[str, float]:
    """Metrics over all examples of the data set."""
    return compute_metrics(model.predict(dataset, verbose=0), dataset.labels[dataset.rows])


def predict(model: keras.Model, inputs: np.ndarray) -> np.ndarray:
    """Embeddings (N, embedding_dim) of images (N, height, width, channels); the dot product is the likeness."""
    return model.predict(inputs, verbose=0)


def parse_config() -> Config:
    """Read every field of Config from the command line."""
    parser = argparse.ArgumentParser(description="Metric learning on unseen classes with semi-hard triplets in Keras.")
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
