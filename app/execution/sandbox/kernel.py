"""Calls into the Linux kernel that Python has no function for; standard library only."""

import ctypes
import os
from functools import cache

from dlcodegen.execution.sandbox.syscalls import numbers, this_machine

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_CAPBSET_DROP = 1, 4, 24
PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS, PR_CAP_AMBIENT = 36, 38, 47
_PR_CAP_AMBIENT_CLEAR_ALL = 4
_CAPABILITY_VERSION = 0x20080522


def system_call(name: str, *arguments: object) -> int:
    """Make a system call by its name; what it returns. Raises OSError when it fails, or is not known here."""
    number = numbers(this_machine())[name]
    return _checked(name, _libc().syscall(ctypes.c_long(number), *map(_word, arguments)))


def library_call(name: str, *arguments: object) -> int:
    """Call a function of the C library; what it returns. Raises OSError when it fails, or does not exist here."""
    function = getattr(_libc(), name, None)
    if function is None:
        raise OSError(f"this system has no {name}()")
    return _checked(name, function(*arguments))


def control_process(option: int, value: int) -> None:
    """prctl(2). Raises OSError when it is refused, or when the system is not Linux."""
    library_call("prctl", option, ctypes.c_ulong(value), 0, 0, 0)


def bound_capabilities() -> None:
    """None that this process drops or never had comes back by starting a program. Only who has rights can do it."""
    for capability in range(64):
        try:
            control_process(PR_CAPBSET_DROP, capability)
        except OSError:  # the kernel has no more of them, or we may not: then we have none to bring back
            return


def drop_capabilities() -> None:
    """All of them, for ever. Raises OSError."""
    bound_capabilities()
    control_process(PR_SET_NO_NEW_PRIVS, 1)
    library_call("prctl", PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION, 0)
    system_call("capset", ctypes.byref(header), ctypes.byref((ctypes.c_uint32 * 6)()))


@cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _word(argument: object) -> object:
    """A system call's arguments are machine words; ctypes would pass an int as half of one."""
    return ctypes.c_long(argument) if isinstance(argument, int) else argument


def _checked(name: str, answer: int) -> int:
    if answer < 0:
        raise OSError(ctypes.get_errno(), f"{name}: {os.strerror(ctypes.get_errno())}")
    return answer
