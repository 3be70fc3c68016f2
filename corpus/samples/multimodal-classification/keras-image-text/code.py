"""Image and text classification by bilinear fusion of CNNs in Keras.

Joins what a picture shows with what is written about it: a listing goes to its department by photo and title, a meme
is harmful or harmless by picture and caption. One CNN looks at the picture; the other slides filters over two to four
words and keeps the strongest answer of each, so that a telling phrase counts wherever it stands. The vectors of both
are multiplied (low-rank bilinear fusion): every feature of one source decides how a feature of the other counts, as
it must where the same words are harmless beside one picture and harmful beside another.
Cross-entropy fits one class per example; balanced accuracy and F1 count rare classes as much as common ones.

Data (--data PATH): a folder with images/ (any format Pillow reads) and labels.csv, whose columns are file (name of the
image), text and label. The vocabulary of the training texts and the class names are kept in vocabulary.json.
Result (--smoke): classes that need image and text, accuracy 1 after four epochs on a CPU (chance: 0.25).
"""

import argparse
import dataclasses
import json
import math
import os
import re
from collections import Counter
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

PADDING, UNKNOWN = range(2)  # the first ids of the vocabulary
Read = Callable[[int], np.ndarray]  # gives the image of that row as (height, width, channels)


@dataclass
class Config:
    """Every setting of the project; each field is a command line flag."""

    data: str = ""
    out: str = "outputs"
    smoke: bool = False
    seed: int = 42
    image_height: int = 64
    image_width: int = 64
    channels: int = 3
    num_classes: int = 4
    vocab_size: int = 10_000  # with padding and unknown word
    sequence_length: int = 32  # words of a title or caption; longer texts are cut, shorter ones padded
    embedding_dim: int = 64
    num_filters: int = 64  # over the words, of each width
    kernel_sizes: str = "2,3,4"  # widths in words, separated by commas
    base_width: int = 16  # channels of the first image stage; each further stage doubles them
    depth: int = 4  # number of image stages, each of which halves the resolution
    hidden_size: int = 128  # of the vectors that are multiplied
    dropout: float = 0.3
    batch_size: int = 32
    learning_rate: float = 2e-3
    epochs: int = 40
    patience: int = 8  # epochs without a better validation loss before training stops

    def for_smoke(self) -> "Config":
        """A trial that ends in seconds on a CPU: few examples, the narrower a CNN the larger the images, few epochs."""
        longest = max(self.image_height, self.image_width)
        caps = {"image_height": 256, "image_width": 256, "vocab_size": 1000, "sequence_length": 256, "epochs": 4}
        caps |= {"base_width": max(6, 1024 // longest), "batch_size": 8 if longest <= 96 else 4}
        return dataclasses.replace(self, **{name: min(getattr(self, name), cap) for name, cap in caps.items()})


class Batches(keras.utils.PyDataset):
    """Batches ((images (n, height, width, channels), tokens (n, sequence_length)), class numbers (n,))."""

    def __init__(
        self, read: Read, tokens: np.ndarray, targets: np.ndarray, rows: np.ndarray, config: Config, shuffle: bool
    ) -> None:
        super().__init__()
        self.read, self.tokens, self.targets, self.rows = read, tokens, targets, rows
        self.batch_size = config.batch_size
        self.shuffle = np.random.default_rng(config.seed) if shuffle else None
        self.on_epoch_end()

    def __len__(self) -> int:
        return math.ceil(len(self.rows) / self.batch_size)

    def __getitem__(self, index: int) -> tuple[tuple[np.ndarray, np.ndarray], np.ndarray]:
        rows = self.rows[index * self.batch_size : (index + 1) * self.batch_size]
        return (np.stack([self.read(row) for row in rows]), self.tokens[rows]), self.targets[rows]

    def on_epoch_end(self) -> None:
        if self.shuffle is not None:
            self.shuffle.shuffle(self.rows)


def read_image(files: list[Path], config: Config, row: int) -> np.ndarray:
    """The image of that row as (height, width, channels) in [0, 1]."""
    mode = "L" if config.channels == 1 else "RGB"
    image = Image.open(files[row]).convert(mode).resize((config.image_width, config.image_height))
    return np.array(image, dtype=np.float32).reshape(config.image_height, config.image_width, -1) / 255


def read_table(folder: Path, config: Config) -> tuple[list[Path], list[list[str]], np.ndarray, list[str]]:
    """Paths of the images, texts as lower-case words and punctuation marks, class numbers (N,) and class names."""
    path = folder / "labels.csv"
    try:
        table = pd.read_csv(path, usecols=["file", "text", "label"], dtype=str, keep_default_na=False)
    except (OSError, ValueError) as error:
        raise SystemExit(f"{path}: no table of file, text and label: {error}") from None
    labels, names = pd.factorize(table["label"], sort=True)
    if len(names) != config.num_classes:
        raise SystemExit(f"{path}: {len(names)} classes found, pass --num-classes {len(names)}")
    if np.bincount(labels).min() < 3:
        raise SystemExit(f"{path}: at least 3 examples per class are needed")
    files = [folder / "images" / name for name in table["file"]]
    if absent := [file for file in files if not file.is_file()]:
        raise SystemExit(f"{absent[0]}: there is no such file")
    return files, [re.findall(r"\w+|[^\w\s]", text.lower()) for text in table["text"]], labels, names.tolist()


def synthetic_data(config: Config) -> tuple[Read, np.ndarray, np.ndarray]:
    """Images, tokens and labels: two classes share each blotchy pattern, and the topic of the text tells them apart."""
    generator = np.random.default_rng(config.seed)
    height, width, length = config.image_height, config.image_width, config.sequence_length
    words, number = config.vocab_size - 2, np.arange(max(160, min(280, 1120 * 64 * 64 // (height * width))))
    labels = number % config.num_classes
    shown, topics = labels // 2, labels % 2
    if config.num_classes == 2:  # the topic would tell everything: the same words mean the contrary with another image
        shown = number // 2 % 2
        topics = (labels + shown) % 2
    patterns = generator.random((config.num_classes, 4, 4, config.channels), dtype=np.float32)
    enlarged = patterns[:, np.arange(height) * 4 // height][:, :, np.arange(width) * 4 // width]
    noise = generator.random((len(number), height, width, config.channels), dtype=np.float32)
    images = 0.7 * enlarged[shown] + 0.3 * noise
    keywords = (4 * topics[:, None] + generator.integers(4, size=(len(number), length))) % words  # four for each topic
    is_keyword = generator.random((len(number), length)) < 0.5
    is_keyword[:, 0] = True
    tokens = 2 + np.where(is_keyword, keywords, generator.integers(words, size=(len(number), length)))
    ends = generator.integers((length + 1) // 2, length + 1, size=(len(number), 1))
    return images.__getitem__, np.where(np.arange(length) < ends, tokens, PADDING), labels


def stratified_split(labels: np.ndarray, seed: int) -> list[np.ndarray]:
    """Indices of the training (70%), validation (15%) and test (15%) split, each with the same share of every class."""
    order = np.random.default_rng(seed).permutation(len(labels))
    order = order[labels[order].argsort(kind="stable")]  # shuffled within each class, then dealt out in turn
    turn = (17 + 9 * np.arange(len(order))) % 20  # the first three already fill all splits
    return [order[turn < 14], order[(turn >= 14) & (turn < 17)], order[turn >= 17]]


def load_data(config: Config) -> tuple[Batches, Batches, Batches]:
    """Batches of the training, validation and test split; the vocabulary knows the training texts only."""
    if config.smoke:
        read, tokens, labels = synthetic_data(config)
        splits = stratified_split(labels, config.seed)
    else:
        files, texts, labels, names = read_table(Path(config.data), config)
        read, splits = partial(read_image, files, config), stratified_split(labels, config.seed)
        counts = Counter(word for row in splits[0] for word in texts[row]).most_common(config.vocab_size - 2)
        vocabulary = {word: index for index, (word, _) in enumerate(counts, start=2)}
        tokens = np.full((len(texts), config.sequence_length), PADDING)
        for row, text in zip(tokens, texts, strict=True):
            ids = [vocabulary.get(word, UNKNOWN) for word in text[: config.sequence_length]]
            row[: len(ids)] = ids
        Path(config.out).mkdir(parents=True, exist_ok=True)
        learned = json.dumps({"classes": names, "words": vocabulary}, ensure_ascii=False)
        Path(config.out, "vocabulary.json").write_text(learned, encoding="utf-8")
    train_set, val_set, test_set = (
        Batches(read, tokens, labels, rows, config, shuffle=rows is splits[0]) for rows in splits
    )
    return train_set, val_set, test_set


def build_model(config: Config) -> keras.Model:
    """Shapes: (N, image_height, image_width, channels) and (N, sequence_length) -> (N, num_classes) logits."""
    images = keras.Input((config.image_height, config.image_width, config.channels))
    x = images
    for stage in range(config.depth):
        x = layers.Conv2D(config.base_width * 2**stage, kernel_size=3, padding="same", use_bias=False)(x)
        x = layers.BatchNormalization(momentum=0.9)(x)  # the default 0.99 needs more steps than a small data set has
        x = layers.ReLU()(x)
        x = layers.MaxPooling2D(2, padding="same")(x)  # rounds up: no map shrinks to nothing
    seen = layers.Dense(config.hidden_size, activation="tanh")(layers.GlobalAveragePooling2D()(x))

    tokens = keras.Input((config.sequence_length,), dtype="int64")
    words = layers.Embedding(config.vocab_size, config.embedding_dim)(tokens)
    strongest = []
    for width in map(int, config.kernel_sizes.split(",")):  # padded, so that a text may be shorter than the filter
        answers = layers.Conv1D(config.num_filters, kernel_size=width, padding="same", activation="relu")(words)
        strongest.append(layers.GlobalMaxPooling1D()(answers))
    said = layers.Concatenate()(strongest) if len(strongest) > 1 else strongest[0]
    said = layers.Dense(config.hidden_size, activation="tanh")(said)  # bounded, as a product of large numbers explodes

    x = layers.Multiply()([seen, said])
    x = layers.Dropout(config.dropout)(x)
    return keras.Model([images, tokens], layers.Dense(config.num_classes)(x))


def build_loss(config: Config) -> keras.losses.Loss:
    """The training loss, called with (targets, outputs)."""
    return keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def build_optimizer(config: Config) -> keras.optimizers.Optimizer:
    """The optimizer of all weights."""
    return keras.optimizers.Adam(learning_rate=config.learning_rate)


def train(model: keras.Model, train_set: Batches, val_set: Batches, config: Config) -> None:
    """Fit the model, stop early, and restore the weights with the lowest validation loss."""
    model.compile(optimizer=build_optimizer(config), loss=build_loss(config), metrics=["accuracy"])
    best = keras.callbacks.EarlyStopping(monitor="val_loss", patience=config.patience, restore_best_weights=True)
    model.fit(train_set, validation_data=val_set, epochs=config.epochs, callbacks=[best], verbose=2)


def compute_metrics(outputs: np.ndarray, targets: np.ndarray) -> dict[str, float]:
    """Accuracy, and averages over the classes that occur, from logits (N, num_classes) and class numbers (N,)."""
    predicted, true = (np.eye(outputs.shape[1])[labels] for labels in (outputs.argmax(axis=1), targets))
    hits, found, wanted = (predicted * true).sum(axis=0), predicted.sum(axis=0), true.sum(axis=0)
    f1, recall = (2 * hits / np.maximum(found + wanted, 1))[wanted > 0], hits[wanted > 0] / wanted[wanted > 0]
    accuracy = float(hits.sum() / wanted.sum())
    return {"accuracy": accuracy, "f1": float(f1.mean()), "balanced_accuracy": float(recall.mean())}


def evaluate(model: keras.Model, dataset: Batches) -> dict[str, float]:
    """Metrics over all examples of the data set."""
    return compute_metrics(model.predict(dataset, verbose=0), dataset.targets[dataset.rows])


def predict(model: keras.Model, inputs: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """Class numbers (N,) for images (N, image_height, image_width, channels) and tokens (N, sequence_length)."""
    return model.predict(inputs, verbose=0).argmax(axis=1)


def parse_config() -> Config:
    """Read every field of Config from the command line."""
    parser = argparse.ArgumentParser(description="Image and text classification by bilinear fusion of CNNs in Keras.")
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
