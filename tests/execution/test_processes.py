"""Nothing that a script starts outlives its run, whoever ends it and however."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from dlcodegen.errors import SandboxError, StoppedError
from dlcodegen.execution.sandbox.fork_server import WARM, stop_all, warm_server
from dlcodegen.execution.sandbox.limits import Limits
from dlcodegen.execution.sandbox.run import run_script
from dlcodegen.execution.sandbox.tiers import available
from tests.execution.processes import NAME_ITSELF, running, unique_word, wait_until

pytestmark = pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="looks for processes in /proc")

SLEEPS = f"import sys, time\n{NAME_ITSELF}print('asleep', flush=True)\ntime.sleep(60)\n"
# Only without a sandbox can a script start processes; the supervisor has to find them all.
DAEMON = f"""
import os, signal, sys, time
for n in (1, 2, 15):
    signal.signal(n, signal.SIG_IGN)
{NAME_ITSELF}
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        print("daemon", flush=True)
        time.sleep(60)
    os._exit(0)
time.sleep(0.1)
"""


def test_a_daemon_dies_with_its_script() -> None:
    word = unique_word()
    result = run_script(DAEMON, [word], Limits(), tier="unsandboxed")
    assert (result.status, result.stdout) == ("exit", "daemon\n")
    assert result.seconds < 10
    assert running(word) == []


def test_a_fork_bomb_is_stopped_and_nothing_of_it_is_left() -> None:
    word = unique_word()
    code = f"import os, sys\n{NAME_ITSELF}\nwhile True:\n    try:\n        os.fork()\n    except OSError:\n        pass"
    result = run_script(code, [word], Limits(wall=1, processes=30), tier="unsandboxed", warm=False)
    assert result.status in ("processes", "timeout", "memory")
    assert running(word) == []


@pytest.mark.parametrize("tier", ["unsandboxed", *available()])
def test_a_script_that_runs_out_of_time_is_killed(tier: str) -> None:
    word = unique_word()
    assert run_script(SLEEPS, [word], Limits(wall=0.5), tier=tier).status == "timeout"
    assert running(word) == []


def test_a_tree_that_runs_out_of_time_is_killed() -> None:
    word = unique_word()
    code = f"import os, sys, time\n{NAME_ITSELF}for _ in range(3):\n    os.fork()\nos.setpgid(0, 0)\ntime.sleep(60)"
    assert run_script(code, [word], Limits(wall=0.5), tier="unsandboxed").status == "timeout"
    assert running(word) == []


def test_killing_its_parent_ends_no_watch() -> None:
    word = unique_word()
    code = f"import os, sys, time\n{NAME_ITSELF}os.kill(os.getppid(), 9)\ntime.sleep(60)"
    result = run_script(code, [word], Limits(wall=0.5), tier="unsandboxed")
    assert result.status == "timeout" or result.exit_code == -9
    assert running(word) == []


@pytest.mark.parametrize("tier", available())
def test_in_a_sandbox_no_process_can_be_started_at_all(tier: str) -> None:
    result = run_script("import os\nos.fork()", [], Limits(), tier=tier)
    assert result.record["autopsy"]["exception"] == "PermissionError"


def test_stop_all_ends_runs_of_other_threads_at_once() -> None:
    words = [unique_word(), unique_word()]
    raised: list[str] = []

    def run(word: str) -> None:
        try:
            run_script(SLEEPS, [word], Limits())
        except StoppedError as error:
            raised.append(str(error))

    threads = [threading.Thread(target=run, args=[word]) for word in words]
    for thread in threads:
        thread.start()
    assert wait_until(lambda: all(running(word) for word in words))
    started = time.monotonic()
    stop_all()
    for thread in threads:
        thread.join()
    assert time.monotonic() - started < 2
    assert raised == ["the run was stopped"] * 2
    assert wait_until(lambda: not any(map(running, words)), seconds=2)


def test_after_stop_all_new_scripts_can_run() -> None:
    stop_all()
    assert run_script("print('hello')", [], Limits()).stdout == "hello\n"


@pytest.mark.parametrize("tier", ["unsandboxed", *available()])
def test_nothing_survives_when_our_process_is_killed(tmp_path: Path, tier: str) -> None:
    word = unique_word()
    parent = """
import sys
from dlcodegen.execution.sandbox.run import Limits, run_script
run_script(sys.argv[1], [sys.argv[2]], Limits(), tier=sys.argv[3], warm=False)
"""
    command, environment = [sys.executable, "-c", parent, SLEEPS, word, tier], dict(os.environ)
    environment["TMPDIR"] = str(tmp_path)
    with subprocess.Popen(command, env=environment) as process:
        assert wait_until(lambda: bool(running(word)))
        os.kill(process.pid, signal.SIGKILL)
    assert wait_until(lambda: not running(word), seconds=3)
    assert wait_until(lambda: not list(tmp_path.iterdir()), seconds=3)


def servers() -> list[int]:
    """Fork servers that this process has started."""
    children = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()
    return [int(child) for child in children if b"sandbox.server" in Path(f"/proc/{child}/cmdline").read_bytes()]


def test_a_run_whose_fork_server_dies_is_made_once_more(tmp_path: Path) -> None:
    run_script("pass", [], Limits())
    warm_server(WARM)
    for process in servers():
        os.kill(process, signal.SIGSTOP)  # it takes the request, and never answers
    results: list[str] = []
    thread = threading.Thread(target=lambda: results.append(run_script("print('again')", [], Limits()).stdout))
    thread.start()
    time.sleep(0.2)
    for process in servers():
        os.kill(process, signal.SIGKILL)
    thread.join(30)
    assert results == ["again\n"]
    assert run_script("print('and after')", [], Limits()).stdout == "and after\n"


def test_a_sandbox_that_cannot_be_started_is_our_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(SandboxError, match=r"generated code could not be started: .*/nowhere/python"):
        run_script("print('hello')", [], Limits(), warm=False)
