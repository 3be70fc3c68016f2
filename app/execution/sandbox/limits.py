"""How much one run of generated code may take."""

import math
import os
from dataclasses import dataclass

from dlcodegen.execution.sandbox.spec import Bounds

MIB, GIB = 1 << 20, 1 << 30


@dataclass(frozen=True)
class Limits:
    """Seconds and bytes, for the whole process tree unless it says otherwise."""

    wall: float = 60.0
    memory: int = 2 * GIB
    """Each process gets a MemoryError at 7/8 of it; the tree is killed at all of it."""
    address_space: int = 16 * GIB
    """Of each process, reserved or used; generous, since torch maps far more than it uses. 0: none, as CUDA needs."""
    file_size: int = 256 * MIB
    """Of each file."""
    disk: int = 1 * GIB
    """In the scratch folder."""
    open_files: int = 1024
    """In each process."""
    processes: int = 64
    """And threads."""
    output: int = 64 * 1024
    """Kept of each of stdout and stderr; the run is stopped at 64 times as much."""
    artefact: int = 256 * MIB
    """Of each file read back."""
    parallel: int = 2
    """Runs side by side, which share the cores."""

    @property
    def threads(self) -> int:
        """Threads for the numeric libraries of one run."""
        return max(1, cores() // self.parallel)

    @property
    def bounds(self) -> Bounds:
        """What the kernel holds each process to."""
        return {
            "data": self.memory * 7 // 8,  # below what the tree is killed for: a traceback says more than a kill
            "address_space": self.address_space,
            "file_size": self.file_size,
            "open_files": self.open_files,
            "cpu": math.ceil(self.wall * self.threads) + 5,  # should the clock's watcher fail
        }


def cores() -> int:
    """Those that this process may use, where the system tells."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
