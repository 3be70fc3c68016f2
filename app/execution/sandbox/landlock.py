"""Landlock: from a call on, this process reaches the named files only, and never gets back out.

Unprivileged, from Linux 5.13. Files, TCP ports, abstract sockets and signals; not UDP, path names of sockets, `chmod`,
`stat` and the like, for which there is the system call filter (`seccomp.py`).
"""

import ctypes
import os
from collections.abc import Iterable

from dlcodegen.execution.sandbox.kernel import PR_SET_NO_NEW_PRIVS, control_process, system_call

READ_FILE, READ_FOLDER = 1 << 2, 1 << 3
_WRITE_FILE, _REMOVE_DIR, _REMOVE_FILE, _MAKE_DIR, _MAKE_REG = 1 << 1, 1 << 4, 1 << 5, 1 << 7, 1 << 8
_REFER, _TRUNCATE, _IOCTL_DEV = 1 << 13, 1 << 14, 1 << 15
_READ = READ_FILE | READ_FOLDER
# No EXECUTE, and no devices, pipes, sockets or links: a folder of plain files.
_WRITE = _WRITE_FILE | _REMOVE_DIR | _REMOVE_FILE | _MAKE_DIR | _MAKE_REG | _REFER | _TRUNCATE
_OF_FILES = READ_FILE | _WRITE_FILE | _TRUNCATE | _IOCTL_DEV  # what a rule about no folder may speak of
_TCP, _SCOPES = 0b11, 0b11  # bind and connect; abstract sockets and signals
_VERSION, _PATH_BENEATH = 1, 1


class _Ruleset(ctypes.Structure):
    _fields_ = (("files", ctypes.c_uint64), ("net", ctypes.c_uint64), ("scoped", ctypes.c_uint64))


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32))


def version() -> int:
    """The kernel's Landlock ABI, from 1. Raises OSError when it has none, or has it switched off."""
    return system_call("landlock_create_ruleset", None, 0, _VERSION)


def restrict(readable: Iterable[str], writable: Iterable[str], devices: Iterable[str]) -> None:
    """Leave this process the files below these paths: to read; to read, write, make and delete; to use.

    Paths that do not exist are left out. Raises OSError when the kernel refuses.
    """
    abi = version()
    handled = _files_known_to(abi)
    ruleset = _Ruleset(handled, _TCP if abi >= 4 else 0, _SCOPES if abi >= 6 else 0)
    size = 8 if abi < 4 else 16 if abi < 6 else 24
    rules = system_call("landlock_create_ruleset", ctypes.byref(ruleset), size, 0)
    try:
        for paths, rights in (
            (readable, _READ),
            (writable, _READ | _WRITE),
            (devices, READ_FILE | _WRITE_FILE | _IOCTL_DEV),
        ):
            for path in paths:
                _allow(rules, path, rights & handled)
        control_process(PR_SET_NO_NEW_PRIVS, 1)
        system_call("landlock_restrict_self", rules, 0)
    finally:
        os.close(rules)


def _files_known_to(abi: int) -> int:
    """Every right over files that this version can take away."""
    return (
        (1 << 13) - 1 | (_REFER if abi >= 2 else 0) | (_TRUNCATE if abi >= 3 else 0) | (_IOCTL_DEV if abi >= 5 else 0)
    )


def _allow(rules: int, path: str, rights: int) -> None:
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:  # not there, or out of reach: then there is nothing to allow
        return
    try:
        allowed = rights if os.path.isdir(path) else rights & _OF_FILES  # noqa: PTH112 - paths are texts down here
        rule = _PathBeneath(allowed, place)
        system_call("landlock_add_rule", rules, _PATH_BENEATH, ctypes.byref(rule), 0)
    finally:
        os.close(place)
