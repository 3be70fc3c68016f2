"""The system call filter: what generated code has no business with, the kernel answers with an error.

A deny list over a default of "allow", since torch, OpenMP and numpy differ too much between versions for the reverse.
It covers what Landlock does not (sockets of every kind, processes, `chmod` and its like) and what the kernel has been
broken through before. Built as classic BPF, unprivileged.
"""

import ctypes
import errno
import os
import struct
from collections.abc import Iterator

from dlcodegen.execution.sandbox.kernel import PR_SET_NO_NEW_PRIVS, control_process, system_call
from dlcodegen.execution.sandbox.syscalls import AUDIT_ARCH, LAST_KNOWN, numbers, this_machine

_FORBIDDEN = """
    ptrace process_vm_readv process_vm_writev pidfd_open pidfd_getfd pidfd_send_signal kcmp process_madvise
    process_mrelease tkill rt_sigqueueinfo rt_tgsigqueueinfo fork vfork execve execveat
    socket connect bind listen accept accept4
    io_uring_setup io_uring_enter io_uring_register bpf perf_event_open userfaultfd keyctl add_key request_key
    mount umount2 mount_setattr open_tree open_tree_attr move_mount fsopen fsconfig fsmount fspick statmount listmount
    unshare setns chroot pivot_root open_by_handle_at name_to_handle_at
    kexec_load kexec_file_load init_module finit_module delete_module reboot swapon swapoff quotactl quotactl_fd acct
    personality iopl ioperm modify_ldt syslog clock_settime clock_adjtime settimeofday adjtimex sethostname
    setdomainname vhangup uselib lookup_dcookie sysfs ustat fanotify_init inotify_init inotify_init1
    shmget shmat shmctl shmdt semget semop semctl semtimedop msgget msgsnd msgrcv msgctl
    mq_open mq_unlink mq_timedsend mq_timedreceive mq_notify mq_getsetattr
    mknod mknodat move_pages migrate_pages sched_setscheduler sched_setparam sched_setattr sched_setaffinity
    setpriority ioprio_set
"""
# Their flags lie behind a pointer, where a filter cannot look; who meets this answer falls back to the older call.
_UNKNOWN = "clone3 openat2 memfd_create memfd_secret"
# Answered with success, done never: libraries that copy a file with its mode and times go on, and nothing changes.
_PRETENDED = """
    chmod fchmod fchmodat fchmodat2 chown fchown lchown fchownat utime utimes futimesat utimensat file_setattr
    setxattr lsetxattr fsetxattr setxattrat removexattr lremovexattr fremovexattr removexattrat
"""
_CLONE_THREAD = 0x10000
_AF_UNIX = 1
_SOCK_STREAM, _KIND_OF_SOCKET = 1, 0xF
_SHARED_ANONYMOUS = 0x21  # MAP_SHARED and MAP_ANONYMOUS
# Of terminals and pipes: is it one, how wide, how much lies in it, do not wait, close on exec. Others reach devices,
# file systems (`chattr`) and, through a pair of sockets, the network's settings.
_HARMLESS_IOCTLS = (0x5401, 0x802C542A, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)
# F_SETOWN, F_SETSIG, F_SETOWN_EX: signals to anybody. F_SETLEASE: who opens the file has to wait. F_NOTIFY.
_OF_OTHERS = (8, 10, 15, 1024, 1026)
# PR_SET_PDEATHSIG, _DUMPABLE (the supervisor looks into the process), _MM, _CHILD_SUBREAPER, _PTRACER
_OF_PROCESS = (1, 4, 35, 36, 0x59616D61)
_SET_MODE_FILTER = 1

_LOAD, _AND, _EQUAL, _ABOVE, _ANY_BIT, _RETURN = 0x20, 0x54, 0x15, 0x25, 0x45, 0x06  # BPF instructions
_ALLOW, _KILL, _ERROR = 0x7FFF0000, 0x80000000, 0x00050000
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16  # offsets into what the kernel shows a filter

_Instruction = tuple[int, int, int, int]
_DENY: _Instruction = (_RETURN, 0, 0, _ERROR | errno.EPERM)


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def install(guard_truncation: bool) -> None:
    """Filter every later system call of this thread and its future threads, for ever.

    `guard_truncation`: forbid to shorten files by opening them for reading, which Landlock before ABI 3 lets pass.
    Raises OSError when the kernel refuses, or the machine is unknown.
    """
    program = b"".join(struct.pack("=HBBI", *instruction) for instruction in _program(os.getpid(), guard_truncation))
    control_process(PR_SET_NO_NEW_PRIVS, 1)
    filled = _Program(len(program) // 8, program)
    system_call("seccomp", _SET_MODE_FILTER, 0, ctypes.byref(filled))


def _program(own_process: int, guard_truncation: bool) -> Iterator[_Instruction]:
    machine = this_machine()
    number = numbers(machine)
    yield (_LOAD, 0, 0, _ARCHITECTURE)
    yield (_EQUAL, 1, 0, AUDIT_ARCH[machine])
    yield (_RETURN, 0, 0, _KILL)  # 32-bit calls have other numbers
    yield (_LOAD, 0, 0, _NUMBER)
    yield (_ABOVE, 0, 1, LAST_KNOWN)  # the x32 calls, too: their numbers begin at 2**30
    yield (_RETURN, 0, 0, _ERROR | errno.ENOSYS)
    for names, answer in ((_FORBIDDEN, errno.EPERM), (_UNKNOWN, errno.ENOSYS), (_PRETENDED, 0)):
        for name in names.split():
            if name in number:
                yield (_EQUAL, 0, 1, number[name])
                yield (_RETURN, 0, 0, _ERROR | answer)
    for name, block in _by_argument(own_process, guard_truncation).items():
        if name in number:
            yield (_EQUAL, 0, len(block), number[name])
            yield from block
    yield (_RETURN, 0, 0, _ALLOW)


def _by_argument(own_process: int, guard_truncation: bool) -> dict[str, list[_Instruction]]:
    """System call -> instructions that look at an argument and always answer."""
    blocks = {
        "clone": _unless((_ANY_BIT, _CLONE_THREAD), argument=0),  # threads, no processes
        "kill": _unless((_EQUAL, own_process), argument=0),
        "tgkill": _unless((_EQUAL, own_process), argument=0),
        "prlimit64": _unless((_EQUAL, 0), argument=0),  # 0: itself
        # A pair of datagram sockets could send to any address: sendto() goes before the peer.
        "socketpair": [
            _load(0),
            (_EQUAL, 1, 0, _AF_UNIX),
            _DENY,
            _load(1),
            (_AND, 0, 0, _KIND_OF_SOCKET),
            (_EQUAL, 1, 0, _SOCK_STREAM),
            _DENY,
            (_RETURN, 0, 0, _ALLOW),
        ],
        # What no process maps any more still takes memory, and no count of any process shows it.
        "mmap": [
            _load(3),
            (_AND, 0, 0, _SHARED_ANONYMOUS),
            (_EQUAL, 0, 1, _SHARED_ANONYMOUS),
            _DENY,
            (_RETURN, 0, 0, _ALLOW),
        ],
        "ioctl": [*_if_one_of(_HARMLESS_IOCTLS, argument=1)[:-2], _DENY, (_RETURN, 0, 0, _ALLOW)],
        "fcntl": _if_one_of(_OF_OTHERS, argument=1),
        "prctl": _if_one_of(_OF_PROCESS, argument=0),
    }
    if guard_truncation:
        blocks["truncate"] = [_DENY]
        blocks["creat"] = [_DENY]
        blocks["open"] = _unless_truncating(argument=1)
        blocks["openat"] = _unless_truncating(argument=2)
    return blocks


def _unless(test: tuple[int, int], argument: int) -> list[_Instruction]:
    code, value = test
    return [_load(argument), (code, 1, 0, value), _DENY, (_RETURN, 0, 0, _ALLOW)]


def _if_one_of(values: tuple[int, ...], argument: int) -> list[_Instruction]:
    tests = [(_EQUAL, len(values) - index, 0, value) for index, value in enumerate(values)]
    return [_load(argument), *tests, (_RETURN, 0, 0, _ALLOW), _DENY]


def _unless_truncating(argument: int) -> list[_Instruction]:
    """Truncating is for who may write: opened for reading alone it is refused."""
    return [
        _load(argument),
        (_ANY_BIT, 0, 2, os.O_TRUNC),
        (_ANY_BIT, 1, 0, os.O_WRONLY | os.O_RDWR),
        _DENY,
        (_RETURN, 0, 0, _ALLOW),
    ]


def _load(argument: int) -> _Instruction:
    """The lower half of an argument; all that is looked at here are ints and flags."""
    return (_LOAD, 0, 0, _ARGUMENTS + 8 * argument)
