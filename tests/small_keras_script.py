"""The smallest Keras script that keeps the project contract and climbs the whole ladder."""

KERAS_SCRIPT = '''"""Classification of points by quadrant, in Keras."""

import argparse
import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np


@dataclass
class Config:
    """Settings."""

    data: str = ""
    out: str = "outputs"
    smoke: bool = False
    seed: int = 42
    batch_size: int = 16
    learning_rate: float = 0.01
    epochs: int = 5


def load_data(config: Config) -> tuple[tuple[np.ndarray, np.ndarray], ...]:
    """Points (N, 2) and classes (N,) of the training, validation and test split."""
    points = np.random.default_rng(config.seed).normal(size=(240, 2)).astype("float32")
    classes = 2 * (points[:, 0] > 0).astype("int64") + (points[:, 1] > 0)
    return tuple((points[part], classes[part]) for part in (slice(160), slice(160, 200), slice(200, 240)))


def build_model(config: Config) -> keras.Model:
    """Shapes: (N, 2) -> (N, 4) probabilities."""
    model = keras.Sequential(
        [keras.Input((2,)), keras.layers.Dense(32, activation="relu"), keras.layers.Dense(4, activation="softmax")]
    )
    optimizer = keras.optimizers.Adam(config.learning_rate)
    model.compile(optimizer=optimizer, loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def train(model: keras.Model, train_data: tuple, val_data: tuple, config: Config) -> None:
    """Fit the model."""
    model.fit(
        *train_data, batch_size=config.batch_size, epochs=config.epochs, validation_data=val_data, verbose=0
    )


def evaluate(model: keras.Model, data: tuple) -> dict[str, float]:
    """Share of right answers."""
    return {"accuracy": float((predict(model, data[0]) == data[1]).mean())}


def predict(model: keras.Model, inputs: np.ndarray) -> np.ndarray:
    """Classes (N,)."""
    return model.predict(inputs, verbose=0).argmax(axis=1)


def main() -> None:
    """Train, evaluate, save."""
    parser = argparse.ArgumentParser()
    for field in dataclasses.fields(Config):
        flag = "--" + field.name.replace("_", "-")
        if isinstance(field.default, bool):
            parser.add_argument(flag, action="store_true")
        else:
            parser.add_argument(flag, type=type(field.default), default=field.default)
    config = Config(**vars(parser.parse_args()))
    keras.utils.set_random_seed(config.seed)
    train_data, val_data, test_data = load_data(config)
    model = build_model(config)
    train(model, train_data, val_data, config)
    metrics = evaluate(model, test_data)
    out = Path(config.out)
    out.mkdir(parents=True, exist_ok=True)
    model.save_weights(out / "model.weights.h5")
    (out / "metrics.json").write_text(json.dumps(metrics))


if __name__ == "__main__":
    main()
'''
