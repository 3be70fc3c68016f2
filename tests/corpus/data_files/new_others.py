"""Tiny data sets in the formats that the samples on retrieval, whole graphs and policies read."""

import json
import random
from pathlib import Path

from tests.corpus.data_files.files import DataFiles, no_files

_USERS, _ITEMS, _GRAPHS = 12, 15, 18


def _write_csv(path: Path, rows: list[list[object]]) -> None:
    path.write_text("".join(",".join(map(str, row)) + "\n" for row in rows), encoding="utf-8")


def _interactions(folder: Path) -> None:
    """Users, items and who chose what: a cell is empty, a pair is listed twice, and names are no numbers."""
    users: list[list[object]] = [[f"u-{number}", 20 + number, number % 2] for number in range(_USERS)]
    items: list[list[object]] = [[f"item {number}", number / 10, number % 3, 1] for number in range(_ITEMS)]
    users[3][1] = ""
    pairs: list[list[object]] = [
        [user[0], item[0]]
        for number, user in enumerate(users)
        for place, item in enumerate(items)
        if (number + place) % 3 == 0
    ]
    _write_csv(folder / "users.csv", [["user", "age", "member"], *users])
    _write_csv(folder / "items.csv", [["item", "price", "kind", "constant"], *items])
    _write_csv(folder / "interactions.csv", [["user", "item"], *pairs, pairs[0]])


def _graphs(folder: Path) -> None:
    """Rings, and stars, of several sizes; one graph is a single node without an edge."""
    numbers = random.Random(1)
    lines = []
    for number in range(_GRAPHS):
        size, label = 1 if number == 4 else numbers.randint(3, 7), ("ring", "star")[number % 2]
        nodes = [[numbers.random(), float(node % 2), 1.0] for node in range(size)]
        edges = [[node, (node + 1) % size if label == "ring" else 0] for node in range(size) if size > 1]
        lines.append(json.dumps({"nodes": nodes, "edges": edges, "label": label}))
    (folder / "graphs.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")


FILES: dict[str, DataFiles] = {
    "recommendation/two-tower": DataFiles(
        _interactions,
        flags=(
            *("--num-users", str(_USERS), "--num-items", str(_ITEMS)),
            *("--num-user-features", "2", "--num-item-features", "3", "--hidden-size", "8"),
        ),
    ),
    "graph-machine-learning/graph-classification": DataFiles(
        _graphs,
        flags=("--num-features", "3", "--num-classes", "2", "--hidden-size", "8", "--batch-size", "4"),
        data="data/graphs.jsonl",
    ),
    "reinforcement-learning/reinforce": DataFiles(
        no_files, flags=("--updates", "2", "--batch-size", "4", "--max-steps", "5", "--hidden-size", "8")
    ),
    "reinforcement-learning/ppo": DataFiles(
        no_files, flags=("--rollouts", "1", "--passes", "1", "--num-envs", "4", "--max-steps", "10")
    ),
}
