"""Attacks on the machine's resources. What the kernel or the supervisor holds by a limit ends early; nothing is large."""

from tests.execution.attacks import MIB, NAIVE, Attack, Limits

THREADS = """
import threading, time
stop = threading.Event()

def many():
    try:
        for _ in range(400):
            threading.Thread(target=stop.wait, daemon=True).start()
    except RuntimeError:
        raise OSError(errno.EAGAIN, "no more") from None
    time.sleep(1)  # so that they are seen

attempt(threads=many)
stop.set()
"""

MEMORY = """
import time
kept = []

def fill():
    for _ in range(64):
        kept.append(b"x" * (16 << 20))
    time.sleep(1)

attempt(private=fill)
"""

SHARED_MEMORY = """
import time
SIZE = 1 << 30
block = b"x" * (1 << 20)

def write_all(descriptor):
    try:
        for _ in range(SIZE // len(block)):
            os.write(descriptor, block)
        time.sleep(1)
    finally:
        os.close(descriptor)

def in_memory():
    write_all(syscall("memfd_create", b"x", 0))

def in_folder():
    path = f"/dev/shm/{TARGET['name']}"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT)
    os.unlink(path)
    write_all(descriptor)

attempt(in_memory=in_memory, in_folder=in_folder, secret=lambda: os.ftruncate(syscall("memfd_secret", 0), SIZE))
"""

ANONYMOUS_MEMORY = """
import mmap, time
SIZE, block = 1 << 30, b"x" * (1 << 20)

def fill(descriptor, forget):
    shared = mmap.mmap(descriptor, SIZE)
    while shared.tell() < SIZE:
        shared.write(block)
        if forget:  # the pages stay, but no longer count as used by this process
            shared.madvise(mmap.MADV_DONTNEED)
    time.sleep(1)

attempt(%s)
"""

LARGE_FILE = """
import signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
SIZE = 20 << 20

def file():
    return os.open("large", os.O_RDWR | os.O_CREAT | os.O_TRUNC)

def write():
    descriptor, done = file(), 0
    while done < SIZE:
        done += os.write(descriptor, b"x" * (1 << 20))

def beyond():
    os.pwrite(file(), b"x", 10 << 30)

attempt(
    write=write,
    beyond=beyond,
    truncate=lambda: os.truncate(file(), 10 << 30),
    allocate=lambda: os.posix_fallocate(file(), 0, SIZE),
)
"""

DISK = """
import time

def fill():
    for number in range(16):
        with open(str(number), "wb") as file:
            file.write(b"x" * (4 << 20))
    time.sleep(1)

def hide():
    for _ in range(45):  # a path longer than the kernel takes: it can be gone, and not be named
        os.mkdir("d" * 100)
        os.chdir("d" * 100)
    fill()

attempt(files=%s)
"""

DELETED_FILES = """
import mmap, time
kept = []

def fill(open_one):
    for number in range(16):
        kept.append(open_one(str(number)))
        os.write(kept[-1], b"x" * (4 << 20))
    time.sleep(1)

def deleted(name):
    descriptor = os.open(name, os.O_WRONLY | os.O_CREAT)
    os.unlink(name)
    return descriptor

def unnamed(name):
    return os.open(".", os.O_WRONLY | os.O_TMPFILE)

def fill_mapped():
    for number in range(16):
        with open(str(number), "w+b") as file:
            file.truncate(4 << 20)
            kept.append(mmap.mmap(file.fileno(), 4 << 20))
        os.unlink(str(number))
        kept[-1].write(b"x" * (4 << 20))
    time.sleep(1)

attempt(%s)
"""

MANY = """
import time

def many(make):
    for number in range(12_000):
        make(f"{number}")
    time.sleep(1)

attempt(many=lambda: many(%s))
"""

FLOOD = """
import time

def flood():
    for _ in range(50):
        os.write(%d, b"x" * (1 << 20) + b"\\n")
        time.sleep(0.01)  # or all of it would come between two looks

attempt(flood=flood)
"""

IGNORE_SIGNALS = """
import signal, threading, time
for number in range(1, 65):
    try:
        signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError):
        pass
"""

LOOP = IGNORE_SIGNALS + "while True:\n    pass\n"

SPIN = (
    IGNORE_SIGNALS
    + """
def spin():
    while True:
        sum(range(1000))

for _ in range(8):
    threading.Thread(target=spin).start()
"""
)

STOP = """
import signal, time
os.kill(os.getpid(), signal.SIGSTOP)
time.sleep(60)
"""

STUBBORN_END = """
import atexit, threading, time

class Stubborn:
    def __del__(self):
        time.sleep(60)

stubborn = Stubborn()
atexit.register(time.sleep, 60)
threading.Thread(target=time.sleep, args=[60]).start()
"""

LIMITS = """
import resource
victim, group = TARGET["victim"], TARGET["victim_group"]
KINDS = ("CPU", "FSIZE", "DATA", "CORE", "NOFILE", "MEMLOCK", "MSGQUEUE", "RTPRIO", "NICE")

def more(kind):
    number = getattr(resource, "RLIMIT_" + kind)
    hard = resource.getrlimit(number)[1]
    if hard == resource.RLIM_INFINITY:
        raise OSError(errno.EINVAL, "there is no limit")
    syscall("prlimit64", 0, number, (ctypes.c_uint64 * 2)(hard + 1, hard + 1), None)

def of_victim(new):
    syscall("prlimit64", victim, resource.RLIMIT_NOFILE, new, (ctypes.c_uint64 * 2)())

def score(process, value):
    with open(f"/proc/{process}/oom_score_adj", "w") as file:
        file.write(value)

parameters, cores = (ctypes.c_int * 1)(0), (ctypes.c_ulong * 16)(1)
attempt(
    **{f"more {kind}": lambda kind=kind: more(kind) for kind in KINDS},
    nice=lambda: os.setpriority(os.PRIO_PROCESS, 0, -20),
    real_time=lambda: syscall("sched_setscheduler", 0, 1, (ctypes.c_int * 1)(50)),
    real_time_io=lambda: syscall("ioprio_set", 1, 0, 1 << 13),
    not_to_be_killed=lambda: score("self", "-1000"),
    limits_of_victim=lambda: of_victim(None),
)
attempt(
    limit_victim=lambda: of_victim((ctypes.c_uint64 * 2)(64, 64)),
    slow_victim=lambda: os.setpriority(os.PRIO_PROCESS, victim, 5),
    slow_group=lambda: os.setpriority(os.PRIO_PGRP, group, 6),
    slow_io=lambda: syscall("ioprio_set", 1, victim, 3 << 13),
    slow_io_of_group=lambda: syscall("ioprio_set", 2, group, 3 << 13),
    pin_victim=lambda: syscall("sched_setaffinity", victim, 8, cores),
    idle_victim=lambda: syscall("sched_setscheduler", victim, 5, parameters),
    victim_first_to_be_killed=lambda: score(victim, "1000"),
)
"""

SMALL = Limits(wall=10, memory=512 * MIB, file_size=8 * MIB, disk=16 * MIB, processes=64)
SHORT = Limits(wall=1)
ENDLESS = "it has no end"

ATTACKS = (
    Attack(9, "start hundreds of threads", THREADS, control=NAIVE, ends=("exit", "processes"), limits=SMALL),
    Attack(10, "fill the memory", MEMORY, control=NAIVE, ends=("exit", "memory"), limits=SMALL),
    Attack(11, "fill files that lie in memory", SHARED_MEMORY, control=NAIVE, ends=("exit", "memory"), limits=SMALL),
    *(
        Attack(11, f"fill {title}", ANONYMOUS_MEMORY % how, control=NAIVE, ends=("exit", "memory"), limits=SMALL)
        for title, how in (
            ("shared memory", "shared=lambda: fill(-1, False)"),
            ("shared memory and forget it", "forgotten=lambda: fill(-1, True)"),
            ("zeros and forget them", 'zeros=lambda: fill(os.open("/dev/zero", os.O_RDWR), True)'),
        )
    ),
    Attack(12, "write a file too large", LARGE_FILE, control=NAIVE, limits=SMALL),
    Attack(13, "fill the disk", DISK % "fill", control=NAIVE, ends=("exit", "disk"), limits=SMALL),
    Attack(13, "fill the disk out of sight", DISK % "hide", control=NAIVE, ends=("exit", "disk"), limits=SMALL),
    Attack(14, "make thousands of files", MANY % "os.mknod", control=NAIVE, ends=("exit", "disk"), limits=SMALL),
    Attack(14, "make thousands of folders", MANY % "os.mkdir", control=NAIVE, ends=("exit", "disk"), limits=SMALL),
    Attack(22, "flood the output", FLOOD % 1, control=NAIVE, ends=("output",)),
    Attack(22, "flood the errors", FLOOD % 2, control=NAIVE, ends=("output",)),
    Attack(23, "never end, deaf to signals", LOOP, control=ENDLESS, ends=("timeout",), limits=SHORT),
    Attack(24, "keep every core busy", SPIN, control=ENDLESS, ends=("timeout", "SIGKILL"), limits=SHORT),
    Attack(25, "stop and never go on", STOP, control=ENDLESS, ends=("timeout",), limits=SHORT),
    Attack(30, "lift limits, and set those of others", LIMITS),
    *(
        Attack(
            50,
            f"fill the disk with {title} files",
            DELETED_FILES % how,
            control=NAIVE,
            ends=("exit", "disk"),
            limits=SMALL,
        )
        for title, how in (
            ("deleted", "deleted=lambda: fill(deleted)"),
            ("nameless", "unnamed=lambda: fill(unnamed)"),
            ("mapped", "mapped=fill_mapped"),
        )
    ),
    Attack(51, "end and go on", STUBBORN_END, control=ENDLESS, ends=("timeout", "exit"), limits=SHORT),
)
