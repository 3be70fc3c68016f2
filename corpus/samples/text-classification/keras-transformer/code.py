"""Text classification with a Transformer encoder in Keras.

Sorts texts (reviews, messages, headlines) into classes. Self-attention relates every word to every other one, whatever
their distance; learned position embeddings tell it the order of the words. The mask of the embedding travels through
the layers: nobody attends to padding, and the final mean leaves it out. Each block normalises its input first, which
trains stably without a warm-up.

Data (--data PATH): a CSV file with the columns text and label; labels may be any words or numbers. The vocabulary of
the training texts and the class names are kept in vocabulary.json.
Result (--smoke): random words with keywords of each class, F1 above 0.9 after three epochs on a CPU.
"""

import argparse
import dataclasses
import json
import os
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

os.environ.setdefault("KERAS_BACKEND", "torch")  # Keras reads it when it is imported
import keras
from keras import layers

Split = tuple[np.ndarray, np.ndarray]


@dataclass
class Config:
    """Every setting of the project; each field is a command line flag."""

    data: str = ""
    out: str = "outputs"
    smoke: bool = False
    seed: int = 42
    num_classes: int = 2
    vocab_size: int = 20_000  # with 0 for padding and 1 for unknown words
    sequence_length: int = 200  # longer texts are cut, shorter ones padded
    hidden_size: int = 128
    num_layers: int = 2
    num_heads: int = 4
    dropout: float = 0.1
    batch_size: int = 32
    learning_rate: float = 5e-4
    weight_decay: float = 1e-2
    epochs: int = 20
    patience: int = 3  # epochs without a better validation loss before training stops

    def for_smoke(self) -> "Config":
        """A trial that ends in seconds on a CPU: few examples, few epochs, a small model, at most 256 tokens."""
        caps = {"vocab_size": 5000, "sequence_length": 256, "hidden_size": 256, "num_layers": 4, "num_heads": 16}
        caps |= {"batch_size": 8, "epochs": 3}
        return dataclasses.replace(self, **{name: min(getattr(self, name), cap) for name, cap in caps.items()})


def encode(texts: list[list[str]], vocabulary: dict[str, int], length: int) -> np.ndarray:
    """Ids (N, length): 1 for unknown words; long texts are cut, short ones padded with 0."""
    rows = [[vocabulary.get(word, 1) for word in text[:length]] or [1] for text in texts]
    return np.array([row + [0] * (length - len(row)) for row in rows], dtype=np.int64)


def read_table(config: Config) -> tuple[list[list[str]], np.ndarray, list[str]]:
    """Texts as lower-case words and punctuation marks, class numbers, and class names of the CSV file."""
    try:
        table = pd.read_csv(config.data, dtype=str, keep_default_na=False)
    except (OSError, ValueError) as error:
        raise SystemExit(f"{config.data}: cannot be read as CSV: {error}") from error
    if not {"text", "label"} <= set(table.columns) or len(table) < 20:
        raise SystemExit(f"{config.data}: needs 20 rows of text and label, has {len(table)} of {', '.join(table)}")
    names, labels = np.unique(table["label"].to_numpy(str), return_inverse=True)
    if len(names) != config.num_classes:
        raise SystemExit(f"{config.data}: {len(names)} classes found, pass --num-classes {len(names)}")
    texts = [re.findall(r"\w+|[^\w\s]", text.lower()) for text in table["text"]]
    return texts, labels.astype(np.int64), names.tolist()


def synthetic_data(config: Config) -> tuple[np.ndarray, np.ndarray]:
    """Random words, about a third of them keywords of the class: tokens (N, sequence_length) and labels (N,)."""
    generator = np.random.default_rng(config.seed)
    length, words = config.sequence_length, config.vocab_size - 2
    count = max(96, min(256, 24_000 // length))
    labels = np.arange(count) % config.num_classes
    keywords = (4 * labels[:, None] + generator.integers(4, size=(count, length))) % words  # four for each class
    is_keyword = generator.random((count, length)) < 0.3
    is_keyword[:, 0] = True
    tokens = 2 + np.where(is_keyword, keywords, generator.integers(words, size=(count, length)))
    ends = generator.integers((length + 1) // 2, length + 1, size=(count, 1))
    return np.where(np.arange(length) < ends, tokens, 0), labels


def stratified_split(labels: np.ndarray, seed: int) -> list[np.ndarray]:
    """Indices of the training (70%), validation (15%) and test (15%) split, each with the same share of every class."""
    order = np.random.default_rng(seed).permutation(len(labels))
    order = order[labels[order].argsort(kind="stable")]  # shuffled within each class, then dealt out in turn
    turn = 3 * np.arange(len(order)) % 20
    return [order[turn < 14], order[(turn >= 14) & (turn < 17)], order[turn >= 17]]


def load_data(config: Config) -> tuple[Split, Split, Split]:
    """Tokens and labels of the training, validation and test split; the vocabulary knows the training texts only."""
    if config.smoke:
        tokens, labels = synthetic_data(config)
        splits = stratified_split(labels, config.seed)
    else:
        texts, labels, names = read_table(config)
        splits = stratified_split(labels, config.seed)
        counts = Counter(word for row in splits[0] for word in texts[row]).most_common(config.vocab_size - 2)
        vocabulary = {word: index for index, (word, _) in enumerate(counts, start=2)}
        tokens = encode(texts, vocabulary, config.sequence_length)
        path = Path(config.out, "vocabulary.json")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"classes": names, "words": vocabulary}, ensure_ascii=False), encoding="utf-8")
    train_set, val_set, test_set = ((tokens[rows], labels[rows]) for rows in splits)
    return train_set, val_set, test_set


class PositionEmbedding(layers.Layer):
    """Adds a learned vector for each place: (N, length, size) stays."""

    def __init__(self, length: int, size: int) -> None:
        super().__init__()
        self.supports_masking = True  # hands on the mask of the words
        self.table = layers.Embedding(length, size)
        self.places = np.arange(length)

    def call(self, x: keras.KerasTensor) -> keras.KerasTensor:
        return x + self.table(self.places)


def transformer_block(x: keras.KerasTensor, config: Config) -> keras.KerasTensor:
    """Attention between the words, then a small network for each word, both added to what came in."""
    attended = layers.LayerNormalization(epsilon=1e-6)(x)
    size = max(1, config.hidden_size // config.num_heads)  # of each head
    attended = layers.MultiHeadAttention(config.num_heads, key_dim=size)(attended, attended)
    x = layers.Add()([x, layers.Dropout(config.dropout)(attended)])
    hidden = layers.LayerNormalization(epsilon=1e-6)(x)
    hidden = layers.Dense(4 * config.hidden_size, activation="gelu")(hidden)
    hidden = layers.Dense(config.hidden_size)(hidden)
    return layers.Add()([x, layers.Dropout(config.dropout)(hidden)])


def build_model(config: Config) -> keras.Model:
    """Shapes: (N, sequence_length) -> (N, num_classes) logits."""
    inputs = keras.Input((config.sequence_length,), dtype="int64")
    x = layers.Embedding(config.vocab_size, config.hidden_size, mask_zero=True)(inputs)
    x = PositionEmbedding(config.sequence_length, config.hidden_size)(x)
    x = layers.Dropout(config.dropout)(x)
    for _ in range(config.num_layers):
        x = transformer_block(x, config)
    x = layers.LayerNormalization(epsilon=1e-6)(x)
    x = layers.GlobalAveragePooling1D()(x)  # over the words that the mask leaves
    return keras.Model(inputs, layers.Dense(config.num_classes)(x))


def build_loss(config: Config) -> keras.losses.Loss:
    """The training loss, called with (targets, outputs)."""
    return keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def build_optimizer(config: Config) -> keras.optimizers.Optimizer:
    """The optimizer of all weights."""
    return keras.optimizers.AdamW(learning_rate=config.learning_rate, weight_decay=config.weight_decay)


def train(model: keras.Model, train_set: Split, val_set: Split, config: Config) -> None:
    """Fit the model, stop early, and restore the weights with the lowest validation loss."""
    model.compile(optimizer=build_optimizer(config), loss=build_loss(config), metrics=["accuracy"])
    best = keras.callbacks.EarlyStopping(monitor="val_loss", patience=config.patience, restore_best_weights=True)
    model.fit(
        *train_set,
        batch_size=config.batch_size,
        epochs=config.epochs,
        validation_data=val_set,
        callbacks=[best],
        verbose=2,
    )


def compute_metrics(outputs: np.ndarray, targets: np.ndarray) -> dict[str, float]:
    """Scores of logits (N, num_classes) against labels (N,), averaged over the classes that occur."""
    predicted, true = (np.eye(outputs.shape[1])[labels] for labels in (outputs.argmax(axis=1), targets))
    hits, found, wanted = (predicted * true).sum(axis=0), predicted.sum(axis=0), true.sum(axis=0)
    occurs = found + wanted > 0
    return {
        "accuracy": float(hits.sum() / wanted.sum()),
        "precision": float((hits / np.maximum(found, 1))[occurs].mean()),
        "recall": float((hits / np.maximum(wanted, 1))[occurs].mean()),
        "f1": float((2 * hits / np.maximum(found + wanted, 1))[occurs].mean()),
    }


def evaluate(model: keras.Model, dataset: Split) -> dict[str, float]:
    """Metrics over all texts of the split."""
    inputs, targets = dataset
    return compute_metrics(model.predict(inputs, verbose=0), targets)


def predict(model: keras.Model, inputs: np.ndarray) -> np.ndarray:
    """The most probable class, (N,), of tokens (N, sequence_length)."""
    return model.predict(inputs, verbose=0).argmax(axis=1)


def parse_config() -> Config:
    """Read every field of Config from the command line."""
    parser = argparse.ArgumentParser(description="Text classification with a Transformer encoder in Keras.")
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
    predictions = predict(model, test_set[0])

    out = Path(config.out)
    out.mkdir(parents=True, exist_ok=True)
    model.save_weights(out / "model.weights.h5")
    np.save(out / "predictions.npy", predictions)
    (out / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n", encoding="utf-8")
    print("test:", ", ".join(f"{name} {value:.4f}" for name, value in metrics.items()))


if __name__ == "__main__":
    main()
