"""Multi-class classification of table rows with a multi-layer perceptron in Keras.

Sorts each row of numbers into one of several classes (species, customer groups, fault types). A Normalization layer
learns the scale of the columns, so that the saved model takes rows as the table has them. Batch normalisation between
the layers lets a small network learn in few epochs; dropout and early stopping keep it from learning rows by heart.

Data (--data PATH): a CSV file with a header and numeric columns. The column `target`, or else the last one, is the
class (numbers or names). Empty feature cells are filled with the mean of the column.
Result (--smoke): two random clusters per class, accuracy above 0.9 after six epochs on a CPU (chance: 0.2).
"""

import argparse
import dataclasses
import json
import os
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
    num_features: int = 20
    num_classes: int = 5
    hidden_size: int = 128
    num_layers: int = 2  # hidden layers
    dropout: float = 0.2
    batch_size: int = 64
    learning_rate: float = 1e-3
    epochs: int = 100
    patience: int = 10  # epochs without a better validation loss before training stops

    def for_smoke(self) -> "Config":
        """A trial that ends in seconds on a CPU: few examples, small batches, few epochs."""
        return dataclasses.replace(self, batch_size=min(self.batch_size, 16), epochs=min(self.epochs, 6))


def synthetic_data(config: Config) -> tuple[np.ndarray, np.ndarray]:
    """Rows (N, num_features) around two random centres per class, each column on its own scale; class numbers (N,)."""
    generator = np.random.default_rng(config.seed)
    count = max(600, 40 * config.num_classes)
    labels = np.arange(count) % config.num_classes
    centres = 2 * generator.standard_normal((2, config.num_classes, config.num_features))
    rows = centres[generator.integers(2, size=count), labels]
    rows += generator.standard_normal(rows.shape)
    return 100 + rows * generator.uniform(0.1, 50, config.num_features), labels


def save_json(value: object, name: str, config: Config) -> None:
    """Keep under config.out what was learned from the data and is needed to predict on new data."""
    out = Path(config.out)
    out.mkdir(parents=True, exist_ok=True)
    (out / name).write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")


def read_table(config: Config) -> tuple[np.ndarray, np.ndarray]:
    """Features (N, num_features), an empty cell being NaN, and class numbers (N,) of the CSV file."""
    try:
        frame = pd.read_csv(config.data)
    except (OSError, ValueError) as error:
        raise SystemExit(f"{config.data} cannot be read: {error}") from None
    target = "target" if "target" in frame else frame.columns[-1]
    frame = frame.dropna(subset=[target])
    features = frame.drop(columns=target)
    if words := list(features.columns.difference(features.select_dtypes(["number", "bool"]).columns)):
        raise SystemExit(f"{config.data}: encode or drop the columns that are not numeric: {', '.join(words)}")
    if features.shape[1] != config.num_features:
        raise SystemExit(f"{config.data}: {features.shape[1]} features, pass --num-features {features.shape[1]}")
    labels, names = pd.factorize(frame[target], sort=True)
    if len(names) != config.num_classes:
        raise SystemExit(f"{config.data}: {len(names)} classes in {target!r}, pass --num-classes {len(names)}")
    if min(np.bincount(labels)) < 3:
        raise SystemExit(f"{config.data}: every class in {target!r} needs at least 3 rows")
    save_json([str(name) for name in names], "classes.json", config)
    return features.to_numpy(np.float64), labels.astype(np.int64)


def stratified_split(labels: np.ndarray, seed: int) -> list[np.ndarray]:
    """Row numbers of the training (70%), validation (15%) and test (15%) split; each has its share of every class."""
    generator = np.random.default_rng(seed)
    parts: list[list[np.ndarray]] = [[], [], []]
    for label in np.unique(labels):
        rows = generator.permutation(np.flatnonzero(labels == label))
        held_out = max(1, round(0.15 * len(rows)))
        for part, chunk in zip(parts, np.split(rows, [-2 * held_out, -held_out]), strict=True):
            part.append(chunk)
    return [np.concatenate(part) for part in parts]


def fill_empty(features: np.ndarray, train_rows: np.ndarray, config: Config) -> np.ndarray:
    """The features with the training mean of the column in empty cells; fill_values.json keeps these means."""
    mean = np.ma.masked_invalid(features[train_rows]).mean(axis=0).filled(0.0)
    save_json(mean.tolist(), "fill_values.json", config)
    return np.where(np.isfinite(features), features, mean).astype(np.float32)


def load_data(config: Config) -> tuple[Split, Split, Split]:
    """Rows and classes of the training (70%), validation (15%) and test (15%) split, stratified by class."""
    features, labels = synthetic_data(config) if config.smoke else read_table(config)
    splits = stratified_split(labels, config.seed)
    features = fill_empty(features, splits[0], config)
    train_set, val_set, test_set = ((features[rows], labels[rows]) for rows in splits)
    return train_set, val_set, test_set


def build_model(config: Config) -> keras.Model:
    """Shapes: (N, num_features) -> (N, num_classes) logits; rows come unscaled."""
    inputs = keras.Input((config.num_features,))
    x = layers.Normalization(name="column_scale")(inputs)  # learns mean and variance in train()
    x = keras.ops.clip(x, -10, 10)  # a column that was constant in training would give huge values when it changes
    for _ in range(config.num_layers):
        x = layers.Dense(config.hidden_size, use_bias=False)(x)
        x = layers.BatchNormalization(momentum=0.9)(x)  # the default 0.99 needs more steps than a small table has
        x = layers.ReLU()(x)
        x = layers.Dropout(config.dropout)(x)
    return keras.Model(inputs, layers.Dense(config.num_classes)(x))


def build_loss(config: Config) -> keras.losses.Loss:
    """The training loss, called with (targets, outputs)."""
    return keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def build_optimizer(config: Config) -> keras.optimizers.Optimizer:
    """The optimizer of all weights."""
    return keras.optimizers.Adam(learning_rate=config.learning_rate)


def train(model: keras.Model, train_set: Split, val_set: Split, config: Config) -> None:
    """Learn the scale of the columns, fit the model, stop early, and restore the best weights by validation loss."""
    model.get_layer("column_scale").adapt(train_set[0])
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
    """Scores of logits (N, num_classes) against class numbers (N,), averaged over the classes that occur."""
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
    """Metrics over all rows of the split."""
    inputs, targets = dataset
    return compute_metrics(model.predict(inputs, verbose=0), targets)


def predict(model: keras.Model, inputs: np.ndarray) -> np.ndarray:
    """Class numbers (N,) for rows (N, num_features) as they are in the table."""
    return model.predict(inputs, verbose=0).argmax(axis=1)


def parse_config() -> Config:
    """Read every field of Config from the command line."""
    parser = argparse.ArgumentParser(
        description="Multi-class classification of table rows with a multi-layer perceptron in Keras."
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
    predictions = predict(model, test_set[0])

    out = Path(config.out)
    out.mkdir(parents=True, exist_ok=True)
    model.save_weights(out / "model.weights.h5")
    np.save(out / "predictions.npy", predictions)
    (out / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n", encoding="utf-8")
    print("test:", ", ".join(f"{name} {value:.4f}" for name, value in metrics.items()))


if __name__ == "__main__":
    main()
