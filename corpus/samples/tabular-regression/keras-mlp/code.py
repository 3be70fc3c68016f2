"""Regression on table rows with a multi-layer perceptron in Keras.

Predicts one number from the other columns (a house price, an energy demand, a yield). Normalization layers at both ends
hold the scale of the columns and of the target: the saved model takes rows as they are and answers in their unit.
Training ends before the last of them, where mean squared error is well scaled whatever the unit. SiLU is smooth, as
most quantities are.

Data (--data PATH): a CSV file with a header and numeric columns. The column `target`, or else the last one, is the
number to predict. Empty feature cells are filled with the mean of the column.
Result (--smoke): a slope plus a wave, R2 above 0.85 after ten epochs on a CPU (predicting the mean: 0).
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
    num_features: int = 13
    hidden_size: int = 128
    num_layers: int = 2  # hidden layers
    dropout: float = 0.1
    batch_size: int = 64
    learning_rate: float = 1e-3
    epochs: int = 200
    patience: int = 20  # epochs without a better validation loss before training stops

    def for_smoke(self) -> "Config":
        """A trial that ends in seconds on a CPU: few examples, small batches, few epochs."""
        return dataclasses.replace(self, batch_size=min(self.batch_size, 16), epochs=min(self.epochs, 10))


def synthetic_data(config: Config) -> tuple[np.ndarray, np.ndarray]:
    """Rows (N, num_features) and targets (N,): a slope over all features, a wave over the first, and noise."""
    generator = np.random.default_rng(config.seed)
    features = generator.standard_normal((800, config.num_features))
    weights = generator.standard_normal(config.num_features)
    slope, wave = features @ weights / np.linalg.norm(weights), np.sin(2 * features[:, 0])
    return 20 + 5 * features, 200 + 40 * slope + 15 * wave + 5 * generator.standard_normal(800)


def read_table(config: Config) -> tuple[np.ndarray, np.ndarray]:
    """Features (N, num_features), an empty cell being NaN, and targets (N,) of the CSV file."""
    try:
        frame = pd.read_csv(config.data)
    except (OSError, ValueError) as error:
        raise SystemExit(f"{config.data} cannot be read: {error}") from None
    if words := list(frame.columns.difference(frame.select_dtypes(["number", "bool"]).columns)):
        raise SystemExit(f"{config.data}: encode or drop the columns that are not numeric: {', '.join(words)}")
    target = "target" if "target" in frame else frame.columns[-1]
    frame = frame.dropna(subset=[target])
    features = frame.drop(columns=target)
    if features.shape[1] != config.num_features:
        raise SystemExit(f"{config.data}: {features.shape[1]} features, pass --num-features {features.shape[1]}")
    if len(frame) < 3:
        raise SystemExit(f"{config.data}: at least 3 rows with a value in {target!r} are needed")
    return features.to_numpy(np.float64), frame[target].to_numpy(np.float64)


def fill_empty(features: np.ndarray, train_rows: np.ndarray, config: Config) -> np.ndarray:
    """The features with the training mean of the column in empty cells; fill_values.json keeps these means."""
    mean = np.ma.masked_invalid(features[train_rows]).mean(axis=0).filled(0.0)
    path = Path(config.out, "fill_values.json")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(mean.tolist(), indent=2) + "\n", encoding="utf-8")
    return np.where(np.isfinite(features), features, mean).astype(np.float32)


def load_data(config: Config) -> tuple[Split, Split, Split]:
    """Rows and targets of the training (70%), validation (15%) and test (15%) split, in their original units."""
    features, targets = synthetic_data(config) if config.smoke else read_table(config)
    rows = np.random.default_rng(config.seed).permutation(len(targets))
    held_out = max(1, round(0.15 * len(rows)))
    splits = np.split(rows, [len(rows) - 2 * held_out, len(rows) - held_out])
    features = fill_empty(features, splits[0], config)
    train_set, val_set, test_set = ((features[part], targets[part].astype(np.float32)) for part in splits)
    return train_set, val_set, test_set


def build_model(config: Config) -> keras.Model:
    """Shapes: (N, num_features) -> (N,) predictions in the unit of the target; rows come unscaled."""
    inputs = keras.Input((config.num_features,))
    x = layers.Normalization(name="column_scale")(inputs)  # learns mean and variance in train()
    x = keras.ops.clip(x, -10, 10)  # a column that was constant in training would give huge values when it changes
    for _ in range(config.num_layers):
        x = layers.Dense(config.hidden_size, activation="silu")(x)
        x = layers.Dropout(config.dropout)(x)
    x = layers.Dense(1)(x)
    x = layers.Reshape((), name="standardised")(x)
    return keras.Model(inputs, layers.Normalization(axis=None, invert=True, name="target_scale")(x))


def build_loss(config: Config) -> keras.losses.Loss:
    """The training loss, called with (targets, outputs)."""
    return keras.losses.MeanSquaredError()


def build_optimizer(config: Config) -> keras.optimizers.Optimizer:
    """The optimizer of all weights."""
    return keras.optimizers.Adam(learning_rate=config.learning_rate)


def train(model: keras.Model, train_set: Split, val_set: Split, config: Config) -> None:
    """Learn both scales, fit the model, stop early, and restore the weights with the lowest validation loss."""
    model.get_layer("column_scale").adapt(train_set[0])
    model.get_layer("target_scale").adapt(train_set[1])
    standardise = layers.Normalization(axis=None)
    standardise.adapt(train_set[1])
    # The same layers without the last one: their weights are those of the model.
    inner = keras.Model(model.inputs, model.get_layer("standardised").output)
    inner.compile(optimizer=build_optimizer(config), loss=build_loss(config))
    best = keras.callbacks.EarlyStopping(monitor="val_loss", patience=config.patience, restore_best_weights=True)
    (train_inputs, train_targets), (val_inputs, val_targets) = train_set, val_set
    inner.fit(
        train_inputs,
        keras.ops.convert_to_numpy(standardise(train_targets)),
        batch_size=config.batch_size,
        epochs=config.epochs,
        validation_data=(val_inputs, keras.ops.convert_to_numpy(standardise(val_targets))),
        callbacks=[best],
        verbose=2,
    )


def compute_metrics(outputs: np.ndarray, targets: np.ndarray) -> dict[str, float]:
    """Errors of the predictions (N,), and the share r2 of the target's variance that they explain."""
    errors = (outputs - targets).astype(np.float64)
    mse, variance = float(np.square(errors).mean()), float(targets.astype(np.float64).var())
    return {"mae": float(np.abs(errors).mean()), "mse": mse, "rmse": mse**0.5, "r2": 1 - mse / max(variance, 1e-12)}


def evaluate(model: keras.Model, dataset: Split) -> dict[str, float]:
    """Metrics over all rows of the split."""
    inputs, targets = dataset
    return compute_metrics(model.predict(inputs, verbose=0), targets)


def predict(model: keras.Model, inputs: np.ndarray) -> np.ndarray:
    """Targets in their original unit, (N,), for rows (N, num_features) as they are in the table."""
    return model.predict(inputs, verbose=0)


def parse_config() -> Config:
    """Read every field of Config from the command line."""
    parser = argparse.ArgumentParser(description="Regression on table rows with a multi-layer perceptron in Keras.")
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
