"""Removes a folder that somebody else filled: however deep, and whatever its modes."""

import errno
import itertools
import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path


def remove(folder: str) -> None:
    """Remove `folder` and all in it, unless somebody else does; follows no link. Raises OSError when that is refused.

    A tree may be deeper than Python recurses, than a path may be long and than files can be open at once: folders are
    moved up to the top instead of being entered.
    """
    with suppress(FileNotFoundError):
        top = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            names = (f".{number}" for number in itertools.count())
            while folders := _empty(top):
                for name in folders:
                    with suppress(FileNotFoundError):
                        _flatten(name, top, names)
        finally:
            os.close(top)
        Path(folder).rmdir()


def _flatten(name: str, top: int, names: Iterator[str]) -> None:
    """Remove a folder of the top one; the folders in it move up."""
    _open_up(name, top)
    place = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=top)
    try:
        for inner in _empty(place):
            with suppress(FileNotFoundError):
                _open_up(inner, place)
                _move_up(inner, place, top, names)
    finally:
        os.close(place)
    os.rmdir(name, dir_fd=top)


def _empty(place: int) -> list[str]:
    """Remove all but the folders; their names."""
    with os.scandir(place) as entries:
        found = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries]
    for name, is_folder in found:
        if not is_folder:
            with suppress(FileNotFoundError):
                os.unlink(name, dir_fd=place)
    return [name for name, is_folder in found if is_folder]


def _open_up(name: str, place: int) -> None:
    if os.stat(name, dir_fd=place, follow_symlinks=False).st_mode & stat.S_IRWXU != stat.S_IRWXU:
        os.chmod(name, stat.S_IRWXU, dir_fd=place)


def _move_up(name: str, place: int, top: int, names: Iterator[str]) -> None:
    for free in names:
        try:
            os.rename(name, free, src_dir_fd=place, dst_dir_fd=top)
        except OSError as error:
            if error.errno not in (errno.EEXIST, errno.ENOTEMPTY):  # somebody called a folder so
                raise
        else:
            return
