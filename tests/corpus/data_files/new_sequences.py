"""Tiny data sets in the formats that some samples on texts, tables and series read."""

import math
from pathlib import Path

from tests.corpus.data_files.files import Columns, DataFiles, write_csv
from tests.corpus.data_files.series import load_curve
from tests.corpus.data_files.texts import labelled_texts, sentence_pairs


def towns_and_numbers(folder: Path) -> None:
    """Words, codes and numbers; empty cells of each kind, a category that occurs once, and a row without a class."""
    rows = range(40)
    towns: list[str | None] = [("Oslo", "NA", "Bergen, west", "Ålesund")[row % 4] for row in rows]
    towns[7:9] = ["Tromsø", None]
    columns: Columns = {
        "target": [None if row == len(rows) - 1 else ("stays", "leaves", "asks")[row % 3] for row in rows],
        "town": towns,
        "age": [row * 7 % 50 for row in rows],
        "member": [row % 3 == 0 for row in rows],
        "code": [5000 + row % 3 for row in rows],
        "income": [None if row in {0, 9} else row * 1.5 for row in rows],
    }
    write_csv(folder / "table.csv", columns)


def rare_positives(folder: Path) -> None:
    """Numbers, yes or no, empty cells; no column is named `target`: it is the last one."""
    rows = range(120)
    columns: Columns = {
        "amount": [row * 13 % 90 for row in rows],
        "hour": [None if row in {3, 50} else row % 24 / 2 for row in rows],
        "abroad": [row % 5 == 0 for row in rows],
        "fraud": [int(row % 15 == 4) for row in rows],
    }
    write_csv(folder / "table.csv", columns)


def sensors_with_faults(folder: Path) -> None:
    """Faults early, where they are left out, and late, where they are looked for; gaps, and a column of dates."""
    hours = range(120)
    columns: Columns = {
        "date": [f"2024-01-{1 + hour // 24:02} {hour % 24:02}:00" for hour in hours],
        "label": [int(hour in {20, 21, 100, 110}) for hour in hours],
        "temperature": [None if hour in {0, 30, 31} else math.cos(hour / 4) for hour in hours],
        "load": [50 + 10 * math.sin(hour / 4) for hour in hours],
    }
    write_csv(folder / "sensors.csv", columns)


NARROW = ("--hidden-size", "8")
SHORT = ("--sequence-length", "12")

FILES: dict[str, DataFiles] = {
    "text-classification/char-cnn": DataFiles(
        labelled_texts, (*SHORT, "--embedding-dim", "8", "--num-filters", "8"), "data/texts.csv"
    ),
    "translation/transformer": DataFiles(
        sentence_pairs, (*SHORT, *NARROW, "--num-layers", "1", "--num-heads", "2"), "data/pairs.tsv"
    ),
    "tabular-classification/category-embeddings": DataFiles(
        towns_and_numbers,
        ("--num-features", "3", "--num-categorical", "2", "--categorical", "code", "--num-classes", "3", *NARROW),
        "data/table.csv",
    ),
    "tabular-classification/imbalanced": DataFiles(rare_positives, ("--num-features", "3", *NARROW), "data/table.csv"),
    "time-series-forecasting/seq2seq": DataFiles(
        load_curve, ("--window", "8", "--horizon", "4", "--num-features", "3", *NARROW), "data/load.csv"
    ),
    "anomaly-detection/forecast-residual": DataFiles(
        sensors_with_faults, ("--window", "8", "--num-features", "2", *NARROW), "data/sensors.csv"
    ),
    "anomaly-detection/lstm-autoencoder": DataFiles(
        sensors_with_faults, ("--window", "8", "--num-features", "2", *NARROW), "data/sensors.csv"
    ),
}
