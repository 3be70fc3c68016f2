"""Binary image segmentation with a U-Net in Keras.

Finds one kind of object (polyps, cells, roads, defects): every pixel gets the logit of belonging to it. Skip
connections hand the fine maps of the encoder to the decoder, whose transposed convolutions learn how to enlarge. A soft
Dice term is added to binary cross-entropy, since objects usually cover a small part of the image. Training images are
mirrored at random together with their masks.

Data (--data PATH): a folder with images/ and masks/. A mask has the name of its image (any format Pillow reads);
pixels brighter than half are object.
Result (--smoke): bright discs on noise, Dice above 0.8 after two epochs on a CPU.
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
    base_width: int = 32  # channels of the first level; each level below doubles them
    depth: int = 4  # number of times the resolution is halved
    batch_size: int = 16
    learning_rate: float = 1e-3
    weight_decay: float = 1e-4
    epochs: int = 50
    patience: int = 10  # epochs without a better validation loss before training stops

    def for_smoke(self) -> "Config":
        """A trial that ends in seconds on a CPU: few examples, few epochs, no image side above 192 pixels."""
        height, width = min(self.image_height, 192), min(self.image_width, 192)
        batch_size, epochs = min(self.batch_size, 2 if height * width <= 128 * 128 else 1), min(self.epochs, 2)
        return dataclasses.replace(self, image_height=height, image_width=width, batch_size=batch_size, epochs=epochs)


class Batches(keras.utils.PyDataset):
    """Batches of images (n, height, width, channels) in [0, 1] and masks (n, height, width, 1) of zeros and ones."""

    def __init__(
        self, read: Callable[[int], tuple[np.ndarray, np.ndarray]], rows: np.ndarray, config: Config, augment: bool
    ) -> None:
        super().__init__()
        self.read, self.rows, self.batch_size = read, rows, config.batch_size
        self.generator = np.random.default_rng(config.seed) if augment else None
        self.on_epoch_end()

    def __len__(self) -> int:
        return math.ceil(len(self.rows) / self.batch_size)

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        pairs = [self.read(row) for row in self.rows[index * self.batch_size : (index + 1) * self.batch_size]]
        if self.generator is not None:
            pairs = [self.flip_at_random(*pair) for pair in pairs]
        images, masks = zip(*pairs, strict=True)
        return np.stack(images), np.stack(masks)

    def flip_at_random(self, image: np.ndarray, mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Image and mask, both mirrored left to right with probability one half."""
        return (image[:, ::-1], mask[:, ::-1]) if self.generator.random() < 0.5 else (image, mask)

    def on_epoch_end(self) -> None:
        if self.generator is not None:
            self.generator.shuffle(self.rows)


def find_pairs(folder: Path) -> list[tuple[Path, Path]]:
    """Files of images and of the masks with the same name."""
    masks = {path.stem: path for path in folder.glob("masks/*")}
    pairs = [(path, masks[path.stem]) for path in sorted(folder.glob("images/*")) if path.stem in masks]
    if len(pairs) < 3:
        raise SystemExit(f"{folder}: at least 3 pairs of images/NAME and masks/NAME are needed")
    return pairs


def read_pair(pairs: list[tuple[Path, Path]], config: Config, row: int) -> tuple[np.ndarray, np.ndarray]:
    """Image (height, width, channels) in [0, 1] and mask (height, width, 1) of zeros and ones of that row."""
    size, mode = (config.image_width, config.image_height), "L" if config.channels == 1 else "RGB"
    image, mask = Image.open(pairs[row][0]).convert(mode), Image.open(pairs[row][1]).convert("L")
    pixels = np.array(image.resize(size), dtype=np.float32).reshape(*size[::-1], -1) / 255
    return pixels, (np.array(mask.resize(size))[..., None] > 127).astype(np.float32)


def synthetic_data(config: Config) -> tuple[np.ndarray, np.ndarray]:
    """Bright discs on noise: images (N, height, width, channels) and masks (N, height, width, 1)."""
    generator = np.random.default_rng(config.seed)
    height, width = config.image_height, config.image_width
    count = max(8, min(32, 16 * 128 * 128 // (height * width)))
    rows, columns = np.arange(height).reshape(1, -1, 1, 1), np.arange(width).reshape(1, 1, -1, 1)
    radius = min(height, width) * generator.uniform(0.15, 0.3, (count, 1, 1, 1))
    centre_row, centre_column = generator.uniform(0.3, 0.7, (2, count, 1, 1, 1))
    inside = (rows - height * centre_row) ** 2 + (columns - width * centre_column) ** 2 < radius**2
    masks = inside.astype(np.float32)
    return 0.3 * generator.random((count, height, width, config.channels), dtype=np.float32) + 0.6 * masks, masks


def load_data(config: Config) -> tuple[Batches, Batches, Batches]:
    """Batches of the training (70%), validation (15%) and test (15%) split."""
    if config.smoke:
        images, masks = synthetic_data(config)
        count, read = len(images), lambda row: (images[row], masks[row])
    else:
        pairs = find_pairs(Path(config.data))
        count, read = len(pairs), partial(read_pair, pairs, config)
    held_out = max(1, round(0.15 * count))
    rows = np.random.default_rng(config.seed).permutation(count)
    train_rows, val_rows, test_rows = np.split(rows, [count - 2 * held_out, count - held_out])
    return (
        Batches(read, train_rows, config, augment=True),
        Batches(read, val_rows, config, augment=False),
        Batches(read, test_rows, config, augment=False),
    )


def double_conv(x: keras.KerasTensor, width: int) -> keras.KerasTensor:
    """Two 3x3 convolutions, each normalised and rectified; height and width stay."""
    for _ in range(2):
        x = layers.Conv2D(width, kernel_size=3, padding="same", use_bias=False)(x)
        x = layers.BatchNormalization(momentum=0.9)(x)  # the default 0.99 needs more steps than a small data set has
        x = layers.ReLU()(x)
    return x


def build_model(config: Config) -> keras.Model:
    """Shapes: (N, image_height, image_width, channels) -> (N, image_height, image_width, 1) logits."""
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
        x = layers.Conv2DTranspose(width, kernel_size=2, strides=2)(x)
        x = double_conv(layers.Concatenate()([skip, x]), width)
    x = layers.Conv2D(1, kernel_size=1)(x)
    return keras.Model(inputs, layers.Cropping2D(padding)(x))


class BCEDiceLoss(keras.losses.Loss):
    """Binary cross-entropy plus soft Dice loss of each image, both on logits."""

    def call(self, y_true: keras.KerasTensor, y_pred: keras.KerasTensor) -> keras.KerasTensor:
        probabilities = keras.ops.sigmoid(y_pred)
        overlap = keras.ops.sum(probabilities * y_true, axis=(1, 2, 3))
        total = keras.ops.sum(probabilities, axis=(1, 2, 3)) + keras.ops.sum(y_true, axis=(1, 2, 3))
        cross_entropy = keras.losses.binary_crossentropy(y_true, y_pred, from_logits=True)
        return keras.ops.mean(cross_entropy, axis=(1, 2)) + 1 - (2 * overlap + 1) / (total + 1)


def build_loss(config: Config) -> keras.losses.Loss:
    """The training loss, called with (targets, outputs)."""
    return BCEDiceLoss()


def build_optimizer(config: Config) -> keras.optimizers.Optimizer:
    """The optimizer of all weights."""
    return keras.optimizers.AdamW(learning_rate=config.learning_rate, weight_decay=config.weight_decay)


def train(model: keras.Model, train_set: Batches, val_set: Batches, config: Config) -> None:
    """Fit the model, stop early, and restore the weights with the lowest validation loss."""
    model.compile(optimizer=build_optimizer(config), loss=build_loss(config))
    best = keras.callbacks.EarlyStopping(monitor="val_loss", patience=config.patience, restore_best_weights=True)
    model.fit(train_set, validation_data=val_set, epochs=config.epochs, callbacks=[best], verbose=2)


def compute_metrics(outputs: np.ndarray, targets: np.ndarray) -> dict[str, float]:
    """Overlap of predicted and true masks, both (N, height, width, 1); outputs are logits."""
    predicted, true = outputs > 0, targets > 0.5
    overlap, found, wanted = (int(area.sum()) for area in (predicted & true, predicted, true))
    return {
        "dice": 2 * overlap / max(1, found + wanted),
        "iou": overlap / max(1, found + wanted - overlap),
        "accuracy": float((predicted == true).mean()),
        "precision": overlap / max(1, found),
        "recall": overlap / max(1, wanted),
    }


def evaluate(model: keras.Model, dataset: Batches) -> dict[str, float]:
    """Metrics over all examples of the data set."""
    targets = np.concatenate([dataset[index][1] for index in range(len(dataset))])
    return compute_metrics(model.predict(dataset, verbose=0), targets)


def predict(model: keras.Model, inputs: np.ndarray) -> np.ndarray:
    """Masks of zeros and ones, (N, height, width, 1), for images (N, height, width, channels)."""
    return (model.predict(inputs, verbose=0) > 0).astype(np.uint8)


def parse_config() -> Config:
    """Read every field of Config from the command line."""
    parser = argparse.ArgumentParser(description="Binary image segmentation with a U-Net in Keras.")
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
