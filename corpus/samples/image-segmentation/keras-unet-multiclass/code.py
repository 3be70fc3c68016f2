"""Multi-class image segmentation with a U-Net of separable convolutions in Keras.

Labels every pixel with one of several classes (road scenes, organs, land cover). A separable convolution filters each
map by itself and then mixes maps at each pixel, with about a ninth of the weights of a plain one; shortcuts around each
pair keep it trainable. Exactly one class is right at each pixel, hence cross-entropy; the mean intersection over union
counts every class alike, however small its share of the pixels.

Data (--data PATH): a folder with images/ and masks/. A mask has the name of its image and one channel; its pixels are
class ids from 0 (background) to num_classes - 1, as grey or palette values. Any format Pillow reads that loses nothing.
Result (--smoke): discs of three kinds on a background, mean IoU above 0.9 after three epochs on a CPU.
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
    num_classes: int = 4  # the background counts as one
    base_width: int = 32  # channels of the first level; each level below doubles them
    depth: int = 3  # number of times the resolution is halved
    batch_size: int = 16
    learning_rate: float = 2e-3
    weight_decay: float = 1e-4
    epochs: int = 50
    patience: int = 10  # epochs without a better validation loss before training stops

    def for_smoke(self) -> "Config":
        """A trial that ends in seconds on a CPU: few examples, few epochs, no image side above 192 pixels."""
        height, width = min(self.image_height, 192), min(self.image_width, 192)
        epochs = min(self.epochs, 3)
        return dataclasses.replace(self, image_height=height, image_width=width, batch_size=1, epochs=epochs)


class Batches(keras.utils.PyDataset):
    """Batches of images (n, height, width, channels) in [0, 1] and masks (n, height, width) of class ids."""

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
        pairs = [self.read(row) for row in self.rows[index * self.batch_size : (index + 1) * self.batch_size]]
        images, masks = zip(*pairs, strict=True)
        return np.stack(images), np.stack(masks)

    def on_epoch_end(self) -> None:
        if self.shuffle is not None:
            self.shuffle.shuffle(self.rows)


def find_pairs(folder: Path) -> list[tuple[Path, Path]]:
    """Files of images and of the masks with the same name."""
    masks = {path.stem: path for path in sorted((folder / "masks").glob("*.*"))}
    pairs = [(path, masks[path.stem]) for path in sorted((folder / "images").glob("*.*")) if path.stem in masks]
    if len(pairs) < 3:
        raise SystemExit(f"{folder}: at least 3 pairs of images/NAME and masks/NAME are needed")
    return pairs


def read_pair(pairs: list[tuple[Path, Path]], config: Config, row: int) -> tuple[np.ndarray, np.ndarray]:
    """Image (height, width, channels) in [0, 1] and mask (height, width) of class ids of that row."""
    image_path, mask_path = pairs[row]
    size, mode = (config.image_width, config.image_height), "L" if config.channels == 1 else "RGB"
    pixels = (
        np.array(Image.open(image_path).convert(mode).resize(size), dtype=np.float32).reshape(*size[::-1], -1) / 255
    )
    # The nearest pixel, as blended class ids would be those of other classes.
    mask = np.array(Image.open(mask_path).resize(size, Image.Resampling.NEAREST), dtype=np.int64)
    if mask.ndim != 2:
        raise SystemExit(f"{mask_path}: a mask of one channel that holds class ids is needed")
    if mask.max() >= config.num_classes:
        raise SystemExit(f"{mask_path}: class id {mask.max()} found, but --num-classes {config.num_classes}")
    return pixels, mask


def synthetic_data(config: Config) -> tuple[np.ndarray, np.ndarray]:
    """Discs coloured by class on noise: images (N, height, width, channels) and masks (N, height, width)."""
    generator = np.random.default_rng(config.seed)
    height, width = config.image_height, config.image_width
    count = max(8, min(32, 16 * 128 * 128 // (height * width)))
    levels = np.linspace(0, 1, config.num_classes, dtype=np.float32)
    # Each channel shows the classes in another order of brightness.
    colours = np.stack([np.roll(levels, 3 * channel) for channel in range(config.channels)], axis=-1)
    rows, columns = np.arange(height).reshape(1, -1, 1), np.arange(width).reshape(1, 1, -1)
    masks = np.zeros((count, height, width), dtype=np.int64)
    for disc in range(6):  # later discs cover earlier ones
        radius = min(height, width) * generator.uniform(0.15, 0.3, (count, 1, 1))
        centre_row, centre_column = generator.random((2, count, 1, 1))
        inside = (rows - height * centre_row) ** 2 + (columns - width * centre_column) ** 2 < radius**2
        masks = np.where(inside, (np.arange(count).reshape(-1, 1, 1) + disc) % config.num_classes, masks)
    noise = generator.random((count, height, width, config.channels), dtype=np.float32)
    return 0.8 * colours[masks] + 0.2 * noise, masks


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
        Batches(read, train_rows, config, shuffle=True),
        Batches(read, val_rows, config, shuffle=False),
        Batches(read, test_rows, config, shuffle=False),
    )


def separable_block(x: keras.KerasTensor, width: int) -> keras.KerasTensor:
    """Two separable 3x3 convolutions, each normalised and rectified, and a 1x1 convolution around both."""
    shortcut = layers.Conv2D(width, kernel_size=1)(x)
    for _ in range(2):
        x = layers.SeparableConv2D(width, kernel_size=3, padding="same", use_bias=False)(x)
        x = layers.BatchNormalization(momentum=0.7)(x)  # the default 0.99 needs more steps than a small data set has
        x = layers.ReLU()(x)
    return layers.Add()([shortcut, x])


def build_model(config: Config) -> keras.Model:
    """Shapes: (N, image_height, image_width, channels) -> (N, image_height, image_width, num_classes) logits."""
    inputs = keras.Input((config.image_height, config.image_width, config.channels))
    # Sides are padded to multiples of what the halvings divide by: maps of both halves fit, whatever the image size.
    padding = [(0, -side % 2**config.depth) for side in inputs.shape[1:3]]
    x = layers.ZeroPadding2D(padding)(inputs)
    widths = [config.base_width * 2**level for level in range(config.depth + 1)]
    skips = []
    for width in widths[:-1]:
        x = separable_block(x, width)
        skips.append(x)
        x = layers.MaxPooling2D(2)(x)
    x = separable_block(x, widths[-1])
    for width, skip in zip(widths[-2::-1], skips[::-1], strict=True):
        x = layers.UpSampling2D(2, interpolation="bilinear")(x)
        x = separable_block(layers.Concatenate()([skip, x]), width)
    x = layers.Conv2D(config.num_classes, kernel_size=1)(x)
    return keras.Model(inputs, layers.Cropping2D(padding)(x))


def build_loss(config: Config) -> keras.losses.Loss:
    """The training loss, called with (targets, outputs)."""
    return keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def build_optimizer(config: Config) -> keras.optimizers.Optimizer:
    """The optimizer of all weights."""
    return keras.optimizers.AdamW(learning_rate=config.learning_rate, weight_decay=config.weight_decay)


def train(model: keras.Model, train_set: Batches, val_set: Batches, config: Config) -> None:
    """Fit the model, stop early, and restore the weights with the lowest validation loss."""
    model.compile(optimizer=build_optimizer(config), loss=build_loss(config))
    best = keras.callbacks.EarlyStopping(monitor="val_loss", patience=config.patience, restore_best_weights=True)
    model.fit(train_set, validation_data=val_set, epochs=config.epochs, callbacks=[best], verbose=2)


def compute_metrics(outputs: np.ndarray, targets: np.ndarray) -> dict[str, float]:
    """Overlaps averaged over the classes that occur; logits (N, height, width, num_classes), ids (N, height, width)."""
    num_classes = outputs.shape[-1]
    pairs = targets * num_classes + outputs.argmax(axis=-1)
    confusion = np.bincount(pairs.ravel(), minlength=num_classes**2).reshape(num_classes, num_classes)
    overlap, found, wanted = confusion.diagonal(), confusion.sum(axis=0), confusion.sum(axis=1)
    occurs = found + wanted > 0
    return {
        "iou": float((overlap / np.maximum(found + wanted - overlap, 1))[occurs].mean()),
        "dice": float((2 * overlap / np.maximum(found + wanted, 1))[occurs].mean()),
        "accuracy": float(overlap.sum() / confusion.sum()),
    }


def evaluate(model: keras.Model, dataset: Batches) -> dict[str, float]:
    """Metrics over all examples of the data set."""
    targets = np.concatenate([dataset[index][1] for index in range(len(dataset))])
    return compute_metrics(model.predict(dataset, verbose=0), targets)


def predict(model: keras.Model, inputs: np.ndarray) -> np.ndarray:
    """Class ids (N, image_height, image_width) for images (N, image_height, image_width, channels)."""
    return model.predict(inputs, verbose=0).argmax(axis=-1).astype(np.uint8)


def parse_config() -> Config:
    """Read every field of Config from the command line."""
    parser = argparse.ArgumentParser(
        description="Multi-class image segmentation with a U-Net of separable convolutions in Keras."
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
