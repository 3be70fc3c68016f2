"""What the sandbox's processes tell each other: plain data, as JSON."""

from typing import Any

from typing_extensions import TypedDict


class Bounds(TypedDict):
    """Hard limits of each process: bytes, seconds of CPU time, counts; 0 for an address space without one."""

    data: int
    address_space: int
    file_size: int
    cpu: int
    open_files: int


class Spec(TypedDict):
    """One run: what to execute, what it may reach, and how much of everything the whole process tree may take."""

    tier: str
    folder: str
    """Gone after the run; holds `scratch` and `mount_point`."""
    scratch: str
    mount_point: str
    entry: str
    """The script's name in the scratch folder."""
    arguments: list[str]
    environment: dict[str, str]
    readable: list[str]
    devices: list[str]
    command: list[str]
    """Of another sandbox that starts the script (Docker, sandbox-exec); empty for our own."""
    cleanup: list[str]
    """Command that removes what killing `command` would leave; empty when there is nothing."""
    observe: bool
    """Record what the running model shows."""
    threads: int
    """Of the numeric libraries."""
    wall: float
    memory: int
    disk: int
    processes: int
    """Threads count, too."""
    output: int
    """Bytes kept of each of stdout and stderr."""
    bounds: Bounds


class Outcome(TypedDict):
    """What became of a run."""

    stopped: str
    """What it was stopped for: `timeout`, `memory`, `processes`, `output`, `disk`, `lifeline`; empty when it ended."""
    exit_code: int | None
    """As in subprocess: -N when signal N ended it. None when it was stopped, or never started."""
    seconds: float
    stdout: str
    stderr: str
    failed: str
    """Why the script could not be started; empty when it could."""
    record: dict[str, Any] | None
    """What the harness wrote when the script had come to its own end; None when it had not."""
