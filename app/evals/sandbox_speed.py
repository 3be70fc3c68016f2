"""`bench sandbox`: what the sandbox costs, each way of running a script side by side in one run."""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from dlcodegen.corpus.sample import all_samples
from dlcodegen.errors import DLCodeGenError
from dlcodegen.evals.journal import Row
from dlcodegen.execution.ladder import check
from dlcodegen.execution.sandbox.fork_server import WARM, warm_server
from dlcodegen.execution.sandbox.limits import Limits
from dlcodegen.execution.sandbox.run import Tier, run_script
from dlcodegen.execution.sandbox.tiers import available

_SMALL_CNN = """
import torch
from torch import nn
torch.manual_seed(0)
images, labels = torch.randn(512, 1, 28, 28), torch.randint(0, 10, (512,))
model = nn.Sequential(
    nn.Conv2d(1, 8, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 16, 3), nn.ReLU(), nn.Flatten(), nn.Linear(1936, 10)
)
optimizer = torch.optim.Adam(model.parameters())
for first in range(0, 512, 64):
    loss = nn.functional.cross_entropy(model(images[first : first + 64]), labels[first : first + 64])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
print(loss.item())
"""
_FIRST_AND_SECOND = """
import os, time
from pathlib import Path
from dlcodegen.execution.sandbox.limits import Limits
from dlcodegen.execution.sandbox.run import run_script
for _ in range(2):
    started = time.perf_counter()
    run_script("pass", [], Limits())
    print(time.perf_counter() - started)
server = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()[0]
print(Path(f"/proc/{server}/status").read_text().split("VmRSS:")[1].split()[0])
"""
_SAMPLE = "tabular-regression/mlp"
"""Whose whole check is timed."""


def steps(repeats: int) -> Iterator[tuple[str, Callable[[], Row]]]:
    """Key of each measurement, and what makes it; the ways take turns, so that a busy computer hurts them all alike."""
    yield "server", _server
    ways: dict[str, Callable[[], object]] = {
        "cold process, no sandbox": _plain_process,
        "cold, full sandbox": lambda: _run(available()[0], warm=False),
        "fork server, no sandbox": lambda: _run("unsandboxed", warm=True),
        **{f"fork server, {tier} sandbox": _in(tier) for tier in available()},
    }
    for turn in range(repeats):
        for way, work in ways.items():
            yield f"small CNN / {way} / {turn}", _timed("small CNN", way, work)
        for tier in ("unsandboxed", *available()):
            yield f"empty / {tier} / {turn}", _timed("empty script", tier, _in(tier, "pass"))
    for turn in range(max(1, repeats // 4)):
        yield f"check / warm / {turn}", _timed("whole check", "fork server", _check)
        for count in (1, 4, 16):
            yield f"at once / {count} / {turn}", _timed("runs at once", str(count), _at_once(count))


def summary(rows: list[Row]) -> list[Row]:
    """Median, fastest and slowest of each measurement, in seconds; the fork server's start and memory."""
    groups: dict[tuple[str, str], list[float]] = {}
    for row in rows:
        if "seconds" in row and "way" in row:
            groups.setdefault((row["what"], row["way"]), []).append(row["seconds"])
    return [
        {"what": what, "way": way, "median": statistics.median(seconds), "best": min(seconds), "worst": max(seconds),
         "times": len(seconds)}
        for (what, way), seconds in groups.items()
    ]  # fmt: skip


def _timed(what: str, way: str, work: Callable[[], object]) -> Callable[[], Row]:
    def measure() -> Row:
        warm_server(WARM)
        started = time.perf_counter()
        work()
        return {"what": what, "way": way, "seconds": round(time.perf_counter() - started, 4)}

    return measure


def _server() -> Row:
    """Seconds that a process's first run waits longer than its second, and what the server keeps in memory, in MiB."""
    command = [sys.executable, "-c", _FIRST_AND_SECOND]
    first, second, kilobytes = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    return {"what": "fork server", "start": round(float(first) - float(second), 3), "memory": int(kilobytes) // 1024}


def _in(tier: Tier, code: str = _SMALL_CNN) -> Callable[[], object]:
    return lambda: _run(tier, warm=True, code=code)


def _run(tier: Tier, warm: bool, code: str = _SMALL_CNN) -> None:
    result = run_script(code, [], Limits(), tier=tier, warm=warm)
    if result.exit_code != 0:
        raise DLCodeGenError(f"the script to be timed failed: {result.stderr}")


def _plain_process() -> None:
    environment = {"PATH": os.environ.get("PATH", ""), "OMP_NUM_THREADS": "1"}
    subprocess.run([sys.executable, "-c", _SMALL_CNN], check=True, capture_output=True, env=environment, cwd=Path("/"))


def _check() -> None:
    sample = all_samples()[_SAMPLE]
    report = check(sample.code, sample.plan, [])
    if report["status"] != "passed":
        raise DLCodeGenError(f"the check to be timed failed: {report['error']}")


def _at_once(count: int) -> Callable[[], object]:
    def work() -> None:
        with ThreadPoolExecutor(count) as pool:
            list(pool.map(lambda _: _run(available()[0], warm=True), range(count)))

    return work
