"""Watches over one run of generated code and says what became of it.

Started as `python -IS launcher.py SPEC`, standard library only, with a lifeline as standard input: when its writing end
closes, because we want the run to stop or because our process died, everything below dies. Writes one `Outcome` to
standard output.

    launcher           watches the clock, memory, processes, disk, output and the lifeline; reaps every orphan
    └── enclosure      leaves for namespaces of its own; dies with the launcher
        └── init       pid 1 of the new pid namespace: when it dies, the kernel kills all below it
            └── the script
"""

import contextlib
import ctypes
import json
import os
import selectors
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypedDict

LIFELINE = 0  # file descriptor
TICK = 0.05  # seconds between two looks at memory, processes and disk
FLOOD = 64  # times the output that is kept: so much may come before the script is stopped
MOST_FILES = 10_000  # in the scratch folder
PR_SET_CHILD_SUBREAPER = 36


class Spec(TypedDict):
    """What to run and how much of everything the whole tree may take; bytes and seconds."""

    command: list[str]
    scratch: str
    wall: float
    memory: int
    disk: int
    processes: int
    output: int
    """Kept of each of stdout and stderr."""
    limits: dict[str, int]
    """Limits for each process, which the enclosure sets."""


class Outcome(TypedDict):
    """What became of the script."""

    stopped: str
    """What it was stopped for: `timeout`, `memory`, `processes`, `output`, `disk`, `lifeline`; empty when it ended."""
    exit_code: int | None
    """As in subprocess: -N when signal N ended it. None when it was stopped, or never started."""
    seconds: float
    stdout: str
    stderr: str
    layers: dict[str, str]
    """Layer of the enclosure -> why the kernel refused it; empty when it holds."""
    failed: str
    """Why the script could not be started; empty when it could."""


class Stream:
    """Reads a pipe to its end; of what came through it keeps the head and the tail."""

    def __init__(self, keep: int) -> None:
        self.reader, self.writer = os.pipe()
        self.half = keep // 2
        self.head, self.tail, self.length = bytearray(), bytearray(), 0

    def read(self) -> bool:
        """Take what is there, waiting for it; False at the end."""
        data = os.read(self.reader, 1 << 16)
        room = self.half - len(self.head)
        self.head += data[:room]
        self.tail = (self.tail + data[room:])[-self.half :]
        self.length += len(data)
        return bool(data)

    def text(self) -> str:
        left_out = self.length - len(self.head) - len(self.tail)
        gap = f"\n[... {left_out} bytes left out ...]\n".encode() if left_out else b""
        return (self.head + gap + self.tail).decode("utf-8", "replace")


def descendants() -> Iterator[int]:
    """Every process below this one, as far as they can be seen while they come and go."""
    waiting = [os.getpid()]
    while waiting:
        tasks = Path(f"/proc/{waiting.pop()}/task")
        with contextlib.suppress(OSError):  # it is gone
            for task in tasks.iterdir():
                children = [int(child) for child in (task / "children").read_text(encoding="ascii").split()]
                waiting += children
                yield from children


def memory_of(process: int) -> int:
    """Bytes in use, what is shared counted in part; 0 when the process is gone."""
    with contextlib.suppress(OSError, IndexError):
        rollup = Path(f"/proc/{process}/smaps_rollup").read_text(encoding="ascii")
        return int(rollup.split("\nPss:")[1].split()[0]) * 1024
    with contextlib.suppress(OSError):  # it made itself unreadable
        pages = Path(f"/proc/{process}/statm").read_text(encoding="ascii").split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")
    return 0


def over_disk(scratch: str, limit: int) -> bool:
    used = count = 0
    for folder, _, names in os.walk(scratch):
        for name in names:
            with contextlib.suppress(OSError):
                used += Path(folder, name).lstat().st_blocks * 512
        count += len(names) + 1
        if used > limit or count > MOST_FILES:
            return True
    return False


def over_limit(spec: Spec, streams: list[Stream]) -> str:
    """The limit that is passed; empty when none is."""
    processes = list(descendants())
    if len(processes) > spec["processes"]:
        return "processes"
    if sum(map(memory_of, processes)) > spec["memory"]:
        return "memory"
    if any(stream.length > FLOOD * spec["output"] for stream in streams):
        return "output"
    return "disk" if over_disk(spec["scratch"], spec["disk"]) else ""


def watch(spec: Spec, report: Stream, streams: list[Stream]) -> str:
    """Until the script has ended or must be stopped: what it must be stopped for, empty when it ended."""
    deadline, next_look = time.monotonic() + spec["wall"], time.monotonic() + TICK
    with selectors.DefaultSelector() as selector:
        selector.register(LIFELINE, selectors.EVENT_READ)
        for stream in (report, *streams):
            selector.register(stream.reader, selectors.EVENT_READ, stream)
        while True:
            for key, _ in selector.select(max(0, min(next_look, deadline) - time.monotonic())):
                if key.fd == LIFELINE:
                    return "lifeline"
                if not key.data.read():
                    selector.unregister(key.fd)
                    if key.data is report:
                        return ""
            if time.monotonic() >= deadline:
                return "timeout"
            if time.monotonic() >= next_look:
                if limit := over_limit(spec, streams):
                    return limit
                next_look = time.monotonic() + TICK


def kill_tree(enclosure: int) -> None:
    """Kill all that was started, and wait until nothing of it is left: orphans are handed to this process."""
    with contextlib.suppress(OSError):
        os.killpg(enclosure, signal.SIGKILL)
    while True:
        for number in (signal.SIGSTOP, signal.SIGKILL):  # what is stopped cannot fork
            for process in descendants():
                with contextlib.suppress(OSError):
                    os.kill(process, number)
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return
        time.sleep(0.002)


def enclose(spec: Spec, report: Stream, output: Stream, errors: Stream) -> "subprocess.Popen[bytes]":
    """Start the enclosure, which starts the script."""
    enclosed = {
        "command": spec["command"],
        "scratch": spec["scratch"],
        "launcher": os.getpid(),
        "report": report.writer,
        "processes": spec["processes"],
        **spec["limits"],
    }
    process = subprocess.Popen(
        [sys.executable, "-IS", str(Path(__file__).with_name("enclosure.py")), json.dumps(enclosed)],
        stdin=subprocess.DEVNULL,
        stdout=output.writer,
        stderr=errors.writer,
        pass_fds=(report.writer,),
        start_new_session=True,
    )
    for stream in (report, output, errors):
        os.close(stream.writer)
    return process


def run(spec: Spec) -> Outcome:
    """Run the script to its end, or to the first limit it passes."""
    with contextlib.suppress(AttributeError):  # only Linux has it
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    report, output, errors = Stream(1 << 16), Stream(spec["output"]), Stream(spec["output"])
    started = time.monotonic()
    enclosure = enclose(spec, report, output, errors)
    stopped = watch(spec, report, [output, errors])
    seconds = time.monotonic() - started
    kill_tree(enclosure.pid)
    for stream in (report, output, errors):
        while stream.read():
            pass
    told: dict[str, Any] = {}
    for line in report.text().splitlines():
        told |= json.loads(line)
    failed = told.get("failed", "the enclosure ended before the script was started")
    # Without a pid namespace the script can kill the enclosure: then nobody is left to tell the exit code.
    exit_code = None if stopped or failed else told.get("exit_code", -signal.SIGKILL)
    return {
        "stopped": stopped,
        "exit_code": exit_code,
        "seconds": seconds,
        "stdout": output.text(),
        "stderr": errors.text(),
        "layers": told.get("layers", {}),
        "failed": failed,
    }


def main() -> None:
    spec: Spec = json.loads(sys.argv[1])
    outcome = run(spec)
    if outcome["stopped"] == "lifeline":  # nobody else may be left to do it
        shutil.rmtree(spec["scratch"], ignore_errors=True)
    json.dump(outcome, sys.stdout)


if __name__ == "__main__":
    main()
