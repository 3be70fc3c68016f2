"""Nothing that a script starts outlives its run, whoever ends it and however."""

import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from dlcodegen.errors import SandboxError
from dlcodegen.execution.sandbox import Limits, run_script, stop_all

pytestmark = pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="looks for processes in /proc")

DAEMON = """
import os, signal, sys, time
for n in (1, 2, 15):
    signal.signal(n, signal.SIG_IGN)
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        print("daemon", flush=True)
        time.sleep(60)
    os._exit(0)
time.sleep(0.1)
"""


def unique_word() -> str:
    return f"word-{uuid.uuid4().hex}"


def running(word: str, script_only: bool = False) -> list[int]:
    """Ids of the processes with this word among their arguments; `script_only` leaves out what watches the script.

    The word is known to no other process, so this finds what is left of a run wherever it hides.
    """
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            arguments = (folder / "cmdline").read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        if word in arguments or (not script_only and any(word in argument for argument in arguments)):
            found.append(int(folder.name))
    return found


def wait_until(condition: Callable[[], bool], seconds: float = 5.0) -> bool:
    """Whether the condition comes true in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.01)
    return False


def test_a_daemon_dies_with_its_script() -> None:
    word = unique_word()
    result = run_script(DAEMON, [word], Limits())
    assert (result.status, result.stdout) == ("exit", "daemon\n")
    assert result.seconds < 10
    assert running(word) == []


def test_a_fork_bomb_is_stopped_and_nothing_of_it_is_left() -> None:
    word = unique_word()
    code = "import os\nwhile True:\n    try:\n        os.fork()\n    except OSError:\n        pass"
    result = run_script(code, [word], Limits(wall=1, processes=30))
    assert result.status in ("processes", "timeout")  # where the kernel limits forks, it only runs out of time
    assert running(word) == []


def test_a_tree_that_runs_out_of_time_is_killed() -> None:
    word = unique_word()
    code = "import os, time\nfor _ in range(3):\n    os.fork()\nos.setpgid(0, 0)\ntime.sleep(60)"
    assert run_script(code, [word], Limits(wall=0.5)).status == "timeout"
    assert running(word) == []


def test_killing_its_parent_ends_no_watch() -> None:
    word = unique_word()
    code = "import os, time\ntry:\n    os.kill(os.getppid(), 9)\nexcept OSError:\n    pass\ntime.sleep(60)"
    result = run_script(code, [word], Limits(wall=0.5))
    assert result.status == "timeout" or result.exit_code == -9
    assert running(word) == []


def test_stop_all_ends_runs_of_other_threads_at_once() -> None:
    words = [unique_word(), unique_word()]
    raised: list[str] = []

    def run(word: str) -> None:
        try:
            run_script(DAEMON + "time.sleep(60)", [word], Limits())
        except SandboxError as error:
            raised.append(str(error))

    threads = [threading.Thread(target=run, args=[word]) for word in words]
    for thread in threads:
        thread.start()
    assert wait_until(lambda: all(len(running(word, script_only=True)) >= 2 for word in words))
    started = time.monotonic()
    stop_all()
    for thread in threads:
        thread.join()
    assert time.monotonic() - started < 2
    assert raised == ["the run was stopped"] * 2
    assert [running(word) for word in words] == [[], []]


def test_after_stop_all_new_scripts_can_run() -> None:
    stop_all()
    assert run_script("print('hello')", [], Limits()).stdout == "hello\n"


def test_nothing_survives_when_our_process_is_killed(tmp_path: Path) -> None:
    word = unique_word()
    parent = "import sys\nfrom dlcodegen.execution.sandbox import *\nrun_script(sys.argv[1], [sys.argv[2]], Limits())"
    command, environment = [sys.executable, "-c", parent, DAEMON + "time.sleep(60)", word], dict(os.environ)
    environment["TMPDIR"] = str(tmp_path)
    with subprocess.Popen(command, env=environment) as process:
        assert wait_until(lambda: len(set(running(word, script_only=True)) - {process.pid}) >= 2)
        os.kill(process.pid, signal.SIGKILL)
    assert wait_until(lambda: not running(word), seconds=2)
    assert list(tmp_path.iterdir()) == []
