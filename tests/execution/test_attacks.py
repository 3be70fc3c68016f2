"""The red team against every tier that this machine has; and each attack once where nothing stops it.

The second half keeps the first honest: an attack that is broken looks like one that is held.
"""

import json
import os
import platform
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from dlcodegen.execution.ladder import check
from dlcodegen.execution.sandbox.run import RunResult
from dlcodegen.execution.sandbox.tiers import TIERS, available, trial
from dlcodegen.plan import SolutionPlan
from dlcodegen.report import CheckReport
from tests.execution import (
    attacks_files,
    attacks_folders,
    attacks_kernel,
    attacks_network,
    attacks_processes,
    attacks_records,
    attacks_resources,
    attacks_results,
    attacks_storage,
)
from tests.execution.attack_runs import run
from tests.execution.attacks import Attack
from tests.execution.decoys import Decoys

pytestmark = [
    pytest.mark.skipif(platform.system() != "Linux", reason="the tiers are Linux's"),
    pytest.mark.skipif(platform.machine() not in ("x86_64", "aarch64"), reason="nobody knows this machine's calls"),
]

FAMILIES = (
    attacks_files,
    attacks_folders,
    attacks_network,
    attacks_processes,
    attacks_resources,
    attacks_storage,
    attacks_kernel,
    attacks_results,
)
ATTACKS = sorted((attack for family in FAMILIES for attack in family.ATTACKS), key=lambda attack: attack.number)
COLD = (2, 3, 19, 26, 33, 34)
# Those that depend most on who runs them.
AS_USER = "test_attack_is_held and (02- or 06- or 09- or 17- or 18- or 19- or 30- or 44- or 45-)"


def label(value: object) -> str:
    return f"{value.number:02}-{value.title.replace(' ', '-')}" if isinstance(value, Attack) else str(value)


@pytest.fixture
def decoys(monkeypatch: pytest.MonkeyPatch) -> Iterator[Decoys]:
    with ExitStack() as stack:
        decoys = Decoys(stack)
        monkeypatch.setattr(tempfile, "tempdir", str(decoys.temporary))
        yield decoys


def skip_without(tier: str) -> None:
    if tier not in available():
        pytest.skip(f"the tier {tier} does not hold here: {trial(tier).problem}")


def closed_to_others() -> str:
    """A folder that other users may not enter, and in which something lies that a script needs; empty without one."""
    needed = [Path(path).resolve() for path in (sys.prefix, sys.base_prefix, sys.executable, __file__)]
    folders = {folder for path in needed for folder in (path, *path.parents) if folder.is_dir()}
    return next((str(folder) for folder in sorted(folders) if not folder.stat().st_mode & 1), "")


def escapes(attack: Attack, results: list[RunResult], decoys: Decoys) -> list[str]:
    """What the attack achieved, by its own word and seen from outside."""
    found = []
    for result in results:
        found += [line for line in result.stdout.splitlines() if line.startswith("escaped")]
        texts = [result.stdout.encode(), result.stderr.encode(), *result.artefacts.values()]
        if any(decoys.mark.encode() in text for text in texts):
            found.append("a secret came out")
        if attack.green and result.completed and result.exit_code == 0 and result.record["ended"] == "returned":
            found.append("it looks as if it had run to its end")
    return found + decoys.changes()


def end(result: RunResult) -> str:
    if result.status == "exit" and result.exit_code and result.exit_code < 0:
        return signal.Signals(-result.exit_code).name
    return result.status


def assert_tried(attack: Attack, result: RunResult) -> None:
    """It ended as it should, and said of every way what became of it: a script that crashed has not been held."""
    assert end(result) in attack.ends, f"{end(result)} {result.stdout[-2000:]}{result.stderr[-2000:]}"
    if end(result) == "exit" and not attack.green:
        assert (result.exit_code, result.completed) == (0, True), result.stderr[-2000:]
        assert any(line.startswith(("held", "claimed", "escaped")) for line in result.stdout.splitlines())


@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize("attack", ATTACKS, ids=label)
def test_attack_is_held(attack: Attack, tier: str, decoys: Decoys) -> None:
    skip_without(tier)
    if attack.needs == "root" and tier == "base" and os.getuid() == 0 and closed_to_others():
        pytest.skip(f"root stays root where Python cannot be reached by others: {closed_to_others()} is closed to them")
    results = run(attack, decoys, tier)
    for result in results:
        assert_tried(attack, result)
    found = escapes(attack, results, decoys)
    if tier in attack.escapes and (attack.needs != "packages" or decoys.own_packages):
        assert found, "it is held by now: say so in SECURITY.md"
    else:
        assert found == []


@pytest.mark.parametrize("attack", [attack for attack in ATTACKS if attack.number in COLD], ids=label)
def test_attack_is_held_in_a_cold_process(attack: Attack, decoys: Decoys) -> None:
    if not available():
        pytest.skip("no tier holds here")
    results = run(attack, decoys, available()[0], warm=False)
    assert_tried(attack, results[0])
    assert escapes(attack, results, decoys) == []


@pytest.mark.parametrize("attack", [attack for attack in ATTACKS if not attack.hurts], ids=label)
def test_attack_succeeds_where_nothing_stops_it(attack: Attack, decoys: Decoys) -> None:
    if (attack.needs == "root" and os.getuid() != 0) or (attack.needs == "packages" and not decoys.own_packages):
        pytest.skip(f"it succeeds for nobody but those who have {attack.needs}")
    results = run(attack, decoys, attack.control)
    assert escapes(attack, results, decoys), f"{results[0].stdout[-2000:]}{results[0].stderr[-2000:]}"


def test_every_attack_of_the_list_is_here() -> None:
    assert {attack.number for attack in ATTACKS} >= set(range(1, 45))


def climb(code: str) -> CheckReport:
    if not available():
        pytest.skip("no tier holds here")
    return check(code, SolutionPlan.from_text((attacks_records.SAMPLE / "plan.json").read_text()), [])


def assert_readable(report: CheckReport) -> None:
    """It is the script's failure, not ours, and can be printed and written down."""
    assert report["status"] in ("passed", "failed"), report["rungs"][-1]["message"]
    text = json.dumps(report, ensure_ascii=False)
    assert text.encode("utf-8")
    assert not re.search(r"\\u00[01]|\u202e", text)


@pytest.mark.parametrize("record", attacks_records.RECORDS)
def test_no_record_breaks_its_reader(record: str) -> None:
    assert_readable(climb(attacks_records.forging(attacks_records.RECORDS[record])))


@pytest.mark.parametrize("metrics", attacks_records.FILES)
def test_no_file_breaks_its_reader(metrics: str) -> None:
    report = climb(attacks_records.forging(attacks_records.FINE, attacks_records.FILES[metrics]))
    assert_readable(report)
    assert report["status"] == "failed"


def test_a_forged_record_passes_no_judgement() -> None:
    """Attack 37 is held nowhere, and need not be: what a script says of itself is not what it is judged by."""
    report = climb(attacks_records.forging(attacks_records.FINE))
    assert report["status"] == "failed", report["rungs"]


def test_invented_metrics_pass_no_judgement() -> None:
    report = climb(attacks_records.inventing())
    assert report["status"] == "failed", report["rungs"][-2:]


@pytest.mark.skipif(os.getuid() != 0, reason="this is another user than root already")
def test_attacks_are_held_for_other_users_than_root(repository: Path) -> None:
    if closed := closed_to_others():
        pytest.skip(f"no other user can run Python: {closed} is closed to them")
    with tempfile.TemporaryDirectory(dir="/tmp") as home:
        Path(home).chmod(0o777)
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", __file__]
        environment = {**os.environ, "HOME": home, "TMPDIR": home, "PYTHONDONTWRITEBYTECODE": "1"}
        process = subprocess.run(
            [*command, "-k", AS_USER], cwd=repository, env=environment, user=65_432, group=65_432, extra_groups=[],
            capture_output=True, text=True, timeout=200, check=False,
        )  # fmt: skip
    assert process.returncode == 0, process.stdout[-4000:]
