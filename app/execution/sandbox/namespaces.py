"""Namespaces: a process table, a network, and a file tree of its own, where the kernel lets this user make them."""

import ctypes
import os
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from dlcodegen.execution.sandbox.kernel import PR_SET_DUMPABLE, control_process, library_call, system_call

_NEW_USER, _NEW_MOUNTS, _NEW_PIDS = 0x10000000, 0x00020000, 0x20000000
_NEW_NETWORK, _NEW_IPC, _NEW_UTS = 0x40000000, 0x08000000, 0x04000000
_MOUNT_BIND, _MOUNT_REC, _MOUNT_PRIVATE = 0x1000, 0x4000, 0x40000
_NO_SETUID, _NO_DEVICES, _NO_EXEC = 2, 4, 8
_DETACH = 2
_AT_RECURSIVE, _AT_EMPTY_PATH = 0x8000, 0x1000
_ATTR_READ_ONLY, _ATTR_NO_SETUID, _ATTR_NO_DEVICES = 1, 2, 4


class Tree(NamedTuple):
    """The files of the new root: everything else is not there."""

    mount_point: str
    """An empty folder to build it on."""
    readable: list[str]
    writable: str
    devices: list[str]


def unshare(as_root: bool) -> None:
    """Leave for namespaces of our own; the next child is pid 1 of the new process table.

    Root needs no user namespace, and is better off without: limits on processes do not bind its uid, so that it
    changes to another later. Anybody else keeps the ids and gains the right to do the rest. Raises OSError.
    """
    others = _NEW_MOUNTS | _NEW_PIDS | _NEW_NETWORK | _NEW_IPC | _NEW_UTS
    if as_root:
        library_call("unshare", others)
        return
    user, group = os.geteuid(), os.getegid()
    library_call("unshare", _NEW_USER | others)
    control_process(PR_SET_DUMPABLE, 1)  # or the files below would belong to root, as those of the fork server do
    Path("/proc/self/setgroups").write_text("deny", encoding="ascii")  # the kernel wants it before gid_map
    Path("/proc/self/uid_map").write_text(f"{user} {user} 1", encoding="ascii")
    Path("/proc/self/gid_map").write_text(f"{group} {group} 1", encoding="ascii")


def enter_private_root(tree: Tree) -> None:
    """Make a root of nothing but the tree's files and a /proc of the new process table. Raises OSError.

    To be called by pid 1 of that table.
    """
    _mount(None, "/", None, _MOUNT_REC | _MOUNT_PRIVATE)
    # Opened before the mount point hides what may lie around it.
    places = {path: os.open(path, os.O_PATH) for path in _existing([*tree.readable, *tree.devices, tree.writable])}
    root = tree.mount_point
    os.umask(0o022)
    _mount("tmpfs", root, "tmpfs", _NO_SETUID | _NO_DEVICES, "size=8m,nr_inodes=4096,mode=0755")
    for path in _outermost(tree.readable):
        if path in places:
            _bind(places[path], root + path, _ATTR_READ_ONLY | _ATTR_NO_SETUID | _ATTR_NO_DEVICES)
    for path in tree.devices:
        if path in places:
            _bind(places[path], root + path, _ATTR_NO_SETUID)
    for path, target in _links().items():
        os.symlink(target, root + path)  # noqa: PTH211
    _make_folder(f"{root}/dev/shm")
    _mount(
        "tmpfs", f"{root}/dev/shm", "tmpfs", _NO_SETUID | _NO_DEVICES | _NO_EXEC, "size=64m,nr_inodes=2000,mode=1777"
    )
    _bind(places[tree.writable], root + tree.writable, _ATTR_NO_SETUID | _ATTR_NO_DEVICES)
    _make_folder(f"{root}/proc")
    # Before the old root goes: without sight of one, a user namespace may mount no other.
    _mount("proc", f"{root}/proc", "proc", _NO_SETUID | _NO_DEVICES | _NO_EXEC)
    for place in places.values():
        os.close(place)
    os.chdir(root)
    system_call("pivot_root", b".", b".")
    system_call("umount2", b".", _DETACH)
    os.chdir("/")
    _set_attributes(os.open("/", os.O_PATH | os.O_CLOEXEC), _ATTR_READ_ONLY, recursive=False)


def _existing(paths: Iterable[str]) -> list[str]:
    return [path for path in dict.fromkeys(paths) if os.path.exists(path)]  # noqa: PTH110 - texts down here


def _outermost(paths: Iterable[str]) -> list[str]:
    """Without those that lie below another and come with it, without /proc, which is another one, and without links."""
    unique = sorted(path for path in set(paths) if not path.startswith("/proc/") and path not in _links())
    return [path for path in unique if not any(path.startswith(f"{other}/") for other in unique)]


def _bind(place: int, target: str, attributes: int) -> None:
    """Show what the descriptor stands for at `target` as well."""
    if stat.S_ISDIR(os.fstat(place).st_mode):
        _make_folder(target)
    else:
        _make_folder(os.path.dirname(target))  # noqa: PTH120
        os.close(os.open(target, os.O_CREAT | os.O_CLOEXEC, 0o644))
    _mount(f"/proc/self/fd/{place}", target, None, _MOUNT_BIND | _MOUNT_REC)
    _set_attributes(os.open(target, os.O_PATH | os.O_CLOEXEC), attributes, recursive=True)


def _set_attributes(place: int, attributes: int, recursive: bool) -> None:
    """Of the mount that the descriptor, which is closed, stands for."""
    request = (ctypes.c_uint64 * 4)(attributes, 0, 0, 0)  # set, clear, propagation, user namespace
    flags = _AT_EMPTY_PATH | (_AT_RECURSIVE if recursive else 0)
    try:
        system_call("mount_setattr", place, b"", flags, ctypes.byref(request), ctypes.sizeof(request))
    finally:
        os.close(place)


def _links() -> dict[str, str]:
    """Most systems have /lib as a link into /usr: where it leads."""
    return {path: os.readlink(path) for path in ("/bin", "/lib", "/lib64", "/lib32") if os.path.islink(path)}  # noqa: PTH114, PTH115


def _make_folder(path: str) -> None:
    os.makedirs(path, 0o755, exist_ok=True)  # noqa: PTH103


def _mount(source: str | None, target: str, kind: str | None, flags: int, options: str | None = None) -> None:
    texts = [text.encode() if text is not None else None for text in (source, target, kind, options)]
    library_call("mount", texts[0], texts[1], texts[2], ctypes.c_ulong(flags), texts[3])
