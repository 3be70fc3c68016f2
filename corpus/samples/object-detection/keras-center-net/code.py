"""Detection of several objects per image in Keras, after CenterNet.

There are no anchors: every object is the peak of a heat map of its class, and the same cell of other maps gives its
size and where in the cell its centre lies. Dilated convolutions see far without losing resolution, so that the whole
object counts. The focal loss keeps the few peaks from drowning in background.

Data (--data PATH): a folder with images/ and boxes.csv, one row per object with the columns file, x_min, y_min, x_max,
y_max (pixels) and label. The class names are saved as classes.json: the index in this list is the predicted number.
Result (--smoke): two rectangles on noise, mean average precision above 0.9 after seven epochs (untrained: 0).
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
from keras import layers, ops

STRIDE = 4  # pixels per cell of the output maps


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
    num_classes: int = 3
    base_width: int = 32  # channels of the first convolution; all others have twice as many
    batch_size: int = 32
    learning_rate: float = 2e-3
    weight_decay: float = 1e-4
    epochs: int = 50
    patience: int = 10  # epochs without a better validation loss before training stops

    def for_smoke(self) -> "Config":
        """A trial that ends in seconds on a CPU: few examples, few epochs, no image side above 256 pixels."""
        height, width = min(self.image_height, 256), min(self.image_width, 256)
        batch_size, epochs = min(self.batch_size, 2 if height * width <= 128 * 128 else 1), min(self.epochs, 7)
        return dataclasses.replace(self, image_height=height, image_width=width, batch_size=batch_size, epochs=epochs)


def encode(objects: np.ndarray, config: Config) -> np.ndarray:
    """Maps (rows, columns, num_classes + 5) of objects (K, 5): heat, width, height, offset x and y, is centre."""
    rows, columns = math.ceil(config.image_height / STRIDE), math.ceil(config.image_width / STRIDE)
    maps = np.zeros((rows, columns, config.num_classes + 5), dtype=np.float32)
    for x_min, y_min, x_max, y_max, label in objects / [STRIDE, STRIDE, STRIDE, STRIDE, 1]:
        x, y, width, height = (x_min + x_max) / 2, (y_min + y_max) / 2, max(x_max - x_min, 0.1), max(y_max - y_min, 0.1)
        column, row, heat = min(int(x), columns - 1), min(int(y), rows - 1), maps[..., int(label)]
        away_x, away_y = (np.arange(columns) - column) / width, (np.arange(rows)[:, None] - row) / height
        heat[:] = np.maximum(heat, np.exp(-18 * (away_x**2 + away_y**2)))  # broader where the object is larger
        maps[row, column, config.num_classes :] = width, height, x - column, y - row, 1
    return maps


class Batches(keras.utils.PyDataset):
    """Batches of images (n, height, width, channels) in [0, 1] and of the maps that `encode` makes of their objects."""

    def __init__(
        self,
        read: Callable[[int], np.ndarray],
        objects: list[np.ndarray],
        rows: np.ndarray,
        config: Config,
        shuffle: bool,
    ) -> None:
        super().__init__()
        self.read, self.objects, self.rows, self.config = read, objects, rows, config
        self.shuffle = np.random.default_rng(config.seed) if shuffle else None
        self.on_epoch_end()

    def __len__(self) -> int:
        return math.ceil(len(self.rows) / self.config.batch_size)

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        rows = self.rows[index * self.config.batch_size : (index + 1) * self.config.batch_size]
        return np.stack([self.read(row) for row in rows]), self.maps(rows)

    def maps(self, rows: np.ndarray) -> np.ndarray:
        """The targets of these rows, for which no image has to be read."""
        return np.stack([encode(self.objects[row], self.config) for row in rows])

    def on_epoch_end(self) -> None:
        if self.shuffle is not None:
            self.shuffle.shuffle(self.rows)


def read_image(files: list[Path], config: Config, row: int) -> np.ndarray:
    """The image of that row as (height, width, channels) in [0, 1]."""
    mode = "L" if config.channels == 1 else "RGB"
    image = Image.open(files[row]).convert(mode).resize((config.image_width, config.image_height))
    return np.array(image, dtype=np.float32).reshape(config.image_height, config.image_width, -1) / 255


def read_table(folder: Path, config: Config) -> tuple[list[Path], list[np.ndarray]]:
    """Files, and objects (K, 5) of each: x_min, y_min, x_max, y_max in pixels of the resized image, class number."""
    corners = ["x_min", "y_min", "x_max", "y_max"]
    types = {"file": str, "label": str} | dict.fromkeys(corners, float)
    try:
        table = pd.read_csv(folder / "boxes.csv", usecols=list(types), dtype=types).dropna()
    except (OSError, ValueError) as error:
        raise SystemExit(f"{folder / 'boxes.csv'}: {error}") from None
    table["label"], classes = table["label"].factorize(sort=True)
    if len(classes) != config.num_classes:
        raise SystemExit(f"{folder}: {len(classes)} classes found, pass --num-classes {len(classes)}")
    names, groups = zip(*table.groupby("file"), strict=True)
    files = [folder / "images" / name for name in names]
    if absent := [path for path in files if not path.is_file()]:
        raise SystemExit(f"{absent[0]}: there is no such file")
    if len(files) < 3:
        raise SystemExit(f"{folder}: at least 3 images with a row in boxes.csv are needed")
    Path(config.out).mkdir(parents=True, exist_ok=True)
    (Path(config.out) / "classes.json").write_text(json.dumps(list(classes), indent=2) + "\n", encoding="utf-8")
    objects = []
    for path, rows in zip(files, groups, strict=True):
        with Image.open(path) as image:  # which reads only the head of the file
            width, height = image.size
        scale = np.tile([config.image_width / width, config.image_height / height], 2)
        objects.append(np.column_stack([rows[corners].to_numpy() * scale, rows["label"]]))
    return files, objects


def synthetic_data(config: Config) -> tuple[np.ndarray, list[np.ndarray]]:
    """Two rectangles on noise, whose colour is their class: images (N, height, width, channels) and objects (2, 5)."""
    generator = np.random.default_rng(config.seed)
    height, width = config.image_height, config.image_width
    count = max(26, min(60, 60 * 128 * 128 // (height * width)))
    shades = np.linspace(1, 0.3, config.num_classes, dtype=np.float32)
    colours = np.stack([np.roll(shades, channel) for channel in range(config.channels)], axis=1)
    images = 0.2 * generator.random((count, height, width, config.channels), dtype=np.float32)
    objects = []
    for image in images:
        low = generator.uniform([[0, 0], [0.5, 0]], [[0.1, 0.6], [0.6, 0.6]])  # one on the left, one on the right
        high = low + generator.uniform(0.2, 0.35, (2, 2))
        boxes = (np.concatenate([low, high], axis=1) * [width, height, width, height]).round().astype(int)
        labels = generator.integers(config.num_classes, size=2)
        for (x_min, y_min, x_max, y_max), label in zip(boxes, labels, strict=True):
            image[y_min:y_max, x_min:x_max] += colours[label]
        objects.append(np.column_stack([boxes, labels]))
    return images, objects


def load_data(config: Config) -> tuple[Batches, Batches, Batches]:
    """Batches of the training (70%), validation (15%) and test (15%) split."""
    if config.smoke:
        images, objects = synthetic_data(config)
        read = images.__getitem__
    else:
        files, objects = read_table(Path(config.data), config)
        read = partial(read_image, files, config)
    count = len(objects)
    held_out = max(1, round(0.15 * count))
    rows = np.random.default_rng(config.seed).permutation(count)
    parts = np.split(rows, [count - 2 * held_out, count - held_out])
    train_set, val_set, test_set = (Batches(read, objects, part, config, shuffle=part is parts[0]) for part in parts)
    return train_set, val_set, test_set


def norm_relu(x: keras.KerasTensor) -> keras.KerasTensor:
    """Batch normalisation, whose default momentum of 0.99 needs more steps than a small data set has, and ReLU."""
    return layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))


def build_model(config: Config) -> keras.Model:
    """Shapes: (N, image_height, image_width, channels) -> (N, image_height/4, image_width/4, num_classes + 4) maps."""
    inputs = keras.Input((config.image_height, config.image_width, config.channels))
    x = norm_relu(layers.Conv2D(config.base_width, 3, strides=2, padding="same", use_bias=False)(inputs))
    x = norm_relu(layers.Conv2D(2 * config.base_width, 3, strides=2, padding="same", use_bias=False)(x))
    for gap in (2, 4, 8):
        x = norm_relu(layers.Conv2D(2 * config.base_width, 3, dilation_rate=gap, padding="same", use_bias=False)(x))
    # At first a heat of 0.1 everywhere, for most cells are empty: logits, as the loss takes them.
    rare = keras.initializers.Constant(-2.2)
    heat = layers.Conv2D(config.num_classes, kernel_size=1, bias_initializer=rare, name="heat")(x)
    geometry = layers.Conv2D(4, kernel_size=1, name="geometry")(x)  # width, height, offset x, offset y in cells
    return keras.Model(inputs, layers.Concatenate()([heat, geometry]))


class CenterLoss(keras.losses.Loss):
    """Focal loss of the heat, forgiving near a centre, plus L1 loss of size and offset at the centres."""

    def call(self, y_true: keras.KerasTensor, y_pred: keras.KerasTensor) -> keras.KerasTensor:
        logits, heat, centres = y_pred[..., :-4], y_true[..., :-5], y_true[..., -1:]
        hit = ops.sigmoid(logits) ** 2 * ops.log_sigmoid(-logits)
        miss = ops.sigmoid(-logits) ** 2 * ops.log_sigmoid(logits)
        focal_loss = -ops.sum(ops.where(heat == 1, miss, (1 - heat) ** 4 * hit), axis=(1, 2, 3))
        errors = ops.sum(centres * ops.abs(y_pred[..., -4:] - y_true[..., -5:-1]), axis=(1, 2))
        geometry_loss = 0.1 * ops.sum(errors[:, :2], axis=1) + ops.sum(errors[:, 2:], axis=1)
        return (focal_loss + geometry_loss) / ops.maximum(ops.sum(centres, axis=(1, 2, 3)), 1)  # (n,), per object


def build_loss(config: Config) -> keras.losses.Loss:
    """The training loss, called with (targets, outputs)."""
    return CenterLoss()


def build_optimizer(config: Config) -> keras.optimizers.Optimizer:
    """The optimizer of all weights."""
    return keras.optimizers.AdamW(learning_rate=config.learning_rate, weight_decay=config.weight_decay)


def train(model: keras.Model, train_set: Batches, val_set: Batches, config: Config) -> None:
    """Fit the model, stop early, and restore the weights with the lowest validation loss."""
    model.compile(optimizer=build_optimizer(config), loss=build_loss(config))
    best = keras.callbacks.EarlyStopping(monitor="val_loss", patience=config.patience, restore_best_weights=True)
    model.fit(train_set, validation_data=val_set, epochs=config.epochs, callbacks=[best], verbose=2)


def decode(heat: np.ndarray, geometry: np.ndarray, threshold: float) -> np.ndarray:
    """Objects (K, 7), best first: number of the image, class, score, x_min, y_min, x_max, y_max in pixels."""
    around = np.pad(heat, ((0, 0), (1, 1), (1, 1), (0, 0)))
    highest = np.lib.stride_tricks.sliding_window_view(around, (3, 3), axis=(1, 2)).max(axis=(-2, -1))
    image, row, column, label = np.nonzero((heat > threshold) & (heat == highest))
    score, found = heat[image, row, column, label], geometry[image, row, column]
    half, centre = found[:, :2].clip(min=0) / 2, found[:, 2:] + np.stack([column, row], axis=1)
    corners = STRIDE * np.concatenate([centre - half, centre + half], axis=1)
    return np.column_stack([image, label, score, corners])[np.argsort(-score, kind="stable")]


def decode_outputs(outputs: np.ndarray) -> np.ndarray:
    """Objects (K, 7) with a score above 0.3 in maps of the model, (N, rows, columns, num_classes + 4)."""
    heat = 0.5 + 0.5 * np.tanh(outputs[..., :-4] / 2)  # the sigmoid, without overflow
    return decode(heat, outputs[..., -4:], 0.3)


def compute_metrics(outputs: np.ndarray, targets: np.ndarray) -> dict[str, float]:
    """Mean average precision, precision and recall of objects with a score above 0.3; hits have an IoU of 0.5."""
    found, true = decode_outputs(outputs), decode(targets[..., :-5], targets[..., -5:-1], 0.999)
    areas, right = [], 0
    for label in np.unique(true[:, 1]):
        ours, theirs = found[found[:, 1] == label], true[true[:, 1] == label]
        low, high = np.maximum(ours[:, None, 3:5], theirs[:, 3:5]), np.minimum(ours[:, None, 5:], theirs[:, 5:])
        overlap = (high - low).clip(min=0).prod(axis=2) * (ours[:, None, 0] == theirs[:, 0])
        our_area, their_area = ((objects[:, 5:] - objects[:, 3:5]).prod(axis=1) for objects in (ours, theirs))
        iou = overlap / (our_area[:, None] + their_area - overlap)
        claims = (iou >= 0.5) & (iou == iou.max(axis=1, keepdims=True))
        hits = (claims & (claims.cumsum(axis=0) == 1)).any(axis=1)  # of several on one object, the best counts
        precision = hits.cumsum() / np.arange(1, len(hits) + 1)
        highest = np.maximum.accumulate(precision[::-1])[::-1]  # at this recall or a higher one
        areas.append(float(highest[hits].sum()) / len(theirs))
        right += int(hits.sum())
    return {"map_50": sum(areas) / len(areas), "precision": right / max(1, len(found)), "recall": right / len(true)}


def evaluate(model: keras.Model, dataset: Batches) -> dict[str, float]:
    """Metrics over all examples of the data set."""
    return compute_metrics(model.predict(dataset, verbose=0), dataset.maps(dataset.rows))


def predict(model: keras.Model, inputs: np.ndarray) -> list[np.ndarray]:
    """Per image its objects (K, 6) with a score above 0.3: class, score, x_min, y_min, x_max, y_max in pixels."""
    objects = decode_outputs(model.predict(inputs, verbose=0))
    return [objects[objects[:, 0] == number, 1:] for number in range(len(inputs))]


def parse_config() -> Config:
    """Read every field of Config from the command line."""
    parser = argparse.ArgumentParser(description="Detection of several objects per image in Keras, after CenterNet.")
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
    batches = (test_set[index][0] for index in range(len(test_set)))
    predictions = [found.tolist() for images in batches for found in predict(model, images)]

    out = Path(config.out)
    out.mkdir(parents=True, exist_ok=True)
    model.save_weights(out / "model.weights.h5")
    (out / "predictions.json").write_text(json.dumps(predictions) + "\n", encoding="utf-8")
    (out / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n", encoding="utf-8")
    print("test:", ", ".join(f"{name} {value:.4f}" for name, value in metrics.items()))


if __name__ == "__main__":
    main()
