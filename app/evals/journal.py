"""A benchmark's results as JSON lines: each is on disk as soon as it is known, and none is measured twice."""

import datetime
import json
import os
import platform
import subprocess
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

from dlcodegen.errors import InputError

Row = dict[str, Any]


class Journal:
    """One file of rows; each row has a `key` that names what was measured.

    A row that was cut off by an interruption is dropped and measured again. Raises InputError when the file is none of
    ours.
    """

    def __init__(self, path: Path, fresh: bool = False) -> None:
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        if fresh:
            path.unlink(missing_ok=True)
        whole = list(_rows(path)) if path.exists() else []
        self.rows: list[Row] = whole
        path.write_text("".join(f"{json.dumps(row)}\n" for row in whole), encoding="utf-8")

    def __contains__(self, key: str) -> bool:
        return any(row["key"] == key for row in self.rows)

    def add(self, key: str, row: Row) -> None:
        """Write a row, with what was measured and how."""
        whole = {"key": key, **row, "made": conditions()}
        self.rows.append(whole)
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(whole) + "\n")


def conditions() -> Row:
    """How a figure was made: date, commit, machine class, versions that matter."""
    return {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "commit": _commit(),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "python": platform.python_version(),
        "torch": metadata.version("torch"),
    }


def _commit() -> str:
    """Of the source tree, where there is one."""
    command = ["git", "-C", str(Path(__file__).parent), "rev-parse", "--short", "HEAD"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return f"release {metadata.version('dlcodegen')}"


def _rows(path: Path) -> Iterator[Row]:
    lines = path.read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines, 1):
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            if number == len(lines):  # the one that was being written
                return
            raise InputError(f"{path}, line {number} is no JSON: name another file with --out") from error
        if not isinstance(row, dict) or "key" not in row:
            raise InputError(f"{path}, line {number} is no result of a benchmark: name another file with --out")
        yield row
