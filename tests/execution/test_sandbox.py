"""What a run gives back, and what it is given."""

import json
import os
import subprocess
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from dlcodegen.errors import SandboxError, SettingsError
from dlcodegen.execution.sandbox import run as door
from dlcodegen.execution.sandbox.limits import MIB, Limits
from dlcodegen.execution.sandbox.run import run_script
from dlcodegen.execution.sandbox.tiers import choose


def test_output_and_exit_code_come_back() -> None:
    code = "import sys\nprint('out', *sys.argv[1:])\nsys.stderr.write('err')\nsys.exit(7)"
    result = run_script(code, ["--a", "b c"], Limits())
    assert (result.status, result.exit_code) == ("exit", 7)
    assert (result.stdout, result.stderr) == ("out --a b c\n", "err")


def test_a_signal_is_a_negative_exit_code() -> None:
    result = run_script("import os\nos.kill(os.getpid(), 15)", [], Limits())
    assert (result.exit_code, result.completed) == (-15, False)


@pytest.mark.parametrize("ending", ["", "import sys\nsys.exit()", "raise SystemExit(3)", "1 / 0"])
def test_an_end_of_its_own_is_told_from_a_hasty_exit(ending: str) -> None:
    assert run_script(ending, [], Limits()).completed


@pytest.mark.parametrize("ending", ["import os\nos._exit(0)", "import ctypes\nctypes.CDLL(None)._exit(0)"])
def test_a_hasty_exit_is_no_end(ending: str) -> None:
    result = run_script(ending, [], Limits())
    assert (result.exit_code, result.completed) == (0, False)


def test_what_is_laid_beside_it_is_there() -> None:
    code = "import os\nprint(open('data/a.txt').read(), os.path.exists('judge.py'))\nopen('data/b.txt', 'w').write('b')"
    assert run_script(code, [], Limits(), beside={"data/a.txt": b"hello"}).stdout == "hello False\n"


def test_a_driver_finds_the_script_beside_it() -> None:
    result = run_script("x = 42", [], Limits(), driver="import main\nprint(main.x, __name__)")
    assert result.stdout == "42 __main__\n"


@pytest.mark.parametrize("warm", [True, False])
def test_data_loaders_load_in_this_process(warm: bool) -> None:
    code = """
import torch
from torch.utils.data import DataLoader, TensorDataset
loader = DataLoader(TensorDataset(torch.arange(4.0)), 2, num_workers=2, persistent_workers=True)
print([batch[0].tolist() for batch in loader], loader.num_workers)
"""
    assert run_script(code, [], Limits(), warm=warm).stdout == "[[0.0, 1.0], [2.0, 3.0]] 0\n"


def test_a_compiled_model_runs_as_it_is() -> None:
    code = "import torch\nprint(torch.compile(torch.nn.Linear(2, 1))(torch.ones(1, 2)).shape)"
    assert run_script(code, [], Limits()).stdout == "torch.Size([1, 1])\n"


def test_two_runs_have_different_random_numbers() -> None:
    code = "import random, numpy\nprint(random.random(), numpy.random.rand())"
    assert len({run_script(code, [], Limits()).stdout for _ in range(2)}) == 2


def test_it_runs_in_a_folder_of_its_own_that_is_gone_afterwards() -> None:
    code = "import os, tempfile\nprint(os.getcwd(), os.environ['HOME'], tempfile.gettempdir(), sep='\\n')"
    folder, *others = run_script(code, [], Limits()).stdout.splitlines()
    assert others == [folder, folder]
    assert folder.startswith("/")
    assert not Path(folder).exists()
    assert Path.cwd() not in Path(folder).parents


def test_a_traceback_names_the_script_without_the_scratch_folder() -> None:
    assert 'File "main.py", line 2' in run_script("\n1 / 0", [], Limits()).stderr


def test_nothing_can_be_read_from_standard_input() -> None:
    assert run_script("import sys\nprint(repr(sys.stdin.read()))", [], Limits()).stdout == "''\n"


def test_no_descriptor_is_inherited() -> None:
    code = "import os\nprint([n for n in range(4, 1000) if os.path.exists(f'/proc/self/fd/{n}')])"  # 3: the record
    with open(os.devnull) as leaking:  # noqa: PTH123
        os.set_inheritable(leaking.fileno(), True)
        assert run_script(code, [], Limits()).stdout == "[]\n"


def test_no_variable_of_ours_reaches_the_script(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    monkeypatch.setenv("PYTHONPATH", "/somewhere")
    names = set(json.loads(run_script("import json, os\nprint(json.dumps(dict(os.environ)))", [], Limits()).stdout))
    assert {"PATH", "HOME", "TMPDIR", "LANG", "OMP_NUM_THREADS"} <= names
    assert not names & {"OPENAI_API_KEY", "PYTHONPATH", "LOGNAME", "SSH_AUTH_SOCK"}


def test_the_numeric_libraries_share_the_cores() -> None:
    result = run_script("import os\nprint(os.environ['OMP_NUM_THREADS'])", [], Limits(parallel=10_000))
    assert result.stdout == "1\n"


def test_of_much_output_head_and_tail_are_kept() -> None:
    result = run_script("print('first')\nprint('x' * 20_000)\nprint('last')", [], Limits(output=2_000))
    assert result.stdout.startswith("first\n")
    assert result.stdout.endswith("last\n")
    assert "bytes left out" in result.stdout
    assert len(result.stdout) < 2_100


def test_two_runs_side_by_side_do_not_mix() -> None:
    results: dict[str, str] = {}

    def run(name: str) -> None:
        code = "import sys, time\nopen('note', 'w').write(sys.argv[1])\ntime.sleep(0.3)\nprint(open('note').read())"
        results[name] = run_script(code, [name], Limits()).stdout

    threads = [threading.Thread(target=run, args=[name]) for name in ("a", "b")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == {"a": "a\n", "b": "b\n"}


def test_python_that_cannot_be_started_is_no_fault_of_the_script(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(SandboxError, match=r"generated code could not be started: .*/nowhere/python"):
        run_script("print('hello')", [], Limits(), warm=False)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a disk that is full")
def test_a_full_disk_is_no_fault_of_the_script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(tmp_path)], check=True)
    try:
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
        with pytest.raises(SandboxError, match="is full: set TMPDIR"):
            run_script("print('hello')", [], Limits())
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)


def test_a_computer_without_memory_is_no_fault_of_the_script(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "_free_memory", lambda: 1000)
    with pytest.raises(SandboxError, match="no memory left"):
        run_script("print('hello')", [], Limits())


def test_more_runs_than_cores_wait_for_each_other() -> None:
    code = "import time\nprint(time.monotonic())\ntime.sleep(0.3)\nprint(time.monotonic())"
    with ThreadPoolExecutor(6) as pool:
        results = list(pool.map(lambda _: run_script(code, [], Limits()), range(6)))
    times = [tuple(map(float, result.stdout.split())) for result in results]
    most = max(sum(start <= at < end for start, end in times) for at, _ in times)
    assert most <= max(2, len(os.sched_getaffinity(0)))


def test_a_sandbox_that_nobody_knows_is_refused() -> None:
    with pytest.raises(SettingsError, match="sandbox is one of auto, full"):
        choose("jail")


# --- limits ---------------------------------------------------------------------------------------------------------


def test_an_endless_loop_runs_out_of_time() -> None:
    result = run_script("print('started')\nwhile True:\n    pass", [], Limits(wall=1))
    assert (result.status, result.exit_code, result.stdout) == ("timeout", None, "started\n")
    assert result.seconds < 3


def test_ignoring_every_signal_does_not_help() -> None:
    code = "import signal, time\nfor n in (1, 2, 3, 15, 24):\n    signal.signal(n, signal.SIG_IGN)\ntime.sleep(60)"
    assert run_script(code, [], Limits(wall=0.5)).status == "timeout"


def test_too_much_memory_is_a_memory_error() -> None:
    result = run_script("x = bytearray(700 << 20)", [], Limits(memory=600 * MIB))
    assert (result.status, result.exit_code) == ("exit", 1)
    assert "MemoryError" in result.stderr


def test_memory_that_no_limit_of_the_kernel_counts_is_watched() -> None:
    code = "import mmap\nx = mmap.mmap(-1, 900 << 20)\nwhile x.write(b'x' * (1 << 20)):\n    pass"
    assert run_script(code, [], Limits(memory=512 * MIB), tier="unsandboxed").status == "memory"


def test_memory_of_several_processes_is_added_up() -> None:
    code = "import os, time\nfor _ in range(2):\n    os.fork()\nx = b'x' * (60 << 20)\ntime.sleep(20)"
    result = run_script(code, [], Limits(memory=128 * MIB), tier="unsandboxed", warm=False)
    assert result.status == "memory"


def test_a_flood_of_output_is_stopped() -> None:
    result = run_script("while True:\n    print('x' * 1000)", [], Limits(output=4_000))
    assert result.status == "output"
    assert len(result.stdout) < 4_100


def test_a_huge_file_is_refused() -> None:
    result = run_script("open('large', 'wb').truncate(10 << 20)", [], Limits(file_size=MIB))
    assert result.exit_code == 1
    assert "File too large" in result.stderr


def test_many_files_fill_no_disk() -> None:
    code = "import os, time\nfor n in range(8):\n    open(str(n), 'wb').write(b'x' * (1 << 20))\ntime.sleep(20)"
    assert run_script(code, [], Limits(disk=4 * MIB)).status == "disk"


def test_a_limit_cannot_be_raised_again() -> None:
    code = "import resource as r\nr.setrlimit(r.RLIMIT_FSIZE, (1 << 40, 1 << 40))"
    assert "not allowed to raise maximum limit" in run_script(code, [], Limits()).stderr


def test_a_crash_dumps_no_core() -> None:
    code = "import resource\nprint(resource.getrlimit(resource.RLIMIT_CORE))"
    assert run_script(code, [], Limits()).stdout == "(0, 0)\n"
