"""Tiny data sets in the formats that the samples on tables, graphs among them, read."""

from collections.abc import Sequence
from pathlib import Path

from tests.corpus.data_files.files import Columns, DataFiles, write_csv

ROWS = 24
FEATURES = ("--num-features", "4")
NARROW = (*FEATURES, "--hidden-size", "8")


def write_table(folder: Path, name: str, column: Sequence[object], place: int) -> None:
    """Whole numbers, fractions with empty cells, yes or no, a constant, and at that place the column of that name."""
    rows = range(ROWS)
    table: list[tuple[str, Sequence[object]]] = [
        ("age", [row * 7 % 50 for row in rows]),
        ("income", [None if row in {0, 9} else row * 1.5 for row in rows]),
        ("member", [row % 3 == 0 for row in rows]),
        ("constant", [1] * ROWS),
    ]
    table.insert(place, (name, column))
    write_csv(folder / "table.csv", dict(table))


def classes_by_name(folder: Path) -> None:
    """`target` stands first, and one row lacks it."""
    names = [("setosa", "virginica", "versicolor")[row % 3] for row in range(ROWS - 1)]
    write_table(folder, "target", [*names, None], 0)


def yes_or_no(folder: Path) -> None:
    """No column is named `target`: it is the last one."""
    write_table(folder, "left", [int(row % 4 == 0) for row in range(ROWS)], 4)


def numbers(folder: Path) -> None:
    """One target is missing."""
    write_table(folder, "target", [*range(1, ROWS), None], 2)


def rare_anomalies(folder: Path) -> None:
    write_table(folder, "label", [int(row % 8 == 3) for row in range(ROWS)], 1)


def ratings(folder: Path) -> None:
    """Users by number, items by name, a column too many, a rating that is missing."""
    table: Columns = {
        "rating": [None if row == 7 else 1 + row % 5 for row in range(ROWS)],
        "item": [("Solaris", "Stalker", "NA-1", "Ran, part 2")[row % 4] for row in range(ROWS)],
        "user": [100 + row % 6 for row in range(ROWS)],
        "date": ["2024-01-01"] * ROWS,
    }
    write_csv(folder / "ratings.csv", table)


def graph(folder: Path) -> None:
    """Nodes in no order with an empty cell and some without a label; edges in both directions, doubled, and a loop."""
    nodes: Columns = {
        "label": [None if row in {2, 3} else ("theory", "systems")[row % 2] for row in range(ROWS)],
        "id": [1000 - row for row in range(ROWS)],
        "length": [None if row == 4 else row / 4 for row in range(ROWS)],
        "words": [row * 5 % 7 for row in range(ROWS)],
    }
    write_csv(folder / "nodes.csv", nodes)
    edges = [(1000 - row, 1000 - (row + 2) % ROWS) for row in range(ROWS)]
    sources, targets = zip(*edges, edges[0], edges[1][::-1], (990, 990), strict=True)
    write_csv(folder / "edges.csv", {"source": sources, "target": targets})


FILES: dict[str, DataFiles] = {
    "tabular-classification/mlp": DataFiles(classes_by_name, (*NARROW, "--num-classes", "3"), "data/table.csv"),
    "tabular-classification/binary-mlp": DataFiles(yes_or_no, NARROW, "data/table.csv"),
    "tabular-regression/mlp": DataFiles(numbers, NARROW, "data/table.csv"),
    "anomaly-detection/autoencoder": DataFiles(rare_anomalies, NARROW, "data/table.csv"),
    "recommendation/matrix-factorisation": DataFiles(ratings, ("--latent-dim", "4"), "data/ratings.csv"),
    "graph-machine-learning/gcn": DataFiles(graph, ("--num-features", "2", "--num-classes", "2", "--hidden-size", "8")),
    "graph-machine-learning/gat": DataFiles(graph, ("--num-features", "2", "--num-classes", "2", "--num-heads", "2")),
}
