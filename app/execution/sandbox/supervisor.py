"""Watches over one run of generated code and says what became of it.

A process of its own, forked by the fork server, which holds the reading end of a lifeline: when the writing end closes,
because we want the run to stop or because our process died, everything below dies. What the script gets to hold leads
nowhere but here: neither the lifeline nor the pipe of the outcome.
"""

import contextlib
import json
import os
import secrets
import selectors
import signal
import stat
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dlcodegen.execution.sandbox.enclosure import Ends, enclose
from dlcodegen.execution.sandbox.kernel import PR_SET_CHILD_SUBREAPER, control_process
from dlcodegen.execution.sandbox.removal import remove
from dlcodegen.execution.sandbox.spec import Outcome, Spec

TICK = 0.1  # seconds between two looks at memory, processes and disk
FLOOD = 64  # times the output that is kept: so much may come before the script is stopped
_DEEPEST = 12  # levels of a record
MOST_FILES = 10_000  # in the scratch folder
_RECORD, _REPORT = 1 << 18, 1 << 16  # bytes


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


def used_by(process: int) -> tuple[int, int]:
    """Bytes of memory in use, and threads; none of either when the process is gone.

    What it shares with the fork server is in it: a process that had loaded its libraries itself would have it, too.
    """
    with contextlib.suppress(OSError, ValueError, IndexError):
        status = Path(f"/proc/{process}/status").read_text(encoding="ascii", errors="replace")
        rows = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
        memory = sum(int(rows[name].split()[0]) * 1024 for name in ("RssAnon", "RssShmem") if name in rows)
        return memory, int(rows["Threads"])
    return 0, 0


def over_disk(scratch: str, processes: list[int], limit: int) -> bool:
    used, count, waiting = deleted_by(processes), 0, [scratch]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    count += 1
                    with contextlib.suppress(FileNotFoundError):
                        used += entry.stat(follow_symlinks=False).st_blocks * 512
                        if entry.is_dir(follow_symlinks=False):
                            waiting.append(entry.path)
                    if used > limit or count > MOST_FILES:
                        return True
        except FileNotFoundError:
            continue
        except OSError:  # too deep, or closed to us: nothing may hide there
            return True
    return used > limit


def deleted_by(processes: list[int]) -> int:
    """Bytes of files that have no name any more, and are held open or mapped."""
    sizes: dict[tuple[str, int], int] = {}
    for process in processes:
        with contextlib.suppress(OSError):
            for descriptor in Path(f"/proc/{process}/fd").iterdir():
                with contextlib.suppress(FileNotFoundError):
                    found = descriptor.stat()
                    if stat.S_ISREG(found.st_mode) and found.st_nlink == 0:
                        device = f"{os.major(found.st_dev):02x}:{os.minor(found.st_dev):02x}"
                        sizes[device, found.st_ino] = found.st_blocks * 512
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/{process}/maps").read_text(encoding="utf-8", errors="replace").splitlines():
                if line.endswith("(deleted)") and line.split()[1].endswith("s"):
                    area, _, _, device, number, *_ = line.split()
                    start, end = (int(place, 16) for place in area.split("-"))
                    key = device, int(number)
                    sizes[key] = max(sizes.get(key, 0), end - start)
    return sum(sizes.values())


def over_limit(spec: Spec, streams: list[Stream]) -> str:
    """The limit that is passed; empty when none is."""
    processes = list(descendants())
    used = list(map(used_by, processes))
    if sum(threads for _, threads in used) > spec["processes"]:
        return "processes"
    shared, _ = used_by(os.getpid())  # by all of them: it counts once
    if shared + sum(max(0, memory - shared) for memory, _ in used) > spec["memory"]:
        return "memory"
    if any(stream.length > FLOOD * spec["output"] for stream in streams):
        return "output"
    return "disk" if over_disk(spec["scratch"], processes, spec["disk"]) else ""


def watch(spec: Spec, lifeline: int, report: Stream, streams: list[Stream]) -> str:
    """Until the script has ended or must be stopped: what it must be stopped for, empty when it ended."""
    deadline, next_look = time.monotonic() + spec["wall"], time.monotonic() + TICK
    with selectors.DefaultSelector() as selector:
        selector.register(lifeline, selectors.EVENT_READ)
        for stream in (report, *streams):
            selector.register(stream.reader, selectors.EVENT_READ, stream)
        while True:
            for key, _ in selector.select(max(0, min(next_look, deadline) - time.monotonic())):
                if key.fd == lifeline:
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


def kill_tree(keeper: int) -> None:
    """Kill all that was started, and wait until nothing of it is left: orphans are handed to this process."""
    with contextlib.suppress(OSError):
        os.killpg(keeper, signal.SIGKILL)
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
        time.sleep(0.001)


def run(spec: Spec, lifeline: int) -> Outcome:
    """Run the script to its end, or to the first limit it passes."""
    token = secrets.token_hex(16)
    output, errors = Stream(spec["output"]), Stream(spec["output"])
    record, report = Stream(_RECORD), Stream(_REPORT)
    started = time.monotonic()
    keeper = os.fork()
    if keeper == 0:
        enclose(spec, Ends(output.writer, errors.writer, record.writer, report.writer), token)
    for stream in (output, errors, record, report):
        os.close(stream.writer)
    stopped = watch(spec, lifeline, report, [output, errors, record])
    seconds = time.monotonic() - started
    kill_tree(keeper)
    if spec["cleanup"]:
        subprocess.run(spec["cleanup"], stdin=subprocess.DEVNULL, capture_output=True, timeout=30, check=False)
    for stream in (output, errors, record, report):
        while stream.read():
            pass
    told: dict[str, Any] = {}
    for line in report.text().splitlines():
        told |= json.loads(line)
    failed = told.get("failed", "it ended before the script was started")
    # Without a process table of its own the script could kill its keeper: then nobody is left to tell the exit code.
    exit_code = None if stopped or failed else told.get("exit_code", -signal.SIGKILL)
    return {
        "stopped": stopped,
        "exit_code": exit_code,
        "seconds": seconds,
        "stdout": output.text(),
        "stderr": errors.text(),
        "failed": "" if stopped else failed,
        "record": None if stopped else _read_record(record, token),
    }


def supervise(spec: Spec, outcome: int, lifeline: int) -> None:
    """Run the script and write an Outcome; when nobody is left to read it, remove the scratch folder at least."""
    with contextlib.suppress(OSError):  # only Linux has it
        control_process(PR_SET_CHILD_SUBREAPER, 1)
    result = run(spec, lifeline)
    if result["stopped"] == "lifeline":
        remove(spec["folder"])
    with contextlib.suppress(BrokenPipeError), os.fdopen(outcome, "w", encoding="utf-8") as writer:
        json.dump(result, writer)


def _read_record(record: Stream, token: str) -> dict[str, Any] | None:
    """What the harness wrote, if it is whole and bears this run's token."""
    try:
        told = json.loads(record.text())
    except (ValueError, RecursionError):
        return None
    if not isinstance(told, dict) or told.pop("token", None) != token or not _shallow(told, _DEEPEST):
        return None
    return told


def _shallow(value: Any, levels: int) -> bool:
    """Whether it is no deeper: who reads it again may be deep in calls already."""
    if not isinstance(value, dict | list):
        return True
    inner = value.values() if isinstance(value, dict) else value
    return levels > 0 and all(_shallow(item, levels - 1) for item in inner)
