"""How many threads a model is run with."""

import os
from pathlib import Path

_CPUS = Path("/sys/devices/system/cpu")


def physical_cores() -> int:
    """Cores that this process may use; two threads of one core count once, since they share what computes."""
    if not hasattr(os, "sched_getaffinity"):
        return os.cpu_count() or 1
    siblings = {_siblings(cpu) for cpu in os.sched_getaffinity(0)}
    return len(siblings)


def _siblings(cpu: int) -> str:
    """The CPUs of its core, as the kernel writes them; where it does not tell, it is alone."""
    try:
        return (_CPUS / f"cpu{cpu}/topology/thread_siblings_list").read_text().strip()
    except OSError:
        return str(cpu)
