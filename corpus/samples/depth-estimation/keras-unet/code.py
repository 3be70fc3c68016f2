"""Depth estimation from a single image with a U-Net in Keras.

Every pixel gets its distance in metres. Encoder and decoder are joined by skip connections, so that the edges of things
stay sharp; softplus keeps depths positive. The L1 loss is less moved than squares by the few pixels that are far away.

Data (--data PATH): a folder with images/ and depths/. A depth image is grey, with 8 or 16 bits, and has the name of its
image. Its pixels divided by depth_scale are metres; pixels of zero were not measured and are left out.
Result (--smoke): discs in front of a wall, nearer is brighter, delta 1 above 0.8 after three epochs on a CPU
(untrained: 0.1), the mean error relative to the depth below 0.2 (untrained: 0.5).
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
from keras import layers, ops


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
    depth_scale: float = 1000.0  # grey value of one metre: 1000 where 16-bit images hold millimetres
    base_width: int = 16  # channels of the first level; each level below doubles them
    depth: int = 4  # number of times the resolution is halved
    batch_size: int = 16
    learning_rate: float = 1e-3
    weight_decay: float = 1e-4
    epochs: int = 50
    patience: int = 10  # epochs without a better validation loss before training stops

    def for_smoke(self) -> "Config":
        """A trial that ends in seconds on a CPU: few examples, few epochs, no image side above 256 pixels."""
        height, width = min(self.image_height, 256), min(self.image_width, 256)
        batch_size, epochs = 1, min(self.epochs, 3)  # the U-Net is slow and wants many steps
        return dataclasses.replace(self, image_height=height, image_width=width, batch_size=batch_size, epochs=epochs)


class Batches(keras.utils.PyDataset):
    """Batches of images (n, height, width, channels) in [0, 1] and depths (n, height, width, 1), 0 where unknown."""

    def __init__(
        self, read: Callable[[int], tuple[np.ndarray, np.ndarray]], rows: np.ndarray, config: Config, shuffle: bool
    ) -> None:
        super().__init__()
        self.read, self.rows, self.batch_size = read, rows, config.batch_size
        self.shuffle = np.random.default_rng(config.seed) if shuffle else None
        self.on_epoch_end()

    def __len__(self) -> int:
        return math.ceil(len(self.rows) / self.batch_size)

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        rows = self.rows[index * self.batch_size : (index + 1) * self.batch_size]
        images, depths = zip(*map(self.read, rows), strict=True)
        return np.stack(images), np.stack(depths)

    def on_epoch_end(self) -> None:
        if self.shuffle is not None:
            self.shuffle.shuffle(self.rows)


def find_pairs(folder: Path) -> list[tuple[Path, Path]]:
    """Files of images and of the depths with the same name."""
    depths = {path.stem: path for path in sorted(folder.glob("depths/*"))}
    pairs = [(path, depths[path.stem]) for path in sorted(folder.glob("images/*")) if path.stem in depths]
    if len(pairs) < 3:
        raise SystemExit(f"{folder}: at least 3 pairs of images/NAME and depths/NAME are needed")
    return pairs


def read_pair(pairs: list[tuple[Path, Path]], config: Config, row: int) -> tuple[np.ndarray, np.ndarray]:
    """Image (height, width, channels) in [0, 1] and depth (height, width, 1) in metres of that row, 0 where unknown."""
    size, mode = (config.image_width, config.image_height), "L" if config.channels == 1 else "RGB"
    image, depth = Image.open(pairs[row][0]).convert(mode), Image.open(pairs[row][1])
    depth = depth if depth.mode.startswith(("I", "F")) else depth.convert("L")  # I and F hold more than 8 bits
    pixels = np.array(image.resize(size), dtype=np.float32).reshape(*size[::-1], -1) / 255
    # The nearest pixel, not a mean: between near and far there is nothing, and an unknown pixel is no short distance.
    metres = np.array(depth.resize(size, Image.Resampling.NEAREST), dtype=np.float32) / config.depth_scale
    return pixels, metres[..., None]


def synthetic_data(config: Config) -> tuple[np.ndarray, np.ndarray]:
    """Discs before a wall, nearer is brighter: images (N, height, width, channels) and depths (N, height, width, 1)."""
    generator = np.random.default_rng(config.seed)
    height, width = config.image_height, config.image_width
    count = max(8, min(18, 18 * 128 * 128 * 16 * 16 // (height * width * config.base_width**2)))
    rows, columns = np.linspace(-1, 1, height).reshape(1, -1, 1, 1), np.linspace(-1, 1, width).reshape(1, 1, -1, 1)
    x, y = generator.uniform(-0.5, 0.5, (2, count, 1, 1, 1))
    discs = (columns - x) ** 2 + (rows - y) ** 2 < 0.2
    nearer, farther = generator.uniform(0, 0.4, (2, count, 1, 1, 1))
    depths = np.where(discs, 0.4 + nearer, 1.5 - 0.3 * rows + farther).astype(np.float32)
    noise = generator.random((count, height, width, config.channels), dtype=np.float32)
    return np.exp(-depths) + 0.2 * noise, depths


def load_data(config: Config) -> tuple[Batches, Batches, Batches]:
    """Batches of the training (70%), validation (15%) and test (15%) split."""
    if config.smoke:
        images, depths = synthetic_data(config)
        count, read = len(images), lambda row: (images[row], depths[row])
    else:
        pairs = find_pairs(Path(config.data))
        count, read = len(pairs), partial(read_pair, pairs, config)
    held_out = max(1, round(0.15 * count))
    rows = np.random.default_rng(config.seed).permutation(count)
    train_rows, val_rows, test_rows = np.split(rows, [count - 2 * held_out, count - held_out])
    return (
        Batches(read, train_rows, config, shuffle=True),
        Batches(read, val_rows, config, shuffle=False),
        Batches(read, test_rows, config, shuffle=False),
    )


def double_conv(x: keras.KerasTensor, width: int) -> keras.KerasTensor:
    """Two 3x3 convolutions, each normalised and rectified; height and width stay."""
    for _ in range(2):
        x = layers.Conv2D(width, kernel_size=3, padding="same", use_bias=False)(x)
        x = layers.BatchNormalization(momentum=0.9)(x)  # the default 0.99 needs more steps than a small data set has
        x = layers.ReLU()(x)
    return x


def build_model(config: Config) -> keras.Model:
    """Shapes: (N, image_height, image_width, channels) -> (N, image_height, image_width, 1) depths in metres."""
    inputs = keras.Input((config.image_height, config.image_width, config.channels))
    # Sides are padded to multiples of what the halvings divide by: maps of both halves fit, whatever the image size.
    padding = [(0, -side % 2**config.depth) for side in inputs.shape[1:3]]
    x = layers.ZeroPadding2D(padding)(inputs)
    widths = [config.base_width * 2**level for level in range(config.depth + 1)]
    skips = []
    for width in widths[:-1]:
        x = double_conv(x, width)
        skips.append(x)
        x = layers.MaxPooling2D(2)(x)
    x = double_conv(x, widths[-1])
    for width, skip in zip(widths[-2::-1], skips[::-1], strict=True):
        x = layers.UpSampling2D(2, interpolation="bilinear")(x)  # smooth, as surfaces are
        x = double_conv(layers.Concatenate()([skip, x]), width)
    x = layers.Conv2D(1, kernel_size=1, activation="softplus")(x)
    return keras.Model(inputs, layers.Cropping2D(padding)(x))


class MeasuredL1Loss(keras.losses.Loss):
    """Mean absolute error over the pixels whose depth is known."""

    def call(self, y_true: keras.KerasTensor, y_pred: keras.KerasTensor) -> keras.KerasTensor:
        known = ops.cast(y_true > 0, y_pred.dtype)
        return ops.sum(ops.abs(y_pred - y_true) * known) / ops.maximum(ops.sum(known), 1)


def build_loss(config: Config) -> keras.losses.Loss:
    """The training loss, called with (targets, outputs)."""
    return MeasuredL1Loss()


def build_optimizer(config: Config) -> keras.optimizers.Optimizer:
    """The optimizer of all weights."""
    return keras.optimizers.AdamW(learning_rate=config.learning_rate, weight_decay=config.weight_decay)


def train(model: keras.Model, train_set: Batches, val_set: Batches, config: Config) -> None:
    """Fit the model, stop early, and restore the weights with the lowest validation loss."""
    model.compile(optimizer=build_optimizer(config), loss=build_loss(config))
    best = keras.callbacks.EarlyStopping(monitor="val_loss", patience=config.patience, restore_best_weights=True)
    model.fit(train_set, validation_data=val_set, epochs=config.epochs, callbacks=[best], verbose=2)


def compute_metrics(outputs: np.ndarray, targets: np.ndarray) -> dict[str, float]:
    """Errors over all pixels of known depth; delta_1 is the share of them that is off by less than a quarter."""
    depths, true = outputs[targets > 0], targets[targets > 0]
    errors, ratios = np.abs(depths - true), np.maximum(depths / true, true / depths)
    return {
        "mae": float(errors.mean()),
        "rmse": float(np.sqrt(np.square(errors).mean())),
        "abs_rel": float((errors / true).mean()),
        "delta_1": float((ratios < 1.25).mean()),
    }


def evaluate(model: keras.Model, dataset: Batches) -> dict[str, float]:
    """Metrics over all examples of the data set."""
    targets = np.concatenate([dataset[index][1] for index in range(len(dataset))])
    return compute_metrics(model.predict(dataset, verbose=0), targets)


def predict(model: keras.Model, inputs: np.ndarray) -> np.ndarray:
    """Depths in metres, (N, height, width, 1), for images (N, height, width, channels)."""
    return model.predict(inputs, verbose=0)


def parse_config() -> Config:
    """Read every field of Config from the command line."""
    parser = argparse.ArgumentParser(description="Depth estimation from a single image with a U-Net in Keras.")
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
