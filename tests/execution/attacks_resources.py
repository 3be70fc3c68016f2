"""Attacks on time, threads, output and limits."""

from dlcodegen.execution.sandbox.limits import Limits
from tests.execution.attacks import NAIVE, Attack

THREADS = """
import threading, time
stop = threading.Event()

def many():
    try:
        for _ in range(400):
            threading.Thread(target=stop.wait, daemon=True).start()
    except RuntimeError:
        raise OSError(errno.EAGAIN, "no more") from None
    time.sleep(0.5)  # so that they are seen

attempt(threads=many)
stop.set()
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

SHORT = Limits(wall=1)
ENDLESS = "it has no end"

ATTACKS = (
    Attack(9, "start hundreds of threads", THREADS, control=NAIVE, ends=("exit", "processes"), limits=Limits(wall=10)),
    Attack(22, "flood the output", FLOOD % 1, control=NAIVE, ends=("output",)),
    Attack(22, "flood the errors", FLOOD % 2, control=NAIVE, ends=("output",)),
    Attack(23, "never end, deaf to signals", LOOP, control=ENDLESS, ends=("timeout",), limits=SHORT),
    Attack(24, "keep every core busy", SPIN, control=ENDLESS, ends=("timeout", "SIGKILL"), limits=SHORT),
    Attack(25, "stop and never go on", STOP, control=ENDLESS, ends=("timeout",), limits=SHORT),
    Attack(30, "lift limits, and set those of others", LIMITS),
    Attack(51, "end and go on", STUBBORN_END, control=ENDLESS, ends=("timeout", "exit"), limits=SHORT),
)
