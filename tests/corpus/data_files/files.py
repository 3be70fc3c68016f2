"""What a sample's run on files of one's own needs."""

import csv
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

Columns = Mapping[str, Sequence[object]]


class DataFiles(NamedTuple):
    """A tiny data set for one sample: `make` writes its files into an empty folder.

    `flags` keep the run on it small. `data` is what `--data` names, seen from the script's folder, where the files lie
    in `data/`: the folder itself, or a file in it such as `data/table.csv`.
    """

    make: Callable[[Path], None]
    flags: tuple[str, ...] = ()
    data: str = "data"


def no_files(folder: Path) -> None:
    """The maker for a sample that needs no data, as it brings its own environment: it cannot fail for lack of them."""


def write_csv(path: Path, columns: Columns) -> None:
    """A CSV file with a header; None is an empty cell."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))
