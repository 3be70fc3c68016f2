"""The choice of a sandbox: what it says is so, and where there is none nothing is executed."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from threading import Thread

import pytest

from dlcodegen.errors import NoSandboxError, SandboxError, SettingsError
from dlcodegen.execution.ladder import check
from dlcodegen.execution.sandbox import tiers
from dlcodegen.execution.sandbox.limits import Limits
from dlcodegen.execution.sandbox.run import run_script
from dlcodegen.execution.script import Conditions

every_tier = pytest.mark.parametrize("tier", tiers.TIERS)


def skip_unless_it_holds(tier: str) -> None:
    if problem := tiers.trial(tier).problem:
        pytest.skip(f"{tier}: {problem}")


def no_tier(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiers, "trial", lambda tier: tiers.Trial({}, "Operation not permitted"))


@every_tier
def test_a_tier_that_holds_denies_every_act(tier: str) -> None:
    skip_unless_it_holds(tier)
    description = tiers.describe(tier)
    possible = {act for act, denial in description.items() if denial == "no"}
    assert possible <= {"existence of files"}
    assert description["tier"] == tier
    assert description["not stopped"]


def test_without_a_sandbox_the_same_acts_are_possible() -> None:
    denied = tiers.trial("unsandboxed").denied
    open_to_all = {
        "network",
        "reading files",
        "changing files",
        "existence of files",
        "other processes",
        "new processes",
    }
    assert {act for act in open_to_all if not denied[act]} == open_to_all


def test_the_strongest_tier_is_chosen() -> None:
    assert tiers.available()
    assert tiers.choose() == tiers.available()[0]


def test_it_is_tried_out_once() -> None:
    tiers.available()
    started = time.perf_counter()
    tiers.available()
    assert time.perf_counter() - started < 0.01


def test_where_nothing_holds_nothing_is_executed(monkeypatch: pytest.MonkeyPatch) -> None:
    no_tier(monkeypatch)
    with pytest.raises(NoSandboxError, match=r"no sandbox \(Operation not permitted\): add --sandbox docker:IMAGE"):
        tiers.choose()
    with pytest.raises(SettingsError, match="`full` does not hold here: Operation not permitted"):
        tiers.choose("full")


def test_by_the_users_word_it_runs_without(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    no_tier(monkeypatch)
    tiers._warn_once.cache_clear()
    assert [tiers.choose(accept_unsandboxed=True) for _ in range(2)] == ["unsandboxed"] * 2
    warned = [record.getMessage() for record in caplog.records]
    assert warned == [
        "generated code runs in the sandbox `unsandboxed`, which does not stop: "
        "everything: the script can do what you can"
    ]


def test_a_report_says_not_executed_and_why(monkeypatch: pytest.MonkeyPatch, passing_script: str) -> None:
    no_tier(monkeypatch)
    report = check(passing_script, None, [])
    assert report["status"] == "not_executed"
    assert report["error"] is None
    assert report["rungs"][-1]["message"].startswith("this computer offers no sandbox")
    assert report["sandbox"] == {}


def test_a_report_says_what_it_ran_without(monkeypatch: pytest.MonkeyPatch, passing_script: str) -> None:
    no_tier(monkeypatch)
    report = check(passing_script, None, [], Conditions(accept_unsandboxed=True))
    assert report["status"] == "passed"
    assert report["sandbox"]["tier"] == "unsandboxed"


def test_a_sandbox_that_fails_is_not_blamed_on_the_script(monkeypatch: pytest.MonkeyPatch, passing_script: str) -> None:
    def fail(*_: object, **__: object) -> None:
        raise SandboxError("no room")

    monkeypatch.setattr("dlcodegen.execution.script.run_script", fail)
    report = check(passing_script, None, [])
    assert (report["status"], report["error"]) == ("sandbox_error", None)
    assert report["rungs"][-1]["message"] == "no room"


def accept_one(server: socket.socket) -> None:
    server.accept()[0].close()


@pytest.mark.enable_socket
@every_tier
def test_a_server_of_this_machine_cannot_be_reached(tier: str) -> None:
    skip_unless_it_holds(tier)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        accepting = Thread(target=accept_one, args=[server])
        accepting.start()
        code = f"import socket\nsocket.create_connection(('127.0.0.1', {port}), timeout=5)"
        result = run_script(code, [], Limits(), tier=tier)
        socket.create_connection(("127.0.0.1", port)).close()  # it can be reached from here
        accepting.join()
    assert result.record["autopsy"]["exception"] == "PermissionError"


@every_tier
def test_secrets_of_our_process_are_out_of_reach(tier: str) -> None:
    skip_unless_it_holds(tier)
    code = """
from pathlib import Path
for number in range(1, 5000):
    try:
        print(Path(f"/proc/{number}/environ").read_bytes())
    except OSError:
        pass
print(Path("/proc/self/environ").read_bytes())
"""
    parent = """
import sys
from dlcodegen.execution.sandbox.run import Limits, run_script
print(run_script(sys.argv[1], [], Limits(), tier=sys.argv[2]))
"""
    environment = {**os.environ, "OPENAI_API_KEY": "sk-secret"}
    answer = subprocess.run(
        [sys.executable, "-c", parent, code, tier], env=environment, capture_output=True, text=True, check=True
    )
    assert "LANG=C.UTF-8" in answer.stdout  # it can look into its own
    assert "sk-secret" not in answer.stdout


@every_tier
def test_the_script_has_no_privileges(tier: str) -> None:
    skip_unless_it_holds(tier)
    code = "print(*sorted(line.split()[1] for line in open('/proc/self/status') if line.startswith('Cap')))"
    assert run_script(code, [], Limits(), tier=tier).stdout == f"{' '.join(['0' * 16] * 5)}\n"


def test_docker_is_asked_for_a_container_that_has_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No daemon in the tests: a stand-in writes down how it is called, then runs the script itself."""
    docker = tmp_path / "docker"
    docker.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/calls\n[ "$1" = run ] && exec {sys.executable} main.py 7\n')
    docker.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    code = "import sys\nprint('ran with', sys.argv[1])\n1 / 0"
    result = run_script(code, ["7"], Limits(memory=1 << 30), tier=tiers.choose("docker:python:3.11"))
    assert (result.stdout, result.exit_code) == ("ran with 7\n", 1)
    started, removed = (tmp_path / "calls").read_text().splitlines()
    for demand in (
        "--network none",
        "--read-only",
        "--cap-drop ALL",
        "--memory 1073741824",
        "python:3.11 python main.py 7",
    ):
        assert demand in started
    assert removed.startswith("rm --force dlcodegen-")


def test_a_container_that_does_not_start_is_our_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    docker = tmp_path / "docker"
    docker.write_text('#!/bin/sh\necho "cannot connect to the daemon" >&2\nexit 125\n')
    docker.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(SandboxError, match="could not be started: cannot connect to the daemon"):
        run_script("pass", [], Limits(), tier="docker:python")


@pytest.mark.skipif(sys.platform == "darwin", reason="there it exists")
def test_the_sandbox_of_macos_is_refused_elsewhere() -> None:
    with pytest.raises(NoSandboxError, match="part of macOS"):
        run_script("pass", [], Limits(), tier=tiers.choose("sandbox-exec"))
