"""Which sandbox this computer offers, found out by doing what is forbidden: never by asking for versions.

    full         namespaces with a root of their own, Landlock, a system call filter, limits
    base         Landlock, a system call filter, limits: what containers and most hosts allow without any right
    namespaces   namespaces with a root of their own, a system call filter, limits: kernels without Landlock

Two more are used when they are asked for by name, `docker:IMAGE` and `sandbox-exec` (`other_sandboxes.py`); and nothing
at all, `unsandboxed`, only by the user's word.
"""

import json
import logging
import os
import tempfile
from functools import cache
from pathlib import Path
from typing import NamedTuple

from dlcodegen.errors import NoSandboxError, SandboxError, SettingsError
from dlcodegen.execution.sandbox.limits import MIB, Limits
from dlcodegen.execution.sandbox.run import RunResult, Tier, run_script

TIERS: tuple[Tier, ...] = ("full", "base", "namespaces")
"""Those of our own, strongest first."""
UNSANDBOXED: Tier = "unsandboxed"
_ACTS = Path(__file__).with_name("forbidden_acts.py")
_ANSWERS = "answers.json"
_LIMITS = Limits(wall=10.0, memory=256 * MIB, file_size=1 * MIB, processes=24)
_TOLERATED = {"existence of files"}  # acts that may succeed in a tier which is used all the same
_NOT_STOPPED = {
    "full": "faults of the kernel; use of processor time within the limits",
    "base": "asking which files exist, their sizes and times; no namespace hides other processes' names",
    "namespaces": "faults of the kernel; there is no second barrier before files",
    "docker": "what Docker's daemon allows; not tried out here",
    "sandbox-exec": "untested: limits on memory and processes are weak on this system",
    "unsandboxed": "everything: the script can do what you can",
}
_log = logging.getLogger("dlcodegen")


class Trial(NamedTuple):
    """What became of the forbidden acts in one tier."""

    denied: dict[str, str]
    """Act -> why it was denied; empty when it was possible."""
    problem: str
    """Why the tier is not used; empty when it holds."""


def choose(wanted: str = "auto", accept_unsandboxed: bool = False) -> Tier:
    """The tier to run generated code in: `auto` for the strongest that holds, or one by name.

    Raises NoSandboxError when none holds and `accept_unsandboxed` is not given; SettingsError for an unknown name, and
    for one that does not hold here.
    """
    if wanted.startswith("docker:") or wanted == "sandbox-exec":
        return wanted
    if wanted not in ("auto", *TIERS):
        raise SettingsError(f"sandbox is one of auto, {', '.join(TIERS)}, docker:IMAGE, sandbox-exec, not {wanted!r}")
    held = available()
    if wanted != "auto":
        if wanted not in held:
            raise SettingsError(f"the sandbox `{wanted}` does not hold here: {trial(wanted).problem}; use auto")
        return wanted
    if held:
        _warn_once(held[0])
        return held[0]
    if accept_unsandboxed:
        _warn_once(UNSANDBOXED)
        return UNSANDBOXED
    raise NoSandboxError(
        f"this computer offers no sandbox ({trial('base').problem}): add --sandbox docker:IMAGE, "
        "or --accept-unsandboxed to run generated code without protection"
    )


def available() -> list[Tier]:
    """The tiers of our own that hold on this computer, strongest first; tried out once per process."""
    return [tier for tier in TIERS if not trial(tier).problem]


@cache
def trial(tier: Tier) -> Trial:
    """Try every forbidden act in this tier."""
    if os.name != "posix":
        return Trial({}, "only Linux has it")
    try:
        result = _try_forbidden_acts(tier)
    except SandboxError as error:
        return Trial({}, str(error).removeprefix("generated code could not be started: "))
    if _ANSWERS not in result.artefacts:
        return Trial({}, f"it could not be tried out: {result.stderr.strip()[-200:] or result.status}")
    denied: dict[str, str] = json.loads(result.artefacts[_ANSWERS])
    if result.status == "processes":  # it was killed for it
        denied["threads"] = "watched"
    possible = [act for act, denial in denied.items() if not denial and act not in _TOLERATED]
    missing = "" if "threads" in denied else "the trial did not end"
    return Trial(denied, f"it does not stop: {', '.join(possible)}" if possible else missing)


def describe(tier: Tier) -> dict[str, str]:
    """What goes into every report: the tier, each protection (`yes (how)` or `no`), and what is not stopped."""
    name = tier.split(":", maxsplit=1)[0]
    protections = trial(tier).denied if tier in TIERS else {}
    return {
        "tier": tier,
        **{act: f"yes ({denial})" if denial else "no" for act, denial in protections.items()},
        "not stopped": _NOT_STOPPED[name],
    }


def _try_forbidden_acts(tier: Tier) -> RunResult:
    with tempfile.NamedTemporaryFile(prefix="dlcodegen-") as foreign:
        question = {
            "file": foreign.name,
            "process": os.getpid(),
            "memory": 2 * _LIMITS.memory,
            "file_size": 2 * _LIMITS.file_size,
            "threads": 2 * _LIMITS.processes,
        }
        code = _ACTS.read_text(encoding="utf-8")
        return run_script(code, [json.dumps(question)], _LIMITS, (_ANSWERS,), tier=tier, warm=False)


@cache
def _warn_once(tier: Tier) -> None:
    if tier != TIERS[0]:
        _log.warning("generated code runs in the sandbox `%s`, which does not stop: %s", tier, _NOT_STOPPED[tier])
