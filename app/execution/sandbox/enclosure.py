"""Shuts a process in, layer by layer, and starts the script in it.

    supervisor
    └── keeper        leaves for new namespaces; waits (its own child is pid 1 there)
        └── init      pid 1: when it dies, the kernel kills all below it; reaps, and tells how the script ended
            └── the script

Without namespaces the keeper does what init does. Tells the supervisor through a pipe, one JSON object a line:
`failed` (why the script could not be started; empty as soon as it could) and `exit_code`.
"""

import contextlib
import json
import os
import signal
import sys
from pathlib import Path
from typing import NamedTuple, NoReturn

from dlcodegen.execution.sandbox import landlock, namespaces, seccomp
from dlcodegen.execution.sandbox.harness import run_harness
from dlcodegen.execution.sandbox.kernel import (
    PR_SET_DUMPABLE,
    PR_SET_PDEATHSIG,
    bound_capabilities,
    control_process,
    drop_capabilities,
)
from dlcodegen.execution.sandbox.spec import Spec

NAMESPACED = ("full", "namespaces")
LANDLOCKED = ("full", "base")
RECORD, REPORT = 3, 4
"""File descriptors behind the standard three: what the script's harness writes, and what we do."""
_FIRST_UID, _UIDS = 61184, 4000  # the range that systemd lends to services without a user of their own


class Ends(NamedTuple):
    """Writing ends of the pipes to the supervisor."""

    stdout: int
    stderr: int
    record: int
    report: int


def enclose(spec: Spec, ends: Ends, token: str) -> NoReturn:
    """Become the keeper of one run; in it, the script. Never returns."""
    try:
        _take_descriptors(ends)
        supervisor = os.getppid()
        os.setsid()
        if spec["command"]:
            _become_other_sandbox(spec)
        uid = _lent_uid(spec, supervisor)
        if uid is not None:
            _hand_over(spec["scratch"], uid)
        if spec["tier"] in NAMESPACED:
            namespaces.unshare(as_root=os.geteuid() == 0)
            _die_with(supervisor)
            _become_init()
            namespaces.enter_private_root(
                namespaces.Tree(spec["mount_point"], spec["readable"], spec["scratch"], spec["devices"])
            )
        elif spec["tier"] != "unsandboxed":
            _die_with(supervisor)
        _start(spec, token, uid)
    except OSError as error:
        tell("failed", str(error))
    finally:
        os._exit(1)  # a forked process must not run on into its parent's code


def tell(name: str, value: object) -> None:
    os.write(REPORT, json.dumps({name: value}).encode() + b"\n")


def _take_descriptors(ends: Ends) -> None:
    """Exactly five of them, in fixed places; nothing else that was open stays so."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    moved = [os.dup(descriptor) for descriptor in (nothing, *ends)]  # out of the way of the places
    for place, descriptor in enumerate(moved):
        os.dup2(descriptor, place)
    os.closerange(len(moved), os.sysconf("SC_OPEN_MAX"))


def _become_other_sandbox(spec: Spec) -> NoReturn:
    """Replace a child by the command, and wait for it."""
    child = os.fork()
    if child == 0:
        os.chdir(spec["scratch"])
        os.close(RECORD)
        os.set_inheritable(REPORT, False)
        if not spec["cleanup"]:  # who cleans up does not run the script itself, and limits it in its own way
            _limit_resources(spec, counts_own_processes=False)
        os.execve(spec["command"][0], spec["command"], {**os.environ, **spec["environment"]})
    tell("failed", "")
    os.closerange(0, REPORT)
    tell("exit_code", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    os._exit(0)


def _lent_uid(spec: Spec, supervisor: int) -> int | None:
    """For root: a user id that owns nothing, for the script; None for others, and where it could not reach Python.

    A root of our own makes its files reachable. Without one, a folder that only root may enter bars the way.
    """
    if os.geteuid() != 0 or spec["tier"] == "unsandboxed":
        return None
    if spec["tier"] not in NAMESPACED and not all(map(_open_to_all, (sys.prefix, sys.base_prefix, spec["folder"]))):
        return None
    return _FIRST_UID + supervisor % _UIDS


def _hand_over(folder: str, uid: int) -> None:
    for parent, folders, files in os.walk(folder):
        for name in (".", *folders, *files):
            os.chown(os.path.join(parent, name), uid, uid)  # noqa: PTH118 - all of it was laid there by us


def _open_to_all(path: str) -> bool:
    return all(folder.stat().st_mode & 1 for folder in (Path(path), *Path(path).parents))


def _die_with(parent: int) -> None:
    """The kernel kills this process when its parent ends. Raises OSError when it already has."""
    control_process(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        raise OSError("the supervisor is gone")


def _become_init() -> None:
    """Return in a child that is pid 1 of the new process table."""
    child = os.fork()
    if child == 0:
        _die_with(0)  # seen from the new table, its parent has no number
        return
    os.closerange(0, REPORT + 1)
    os.waitpid(child, 0)
    os._exit(0)


def _start(spec: Spec, token: str, uid: int | None) -> NoReturn:
    """Start the script in a child, wait for it, and on the way for every orphan."""
    sandboxed = spec["tier"] != "unsandboxed"
    if sandboxed:
        control_process(PR_SET_DUMPABLE, 0)  # nobody looks into this process, or changes it
    ready, shut_in = os.pipe()
    script = os.fork()
    if script == 0:
        os.close(shut_in)
        _become_script(spec, token, uid, ready)
    os.close(ready)
    os.closerange(0, REPORT)
    if sandboxed:
        drop_capabilities()
        seccomp.install(guard_truncation=False)
    os.close(shut_in)  # from here on there is nothing to be gained from this process
    while True:
        child, status = os.wait()
        if child == script:
            tell("exit_code", os.waitstatus_to_exitcode(status))
            os._exit(0)


def _become_script(spec: Spec, token: str, uid: int | None, ready: int) -> NoReturn:
    """Shut this process in and run the script in it. The order matters: what a layer needs, a later one takes away."""
    try:
        os.read(ready, 1)  # ends when the parent has shut itself in
        os.close(ready)
        os.chdir(spec["scratch"])
        sandboxed = spec["tier"] != "unsandboxed"
        with contextlib.suppress(OSError):
            Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")  # first to go when memory is short
        _limit_resources(spec, counts_own_processes=uid is not None or spec["tier"] in NAMESPACED)
        if uid is not None:
            bound_capabilities()
            os.setgroups([])
            os.setresgid(uid, uid, uid)
            os.setresuid(uid, uid, uid)
        if sandboxed:
            control_process(PR_SET_PDEATHSIG, signal.SIGKILL)  # changing the user took an earlier one back
            control_process(PR_SET_DUMPABLE, 1)  # or its own /proc/self would be closed to it
            drop_capabilities()
        if spec["tier"] in LANDLOCKED:
            landlock.restrict(
                [*spec["readable"], *_own_proc(spec["tier"])],
                [spec["scratch"], *(["/dev/shm"] if spec["tier"] in NAMESPACED else [])],
                spec["devices"],
            )
        if sandboxed:
            seccomp.install(guard_truncation=spec["tier"] == "base" and landlock.version() < _CAN_GUARD_TRUNCATION)
        tell("failed", "")
        os.close(REPORT)
    except OSError as error:
        tell("failed", str(error))
        os._exit(1)
    run_harness(spec, RECORD, token)


def _own_proc(tier: str) -> list[str]:
    """What a process may read about itself: all, but not of a network that it shares with others."""
    own = f"/proc/{os.getpid()}"
    return [own] if tier in NAMESPACED else [f"{own}/{name}" for name in _OF_ITSELF]


_OF_ITSELF = (
    *("cgroup", "cmdline", "comm", "environ", "exe", "fd", "limits", "maps", "mountinfo", "oom_score_adj"),
    *("smaps", "smaps_rollup", "stat", "statm", "status"),
)
_CAN_GUARD_TRUNCATION = 3
"""Landlock's version that can."""


def _limit_resources(spec: Spec, counts_own_processes: bool) -> None:
    """Hard limits, which only ever go down."""
    import resource

    bounds = spec["bounds"]
    limits = {
        resource.RLIMIT_DATA: bounds["data"],
        resource.RLIMIT_FSIZE: bounds["file_size"],
        resource.RLIMIT_CPU: bounds["cpu"],
        resource.RLIMIT_NOFILE: bounds["open_files"],
        resource.RLIMIT_CORE: 0,
    }
    if bounds["address_space"]:
        limits[resource.RLIMIT_AS] = bounds["address_space"]
    if counts_own_processes:  # elsewhere it counts what this user runs anywhere
        limits[resource.RLIMIT_NPROC] = spec["processes"]
    for name in ("RLIMIT_MEMLOCK", "RLIMIT_MSGQUEUE"):
        if hasattr(resource, name):
            limits[getattr(resource, name)] = 1 << 16
    for kind, wanted in limits.items():
        hard = resource.getrlimit(kind)[1]
        bound = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        with contextlib.suppress(ValueError, OSError):  # not every system has them all
            resource.setrlimit(kind, (bound, bound))
