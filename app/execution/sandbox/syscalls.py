"""Numbers of the system calls that the sandbox makes or forbids, for the two machines it knows."""

import os
from typing import Literal

Machine = Literal["x86_64", "aarch64"]

AUDIT_ARCH: dict[Machine, int] = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
"""How the kernel calls these machines when it asks a filter."""

LAST_KNOWN = 469
"""Calls above it are newer than this table; they answer that they do not exist."""

_ON_X86_AND_ARM = """
    accept 43 202, accept4 288 242, acct 163 89, add_key 248 217, adjtimex 159 171, bind 49 200, bpf 321 280,
    clock_adjtime 305 266, clock_settime 227 112, clone 56 220, connect 42 203, delete_module 176 106, execve 59 221,
    execveat 322 281, fanotify_init 300 262, fchmod 91 52, fchmodat 268 53, fchown 93 55, fchownat 260 54,
    finit_module 313 273, fremovexattr 199 16, fsetxattr 190 7, init_module 175 105, inotify_init1 294 26, ioctl 16 29,
    kcmp 312 272, kexec_file_load 320 294, kexec_load 246 104, keyctl 250 219, kill 62 129, listen 50 201,
    lookup_dcookie 212 18, lremovexattr 198 15, lsetxattr 189 6, memfd_create 319 279, migrate_pages 256 238,
    mknodat 259 33, mount 165 40, move_pages 279 239, mq_getsetattr 245 185, mq_notify 244 184, mq_open 240 180,
    mq_timedreceive 243 183, mq_timedsend 242 182, mq_unlink 241 181, msgctl 71 187, msgget 68 186, msgrcv 70 188,
    msgsnd 69 189, name_to_handle_at 303 264, open_by_handle_at 304 265, openat 257 56, perf_event_open 298 241,
    personality 135 92, pivot_root 155 41, prctl 157 167, prlimit64 302 261, process_vm_readv 310 270,
    process_vm_writev 311 271, ptrace 101 117, quotactl 179 60, reboot 169 142, removexattr 197 14, request_key 249 218,
    rt_sigqueueinfo 129 138, rt_tgsigqueueinfo 297 240, sched_setaffinity 203 122, sched_setattr 314 274,
    sched_setparam 142 118, sched_setscheduler 144 119, seccomp 317 277, semctl 66 191, semget 64 190, semop 65 193,
    semtimedop 220 192, setdomainname 171 162, sethostname 170 161, setns 308 268, settimeofday 164 170,
    setxattr 188 5, shmat 30 196, shmctl 31 195, shmdt 67 197, shmget 29 194, socket 41 198, socketpair 53 199,
    swapoff 168 225, swapon 167 224, syslog 103 116, tgkill 234 131, tkill 200 130, truncate 76 45, umount2 166 39,
    unshare 272 97, userfaultfd 323 282, utimensat 280 88, vhangup 153 58, chroot 161 51, capset 126 91,
    setpriority 141 140, ioprio_set 251 30, mmap 9 222, fcntl 72 25
"""
_ON_X86 = """
    chmod 90, chown 92, creat 85, fork 57, futimesat 261, inotify_init 253, ioperm 173, iopl 172, lchown 94,
    mknod 133, modify_ldt 154, open 2, sysfs 139, uselib 134, ustat 136, utime 132, utimes 235, vfork 58
"""
_ON_BOTH = """
    clone3 435, fchmodat2 452, file_setattr 469, fsconfig 431, fsmount 432, fsopen 430, fspick 433,
    io_uring_enter 426, io_uring_register 427, io_uring_setup 425, landlock_add_rule 445, landlock_create_ruleset 444,
    landlock_restrict_self 446, listmount 458, memfd_secret 447, mount_setattr 442, move_mount 429, open_tree 428,
    open_tree_attr 467, openat2 437, pidfd_getfd 438, pidfd_open 434, pidfd_send_signal 424, process_madvise 440,
    process_mrelease 448, quotactl_fd 443, removexattrat 466, setxattrat 463, statmount 457
"""


def this_machine() -> Machine:
    """The machine this process runs on. Raises OSError for one that nobody has written the numbers down for."""
    machine = os.uname().machine
    if machine not in AUDIT_ARCH:
        raise OSError(f"the sandbox does not know {machine} machines")
    return machine


def numbers(machine: Machine) -> dict[str, int]:
    """System call -> its number; only those that the machine has."""
    column = {"x86_64": 1, "aarch64": 2}[machine]
    rows = [entry.split() for entry in _ON_X86_AND_ARM.split(",")]
    rows += [[name, number, number] for name, number in (entry.split() for entry in _ON_BOTH.split(","))]
    found = {row[0]: int(row[column]) for row in rows}
    if machine == "x86_64":
        found |= {name: int(number) for name, number in (entry.split() for entry in _ON_X86.split(","))}
    return found
