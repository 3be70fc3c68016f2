"""Tiny data sets in the formats that the samples on series, recordings among them, read."""

import math
import wave
from pathlib import Path

import numpy as np

from tests.corpus.data_files.files import Columns, DataFiles, write_csv


def windows(folder: Path) -> None:
    """Windows of whole numbers in 16 bits, as sensors give them, and classes by name."""
    labels = np.arange(24) % 3
    readings = np.random.default_rng(0).integers(-900, 900, (24, 16, 2)) + 500 * labels[:, None, None]
    np.savez(folder / "windows.npz", x=readings.astype(np.int16), y=np.array(["rest", "walk", "run"])[labels])


def load_curve(folder: Path) -> None:
    """A date column, gaps, a constant column; the column `target` is not the last one."""
    hours = range(80)
    load = [None if hour in {0, 5, 6, 79} else round(50 + 10 * math.sin(hour / 4), 2) for hour in hours]
    dates = [f"2024-01-{1 + hour // 24:02} {hour % 24:02}:00" for hour in hours]
    temperatures = [hour % 24 for hour in hours]
    table: Columns = {"date": dates, "target": load, "temperature": temperatures, "constant": [1] * len(hours)}
    write_csv(folder / "load.csv", table)


def write_tone(path: Path, rate: int, channels: int, width: int) -> None:
    """A quarter of a second, in samples of `width` bytes."""
    tone = np.repeat(np.sin(np.arange(rate // 4) / 5), channels)
    samples = (128 + 100 * tone).astype(np.uint8) if width == 1 else (20_000 * tone).astype("<i2")
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setparams((channels, width, rate, 0, "NONE", ""))
        file.writeframes(samples.tobytes())


def sound_folders(folder: Path) -> None:
    """Mono and stereo, 8 and 16 bits, several rates, endings in small letters and in capitals."""
    for number in range(12):
        path = folder / ("owl", "wren")[number % 2] / f"{number}.{('wav', 'WAV')[number % 3 // 2]}"
        write_tone(path, (4000, 8000, 11_025)[number % 3], 1 + number // 2 % 2, 1 + (number % 4 > 0))


def transcribed_clips(folder: Path) -> None:
    """One clip in a sub-folder, a column too many, texts with capitals, umlauts, and words like missing values."""
    texts = ["Yes", "no", "null", "Größe  ok", "yes no", "NA", "no yes", "oh"]
    files = [f"{'deep/' if number == 1 else ''}clip {number}.wav" for number in range(len(texts))]
    for number, name in enumerate(files):
        write_tone(folder / name, (4000, 8000)[number % 2], 1 + number % 2, 2)
    write_csv(folder / "transcripts.csv", {"speaker": [1] * len(texts), "text": texts, "file": files})


FORECAST = ("--window", "8", "--horizon", "2", "--num-features", "3", "--hidden-size", "8", "--num-layers", "1")
SOUND = ("--sample-rate", "4000", "--num-mels", "8")

FILES: dict[str, DataFiles] = {
    "time-series-classification/cnn-1d": DataFiles(
        windows,
        ("--window", "16", "--num-features", "2", "--num-classes", "3", "--base-width", "4"),
        "data/windows.npz",
    ),
    "time-series-forecasting/lstm": DataFiles(load_curve, FORECAST, "data/load.csv"),
    "time-series-forecasting/tcn": DataFiles(load_curve, FORECAST, "data/load.csv"),
    "time-series-forecasting/transformer": DataFiles(load_curve, FORECAST, "data/load.csv"),
    "audio-classification/logmel-cnn": DataFiles(
        sound_folders, (*SOUND, "--clip-seconds", "0.25", "--num-classes", "2", "--base-width", "4")
    ),
    "automatic-speech-recognition/ctc": DataFiles(
        transcribed_clips, (*SOUND, "--clip-seconds", "0.5", "--hidden-size", "8", "--num-layers", "1")
    ),
}
