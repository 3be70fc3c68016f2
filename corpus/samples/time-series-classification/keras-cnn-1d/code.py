"""Time series classification with a one-dimensional CNN in Keras.

Sorts windows of sensor readings into classes (activities from an accelerometer, heart beats of an ECG, machine states).
Separable convolutions look at each feature's shape in time and then mix the features, with a fraction of the weights of
plain ones; average and maximum over the steps make it unimportant where a shape occurs, and keep both how common it is
and how clear. A Normalization layer learns the scale of the features, so that the saved model takes raw windows.

Data (--data PATH): a .npz file with the arrays x (N, window, num_features) and y (N,) of class numbers or names.
Result (--smoke): one mix of waves per class in random phase plus noise, accuracy above 0.9 after four epochs on a CPU.
"""

import argparse
import dataclasses
import json
import os
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

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
    window: int = 128
    num_features: int = 6
    num_classes: int = 6
    base_width: int = 64  # channels of the first block; the others have twice as many
    dropout: float = 0.2
    batch_size: int = 64
    learning_rate: float = 2e-3
    epochs: int = 100
    patience: int = 15  # epochs without a better validation loss before training stops

    def for_smoke(self) -> "Config":
        """A trial that ends in seconds on a CPU: few examples, few epochs, no window above 512 steps."""
        window, batch_size, epochs = min(self.window, 512), min(self.batch_size, 16), min(self.epochs, 4)
        return dataclasses.replace(self, window=window, batch_size=batch_size, epochs=epochs)


def synthetic_data(config: Config) -> tuple[np.ndarray, np.ndarray]:
    """Windows (N, window, num_features), each the two waves of its class in random phase plus noise; classes (N,)."""
    generator = np.random.default_rng(config.seed)
    count = max(10 * config.num_classes, min(400, 60_000 // config.window))
    labels = np.arange(count) % config.num_classes
    frequencies = 0.02 + 0.4 * generator.random((2, config.num_classes, 1, config.num_features))
    time = np.arange(config.window)[:, None] + 50 * generator.random((count, 1, 1))
    waves = np.sin(2 * np.pi * frequencies[:, labels] * time).sum(axis=0)
    return (waves + 0.3 * generator.standard_normal(waves.shape)).astype(np.float32), labels


def save_json(value: object, name: str, config: Config) -> None:
    """Keep under config.out what was learned from the data and is needed to predict on new data."""
    out = Path(config.out)
    out.mkdir(parents=True, exist_ok=True)
    (out / name).write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")


def read_windows(config: Config) -> tuple[np.ndarray, np.ndarray]:
    """Windows (N, window, num_features) and class numbers (N,) of the .npz file."""
    try:
        with np.load(config.data) as arrays:
            windows, names = arrays["x"].astype(np.float32), arrays["y"]
    except (OSError, EOFError, ValueError, KeyError, TypeError, zipfile.BadZipFile):
        raise SystemExit(f"{config.data}: no .npz file with the arrays x and y") from None
    if windows.ndim != 3 or names.shape != windows.shape[:1]:
        raise SystemExit(f"{config.data}: x must be (N, window, num_features) and y (N,)")
    if windows.shape[1:] != (config.window, config.num_features):
        steps, features = windows.shape[1:]
        raise SystemExit(f"{config.data}: x is {windows.shape}, pass --window {steps} --num-features {features}")
    classes, labels, counts = np.unique(names, return_inverse=True, return_counts=True)
    if len(classes) != config.num_classes:
        raise SystemExit(f"{config.data}: {len(classes)} classes in y, pass --num-classes {len(classes)}")
    if counts.min() < 3:
        raise SystemExit(f"{config.data}: every class needs at least 3 windows")
    save_json([str(name) for name in classes], "classes.json", config)
    return windows, labels


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


def load_data(config: Config) -> tuple[Split, Split, Split]:
    """Windows and classes of the training (70%), validation (15%) and test (15%) split, stratified by class."""
    windows, labels = synthetic_data(config) if config.smoke else read_windows(config)
    train_set, val_set, test_set = ((windows[rows], labels[rows]) for rows in stratified_split(labels, config.seed))
    return train_set, val_set, test_set


def conv_block(x: keras.KerasTensor, channels: int, kernel_size: int) -> keras.KerasTensor:
    """One separable convolution, normalised and rectified: (N, window, any) -> (N, window, channels)."""
    x = layers.SeparableConv1D(channels, kernel_size, padding="same", use_bias=False)(x)
    x = layers.BatchNormalization(momentum=0.9)(x)  # the default 0.99 needs more steps than a small data set has
    return layers.ReLU()(x)


def build_model(config: Config) -> keras.Model:
    """Shapes: (N, window, num_features) -> (N, num_classes) logits; windows come unscaled."""
    inputs = keras.Input((config.window, config.num_features))
    x = layers.Normalization(name="feature_scale")(inputs)  # learns mean and variance in train()
    x = keras.ops.clip(x, -10, 10)  # a feature that was constant in training would give huge values when it changes
    x = layers.Conv1D(config.base_width, kernel_size=1)(x)
    x = conv_block(x, config.base_width, kernel_size=7)
    x = conv_block(x, 2 * config.base_width, kernel_size=5)
    x = conv_block(x, 2 * config.base_width, kernel_size=3)
    x = layers.Concatenate()([layers.GlobalAveragePooling1D()(x), layers.GlobalMaxPooling1D()(x)])
    x = layers.Dropout(config.dropout)(x)
    return keras.Model(inputs, layers.Dense(config.num_classes)(x))


def build_loss(config: Config) -> keras.losses.Loss:
    """The training loss, called with (targets, outputs)."""
    return keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def build_optimizer(config: Config) -> keras.optimizers.Optimizer:
    """The optimizer of all weights."""
    return keras.optimizers.Adam(learning_rate=config.learning_rate)


def train(model: keras.Model, train_set: Split, val_set: Split, config: Config) -> None:
    """Learn the scale of the features, fit the model, stop early, and restore the best weights by validation loss."""
    model.get_layer("feature_scale").adapt(train_set[0])
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
    """Metrics over all windows of the split."""
    inputs, targets = dataset
    return compute_metrics(model.predict(inputs, verbose=0), targets)


def predict(model: keras.Model, inputs: np.ndarray) -> np.ndarray:
    """Class numbers (N,) for windows (N, window, num_features) as they were recorded."""
    return model.predict(inputs, verbose=0).argmax(axis=1)


def parse_config() -> Config:
    """Read every field of Config from the command line."""
    parser = argparse.ArgumentParser(description="Time series classification with a one-dimensional CNN in Keras.")
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
