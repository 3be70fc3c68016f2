"""Tiny data sets in the formats that some samples on texts, tables and series read."""

from pathlib import Path

import numpy as np
import pandas as pd

from tests.corpus.data_files.files import DataFiles
from tests.corpus.data_files.texts import labelled_texts, sentence_pairs

ROWS = 120


def towns_and_numbers(folder: Path) -> None:
    """Words, codes and numbers; empty cells of each kind, a category that occurs once, and a row without a class."""
    rows = np.arange(40)
    towns = np.array(["Oslo", "NA", "Bergen, west", "Ålesund"])[rows % 4].astype(object)
    towns[7], towns[8] = "Tromsø", None
    table = pd.DataFrame({"town": towns, "age": rows * 7 % 50, "member": rows % 3 == 0, "code": 5000 + rows % 3})
    table["income"] = (rows * 1.5).tolist()
    table.loc[[0, 9], "income"] = None
    table.insert(0, "target", [*(("stays", "leaves", "asks")[row % 3] for row in rows[1:]), None])
    table.to_csv(folder / "table.csv", index=False)


def rare_positives(folder: Path) -> None:
    """The last column is the target; numbers, yes or no, and empty cells."""
    rows = np.arange(ROWS)
    table = pd.DataFrame({"amount": rows * 13 % 90, "hour": rows % 24 / 2, "abroad": rows % 5 == 0})
    table.loc[[3, 50], "hour"] = None
    table["fraud"] = (rows % 15 == 4).astype(int)
    table.to_csv(folder / "table.csv", index=False)


def load_by_hour(folder: Path) -> None:
    """A date, a gap at the start and one later, and the target in the middle."""
    table = _hours()
    table.insert(1, "target", 50 + 10 * np.sin(np.arange(ROWS) / 4))
    table.to_csv(folder / "series.csv", index=False)


def sensors_with_faults(folder: Path) -> None:
    """Faults early, where they are left out, and late, where they are looked for."""
    table = _hours()
    table["load"] = 50 + 10 * np.sin(np.arange(ROWS) / 4)
    table["label"] = np.isin(np.arange(ROWS), (20, 21, 100, 110)).astype(int)
    table.to_csv(folder / "series.csv", index=False)


def _hours() -> pd.DataFrame:
    table = pd.DataFrame({"date": pd.date_range("2024-01-01", periods=ROWS, freq="h")})
    table["temperature"] = np.cos(np.arange(ROWS) / 4)
    table.loc[[0, 30, 31], "temperature"] = None
    return table


NARROW = ("--hidden-size", "8")
SHORT = ("--sequence-length", "12")
SERIES = ("--window", "8", "--num-features", "2", *NARROW)

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
    "time-series-forecasting/seq2seq": DataFiles(load_by_hour, ("--horizon", "4", *SERIES), "data/series.csv"),
    "anomaly-detection/forecast-residual": DataFiles(sensors_with_faults, SERIES, "data/series.csv"),
}
