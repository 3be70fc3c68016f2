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
_BEGINNING = '{"key": "'
"""Of every row, as it is written."""


class Journal:
    """One file of rows; each row has a `key` that names what was measured.

    A row that was cut off by an interruption, or that says why it is `absent`, is dropped and measured again. Raises
    InputError when the file is none of ours, or cannot be read or written.
    """

    def __init__(self, path: Path, fresh: bool = False) -> None:
        self._path = path
        self.rows: list[Row] = [] if fresh else [row for row in read_journal(path) if "absent" not in row]
        partial = path.with_name(f"{path.name}.part")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            partial.write_text("".join(f"{json.dumps(row)}\n" for row in self.rows), encoding="utf-8")
            partial.replace(path)
        except OSError as error:
            raise InputError(f"cannot write {path}: {error.strerror}; name another file with --out") from error

    def __contains__(self, key: str) -> bool:
        return any(row["key"] == key for row in self.rows)

    def add(self, key: str, row: Row) -> None:
        """Write a row, with what was measured and how: beside what is known here, what the row says of it in `made`."""
        whole = {"key": key, **row, "made": conditions() | row.get("made", {})}
        self.rows.append(whole)
        try:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(whole) + "\n")
        except OSError as error:
            raise InputError(f"cannot write {self._path}: {error.strerror}; name another file with --out") from error


def read_journal(path: Path) -> list[Row]:
    """Its rows, less one that was cut off; none when there is no such file. The file stays as it is.

    Raises InputError when it is no journal.
    """
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except FileNotFoundError:
        return []
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}; name another file with --out") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is no UTF-8 text: name another file with --out") from error
    return list(_rows(path, lines))


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


def _rows(path: Path, lines: list[str]) -> Iterator[Row]:
    last = max((number for number, line in enumerate(lines, 1) if line.strip()), default=0)
    for number, line in enumerate(lines[:last], 1):
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            if number == last and _is_cut_off(line):
                return
            raise InputError(f"{path}, line {number} is no JSON: name another file with --out") from error
        if not isinstance(row, dict) or not isinstance(row.get("key"), str):
            raise InputError(f"{path}, line {number} is no result of a benchmark: name another file with --out")
        yield row


def _is_cut_off(line: str) -> bool:
    """It begins as every row does, so it was being written; anything else is a file of somebody else."""
    return line.startswith(_BEGINNING[: len(line)])
