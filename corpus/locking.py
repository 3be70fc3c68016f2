"""One process at a time in a folder."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Wait (two minutes at most) until no other process works here: Chroma cannot create its tables twice at once.

    SQLite's own lock serves, on every system, and it is freed when a process dies. Raises OSError where the folder
    cannot be written.
    """
    try:
        lock = sqlite3.connect(folder / "opening.lock", timeout=120, isolation_level=None)
    except sqlite3.OperationalError as error:
        raise PermissionError(f"{folder} cannot be written: {error}") from error
    try:
        lock.execute("BEGIN EXCLUSIVE")
    except sqlite3.DatabaseError as error:
        lock.close()
        raise OSError(f"{folder} cannot be locked: {error}") from error
    try:
        yield
    finally:
        lock.close()
