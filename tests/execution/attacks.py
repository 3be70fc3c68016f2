"""The red team: what an attack is, and what every attack script begins with.

An attack is a script that tries one forbidden thing by several ways and prints one line a way:

    held: WAY: ERRNO     the kernel refused it
    escaped: WAY         it was done (or the call got as far as the kernel's own checks of its arguments)
    claimed: WAY         the call answered "done"; only a look from outside tells whether it was

Scripts aim at decoys (`decoys.py`) whose names they get as JSON in their first argument. Nothing they do is harmful
where nothing stops it; what would be has no control.
"""

import platform
from dataclasses import dataclass, field

from dlcodegen.execution.sandbox.limits import Limits

UNSANDBOXED = "unsandboxed"
"""Control: the same run without the kernel's layers."""
NAIVE = "naive"
"""Control: `subprocess.run` and a look at the exit code, for what our supervisor alone holds."""

ANYWHERE = ("full", "base", "namespaces")
"""Every tier of ours, for what no tier holds."""


@dataclass(frozen=True)
class Attack:
    """One property: what it tries, how it may end, and where it must succeed."""

    number: int
    title: str
    script: str
    control: str = UNSANDBOXED
    """`UNSANDBOXED`, `NAIVE`, or why there is none."""
    ends: tuple[str, ...] = ("exit",)
    """How a run that held may end: `exit`, a limit (`timeout`, `memory`, ...) or the name of a signal."""
    needs: str = ""
    """Without which nothing could succeed: `root`, or `packages` that this user may change."""
    green: bool = False
    """It tries to look as if the script had run to its end."""
    escapes: tuple[str, ...] = ()
    """Tiers that do not hold it, which SECURITY.md says too."""
    limits: Limits = field(default_factory=lambda: Limits(wall=10))
    artefacts: tuple[str, ...] = ()
    afterwards: str = ""
    """A second script, run after the first in the same way: it looks for what the first one left."""

    @property
    def hurts(self) -> bool:
        """Whether nothing may run it unsandboxed."""
        return self.control not in (UNSANDBOXED, NAIVE)


def names(calls: str) -> dict[str, int]:
    return {name: int(number) for name, number in (call.split("=") for call in calls.split())}


# Calls that are younger than the unification of the tables have one number everywhere.
_EVERYWHERE = names("""
    pidfd_send_signal=424 io_uring_setup=425 open_tree=428 move_mount=429 fsopen=430 fspick=433 pidfd_open=434
    clone3=435 openat2=437 pidfd_getfd=438 process_madvise=440 mount_setattr=442 quotactl_fd=443 memfd_secret=447
    process_mrelease=448 fchmodat2=452 setxattrat=463 removexattrat=466 open_tree_attr=467 file_setattr=469
""")
_CALLS = {
    "x86_64": names("""
        open=2 shmget=29 socket=41 clone=56 fork=57 vfork=58 execve=59 kill=62 semget=64 msgget=68 truncate=76 creat=85
        chmod=90 fchmod=91 chown=92 fchown=93 lchown=94 ptrace=101 syslog=103 capset=126 rt_sigqueueinfo=129 utime=132
        mknod=133 personality=135 setpriority=141 sched_setscheduler=144 vhangup=153 modify_ldt=154 pivot_root=155
        adjtimex=159 chroot=161 acct=163 settimeofday=164 mount=165 umount2=166 swapon=167 swapoff=168 reboot=169
        sethostname=170 iopl=172 ioperm=173 init_module=175 delete_module=176 quotactl=179 setxattr=188 lsetxattr=189
        fsetxattr=190 removexattr=197 tkill=200 sched_setaffinity=203 lookup_dcookie=212 clock_settime=227 tgkill=234
        utimes=235 mq_open=240 kexec_load=246 add_key=248 request_key=249 keyctl=250 ioprio_set=251 migrate_pages=256
        openat=257 mknodat=259 fchownat=260 futimesat=261 fchmodat=268 unshare=272 move_pages=279 utimensat=280
        rt_tgsigqueueinfo=297 perf_event_open=298 fanotify_init=300 prlimit64=302 name_to_handle_at=303
        open_by_handle_at=304 clock_adjtime=305 setns=308 process_vm_readv=310 process_vm_writev=311 kcmp=312
        finit_module=313 sched_setattr=314 memfd_create=319 bpf=321 execveat=322 userfaultfd=323 statx=332
    """),
    "aarch64": names("""
        setxattr=5 lsetxattr=6 fsetxattr=7 removexattr=14 lookup_dcookie=18 ioprio_set=30 mknodat=33 umount2=39
        mount=40 pivot_root=41 truncate=45 chroot=51 fchmod=52 fchmodat=53 fchownat=54 fchown=55 openat=56 vhangup=58
        quotactl=60 utimensat=88 acct=89 capset=91 personality=92 unshare=97 kexec_load=104 init_module=105
        delete_module=106 clock_settime=112 syslog=116 ptrace=117 sched_setscheduler=119 sched_setaffinity=122
        kill=129 tkill=130 tgkill=131 rt_sigqueueinfo=138 setpriority=140 reboot=142 sethostname=161 settimeofday=170
        adjtimex=171 mq_open=180 msgget=186 semget=190 shmget=194 socket=198 add_key=217 request_key=218 keyctl=219
        clone=220 execve=221 swapon=224 swapoff=225 migrate_pages=238 move_pages=239 rt_tgsigqueueinfo=240
        perf_event_open=241 prlimit64=261 fanotify_init=262 name_to_handle_at=264 open_by_handle_at=265
        clock_adjtime=266 setns=268 process_vm_readv=270 process_vm_writev=271 kcmp=272 finit_module=273
        sched_setattr=274 memfd_create=279 bpf=280 execveat=281 userfaultfd=282 statx=291
    """),
}

PRELUDE = f"""
import ctypes, errno, json, os, sys
TARGET = json.loads(sys.argv[1])
NUMBERS = {_EVERYWHERE | _CALLS.get(platform.machine(), {})!r}
LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.prctl(15, TARGET["name"].encode(), 0, 0, 0)  # the test looks for processes of this name
HELD = [getattr(errno, name) for name in '''
    EPERM EACCES ENOENT ENOSYS ESRCH EAGAIN ENOMEM ENOSPC EFBIG EROFS EXDEV EAFNOSUPPORT EPROTONOSUPPORT ESOCKTNOSUPPORT
    ECONNREFUSED ENODEV ENXIO EOPNOTSUPP EMFILE ENOTDIR EUSERS ETXTBSY
'''.split()]


def called(answer):
    if answer == -1:
        raise OSError(ctypes.get_errno(), "refused")
    return answer


def syscall(name, *arguments):
    if name not in NUMBERS:
        raise OSError(errno.ENOSYS, "not on this machine")
    wide = [ctypes.c_long(value) if isinstance(value, int) else value for value in arguments]
    return called(LIBC.syscall(NUMBERS[name], *wide))


def verdict(act, done):
    try:
        act()
    except MemoryError:
        return "held", "MemoryError"
    except OSError as error:
        answer = errno.errorcode.get(error.errno, repr(error))
        return ("held", answer) if error.errno in HELD else ("escaped", f"answered {{answer}}")
    return done, ""


def attempt(done="escaped", **ways):
    for way, act in ways.items():
        word, why = verdict(act, done)
        print(word, way.replace("_", " "), why, sep=": ", flush=True)


def claim(**ways):
    attempt("claimed", **ways)
"""
