"""Audio classification with a CNN on log-mel spectrograms in Keras.

Sorts short recordings into classes (spoken commands, bird calls, city noises). The first layer of the model turns the
waveform into a mel spectrogram, an image of energy by pitch and time, of which the logarithm is taken, as the ear does.
In training, a random band of pitches is silenced in every clip (SpecAugment), so that no class hangs on a single band.
A CNN reads the image; what it finds is averaged over time, while pitch stays.

Data (--data PATH): a folder with one sub-folder per class of WAV files (PCM of 8 or 16 bits, mono or stereo, any rate).
They are resampled to sample_rate and cut or padded to clip_seconds.
Result (--smoke): one noisy harmonic tone per class, accuracy above 0.9 after four epochs on a CPU (chance: 0.1).
"""

import argparse
import dataclasses
import json
import math
import os
import wave
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

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
    sample_rate: int = 16_000  # Hz
    clip_seconds: float = 1.0
    num_mels: int = 64
    num_classes: int = 10
    masked_share: float = 0.15  # of the pitches, silenced at most in training
    base_width: int = 32  # channels of the first block; each block after it doubles them
    dropout: float = 0.3
    batch_size: int = 32
    learning_rate: float = 1e-3
    epochs: int = 60
    patience: int = 10  # epochs without a better validation loss before training stops

    def for_smoke(self) -> "Config":
        """A trial that ends in seconds on a CPU: few examples, few epochs, no clip above 1 second."""
        seconds, batch_size, epochs = min(self.clip_seconds, 1.0), min(self.batch_size, 4), min(self.epochs, 4)
        return dataclasses.replace(self, clip_seconds=seconds, batch_size=batch_size, epochs=epochs)


class Batches(keras.utils.PyDataset):
    """Batches of clips (n, samples) in [-1, 1] and class numbers (n,), read when they are needed."""

    def __init__(
        self, read: Callable[[int], np.ndarray], targets: np.ndarray, rows: np.ndarray, config: Config, shuffle: bool
    ) -> None:
        super().__init__()
        self.read, self.targets, self.rows = read, targets, rows
        self.batch_size = config.batch_size
        self.shuffle = np.random.default_rng(config.seed) if shuffle else None
        self.on_epoch_end()

    def __len__(self) -> int:
        return math.ceil(len(self.rows) / self.batch_size)

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        rows = self.rows[index * self.batch_size : (index + 1) * self.batch_size]
        return np.stack([self.read(row) for row in rows]), self.targets[rows]

    def on_epoch_end(self) -> None:
        if self.shuffle is not None:
            self.shuffle.shuffle(self.rows)


def wav_folder(folder: Path, config: Config) -> tuple[list[Path], np.ndarray]:
    """WAV files and their class numbers (N,); the names of the classes are kept under config.out."""
    files = sorted(folder.glob("*/*.[wW][aA][vV]"))
    if len(files) < 3:
        raise SystemExit(f"{folder}: at least 3 files CLASS/NAME.wav are needed")
    classes, labels = np.unique([path.parent.name for path in files], return_inverse=True)
    if len(classes) != config.num_classes:
        raise SystemExit(f"{folder}: {len(classes)} classes, pass --num-classes {len(classes)}")
    Path(config.out).mkdir(parents=True, exist_ok=True)
    (Path(config.out) / "classes.json").write_text(json.dumps(classes.tolist(), indent=2) + "\n", encoding="utf-8")
    return files, labels


def read_clip(files: list[Path], config: Config, row: int) -> np.ndarray:
    """The mono clip (samples,) of that row, resampled by linear interpolation and cut or padded."""
    path, length = files[row], round(config.sample_rate * config.clip_seconds)
    try:
        with wave.open(str(path)) as file:
            channels, width, rate, frames = file.getparams()[:4]
            data = file.readframes(frames)
    except (wave.Error, EOFError) as error:
        raise SystemExit(f"{path}: not a PCM WAV file ({error})") from None
    if width not in (1, 2) or not data:
        raise SystemExit(f"{path}: empty, or {8 * width} bits per sample where 8 or 16 are needed")
    # Samples of 8 bits are unsigned around 128, those of 16 bits signed and little-endian.
    sound = (np.frombuffer(data, np.uint8) - 128.0) / 128 if width == 1 else np.frombuffer(data, "<i2") / 32768
    sound = sound.reshape(-1, channels).mean(axis=1)
    times = np.arange(length) * rate / config.sample_rate
    return np.interp(times, np.arange(len(sound)), sound, right=0.0).astype(np.float32)


def synthetic_data(config: Config) -> tuple[np.ndarray, np.ndarray]:
    """Tones with two overtones, their pitch given by the class, in noise: clips (N, samples) and classes (N,)."""
    generator = np.random.default_rng(config.seed)
    labels = np.arange(max(100, 4 * config.num_classes)) % config.num_classes
    pitch = 0.01 * 12 ** (labels / config.num_classes) * generator.uniform(1, 1.02, len(labels))  # cycles per sample
    phase = 2 * np.pi * pitch[:, None] * np.arange(round(config.sample_rate * config.clip_seconds))
    tones = np.sin(phase) + np.sin(2 * phase) / 2 + np.sin(3 * phase) / 3
    return (0.3 * tones + 0.1 * generator.standard_normal(tones.shape)).astype(np.float32), labels


def load_data(config: Config) -> tuple[Batches, Batches, Batches]:
    """Batches of the training (70%), validation (15%) and test (15%) split, shuffled."""
    if config.smoke:
        clips, labels = synthetic_data(config)
        read = clips.__getitem__
    else:
        files, labels = wav_folder(Path(config.data), config)
        read = partial(read_clip, files, config)
    count = len(labels)
    held_out = max(1, round(0.15 * count))
    rows = np.random.default_rng(config.seed).permutation(count)
    train_rows, val_rows, test_rows = np.split(rows, [count - 2 * held_out, count - held_out])
    return (
        Batches(read, labels, train_rows, config, shuffle=True),
        Batches(read, labels, val_rows, config, shuffle=False),
        Batches(read, labels, test_rows, config, shuffle=False),
    )


class PitchMasking(layers.Layer):
    """In training, silences a random band of pitches in each spectrogram (N, num_mels, frames)."""

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share
        self.generator = keras.random.SeedGenerator()

    def call(self, x: keras.KerasTensor, training: bool = False) -> keras.KerasTensor:
        if not training:
            return x
        size = (keras.ops.shape(x)[0], 1, 1)
        width = keras.random.uniform(size, 0, self.share, seed=self.generator)
        start = keras.random.uniform(size, seed=self.generator) * (1 - width)
        pitches = keras.ops.reshape(keras.ops.arange(x.shape[1], dtype="float32") / x.shape[1], (1, -1, 1))
        inside = keras.ops.logical_and(pitches >= start, pitches < start + width)
        return keras.ops.where(inside, keras.ops.min(x, axis=(1, 2), keepdims=True), x)


def build_model(config: Config) -> keras.Model:
    """Shapes: (N, sample_rate * clip_seconds) -> (N, num_classes) logits of waveforms."""
    hop, frame = max(1, config.sample_rate // 100), max(2, config.sample_rate // 40)  # 25 ms every 10 ms
    inputs = keras.Input((round(config.sample_rate * config.clip_seconds),))
    x = layers.MelSpectrogram(
        fft_length=2 ** (2 * frame - 1).bit_length(),  # finer than the frame, for the narrow low bands
        sequence_stride=hop,
        sequence_length=frame,
        sampling_rate=config.sample_rate,
        num_mel_bins=config.num_mels,
        max_freq=config.sample_rate / 2,
        mag_exp=2.0,
        power_to_db=False,  # whose floor would depend on the loudest clip of the batch
    )(inputs)
    x = PitchMasking(config.masked_share)(keras.ops.log(x + 1e-6))
    x = layers.LayerNormalization(axis=(1, 2), center=False, scale=False)(x)  # as loud as any other clip
    x = keras.ops.expand_dims(x, axis=-1)
    for block in range(3):
        x = layers.Conv2D(config.base_width * 2**block, kernel_size=3, padding="same", use_bias=False)(x)
        x = layers.BatchNormalization(momentum=0.9)(x)  # the default 0.99 needs more steps than a small data set has
        x = layers.ReLU()(x)
        x = layers.MaxPooling2D(2, padding="same")(x)  # rounds up: no map shrinks to nothing
    x = layers.Flatten()(keras.ops.mean(x, axis=2))
    x = layers.Dropout(config.dropout)(x)
    return keras.Model(inputs, layers.Dense(config.num_classes)(x))


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
    occurs = found + wanted > 0
    return {
        "accuracy": float(hits.sum() / wanted.sum()),
        "precision": float((hits / np.maximum(found, 1))[occurs].mean()),
        "recall": float((hits / np.maximum(wanted, 1))[occurs].mean()),
        "f1": float((2 * hits / np.maximum(found + wanted, 1))[occurs].mean()),
    }


def evaluate(model: keras.Model, dataset: Batches) -> dict[str, float]:
    """Metrics over all examples of the data set."""
    return compute_metrics(model.predict(dataset, verbose=0), dataset.targets[dataset.rows])


def predict(model: keras.Model, inputs: np.ndarray) -> np.ndarray:
    """Class numbers (N,) for waveforms (N, samples)."""
    return model.predict(inputs, verbose=0).argmax(axis=1)


def parse_config() -> Config:
    """Read every field of Config from the command line."""
    parser = argparse.ArgumentParser(description="Audio classification with a CNN on log-mel spectrograms in Keras.")
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
