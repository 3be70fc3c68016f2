"""What all sources of a model's file share: how progress is told, whether it is the right file, room on the disk."""

import errno
import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

from dlcodegen.errors import InputError

Report = Callable[[str, int], None]
"""Takes what is going on, and how many bytes of the file are here."""
_BLOCK = 1 << 20


def digest_of(path: Path, start: int = 0, size: int | None = None) -> str:
    """SHA-256 of the file, or of a part of it."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        file.seek(start)
        left = size
        while block := file.read(_BLOCK if left is None else min(_BLOCK, left)):
            digest.update(block)
            left = None if left is None else left - len(block)
    return digest.hexdigest()


def need_space(folder: Path, size: int) -> None:
    """Raises InputError when so many bytes do not fit on the disk of this folder."""
    free = shutil.disk_usage(folder).free
    if free < size:
        raise InputError(f"{folder} has room for {_gigabytes(free)}, {_gigabytes(size)} are needed: {_MAKE_ROOM}")


def is_disk_full(error: BaseException | None) -> bool:
    """Whether that is behind it, however often it was wrapped."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            return True
        error = error.__cause__ or error.__context__
    return False


def disk_full(folder: Path) -> InputError:
    """The error to raise."""
    return InputError(f"the disk of {folder} is full: {_MAKE_ROOM}; what is there is kept, the same command goes on")


_MAKE_ROOM = "free some, or set DLCODEGEN_CACHE to a folder on another disk"


def _gigabytes(size: int) -> str:
    return f"{size / 1e9:.1f} GB"
