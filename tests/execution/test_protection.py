"""The probe says what is enforced, and what it says is so."""

import os
import socket
import subprocess
import sys
import time
from threading import Thread

import pytest

from dlcodegen.execution import protection
from dlcodegen.execution.sandbox import Limits, run_script


def accept_one(server: socket.socket) -> None:
    server.accept()[0].close()


def skip_unless(name: str) -> None:
    answer = protection.probe()[name]
    if not answer.startswith("yes"):
        pytest.skip(f"{name}: {answer}")


def test_the_probe_answers_for_every_protection() -> None:
    answers = protection.probe()
    assert set(answers) == {
        "network",
        "environment",
        "other processes",
        "memory",
        "file size",
        "process count",
        "files",
    }
    assert all(answer.startswith(("yes (", "no: ")) for answer in answers.values())


def test_limits_are_enforced_everywhere() -> None:
    answers = protection.probe()
    assert all(answers[name].startswith("yes (") for name in ("memory", "file size", "process count"))


def test_the_probe_does_not_claim_that_files_are_out_of_reach() -> None:
    assert protection.probe()["files"].startswith("no: ")


def test_the_probe_runs_once() -> None:
    protection.probe()
    started = time.perf_counter()
    protection.probe().clear()
    assert protection.probe()
    assert time.perf_counter() - started < 0.01


@pytest.mark.enable_socket
def test_a_server_of_this_machine_cannot_be_reached() -> None:
    skip_unless("network")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        accepting = Thread(target=accept_one, args=[server])
        accepting.start()
        code = f"import socket\nsocket.create_connection(('127.0.0.1', {port}), timeout=5)"
        result = run_script(code, [], Limits())
        socket.create_connection(("127.0.0.1", port)).close()  # it can be reached from here
        accepting.join()
    assert result.exit_code == 1
    assert "OSError" in result.stderr


def test_secrets_of_our_process_cannot_be_read_from_proc() -> None:
    skip_unless("environment")
    code = """
from pathlib import Path
for path in Path("/proc").glob("[0-9]*/environ"):
    try:
        print(path.read_bytes())
    except OSError:
        pass
"""
    parent = "import sys\nfrom dlcodegen.execution.sandbox import *\nprint(run_script(sys.argv[1], [], Limits()))"
    environment = {**os.environ, "OPENAI_API_KEY": "sk-secret"}
    answer = subprocess.run(
        [sys.executable, "-c", parent, code], env=environment, capture_output=True, text=True, check=True
    )
    assert "LANG=C.UTF-8" in answer.stdout  # it can look into its own
    assert "sk-secret" not in answer.stdout


def test_other_processes_cannot_be_signalled() -> None:
    skip_unless("other processes")
    code = f"import os\ntry:\n    os.kill({os.getpid()}, 0)\n    print('reached')\nexcept OSError:\n    pass"
    assert os.getpid() > 2
    assert run_script(code, [], Limits()).stdout == ""


def test_the_script_has_no_privileges() -> None:
    code = "print([line.split()[1] for line in open('/proc/self/status') if line.startswith(('CapEff', 'CapPrm'))])"
    assert run_script(code, [], Limits()).stdout == f"{['0' * 16] * 2}\n"
