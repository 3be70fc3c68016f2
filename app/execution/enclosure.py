"""Shuts a script in and starts it: namespaces of its own, resource limits, no privileges.

Started by the launcher as `python -IS enclosure.py SPEC`, standard library only. Tells the launcher through the pipe
`report`, one JSON object a line: `layers` (layer -> why the kernel refused it, empty when it holds), `failed` (why the
script could not be started, empty as soon as it could) and `exit_code`. A layer that is refused does not keep the
next ones from being tried.
"""

import contextlib
import ctypes
import json
import os
import signal
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypedDict

# Numbers from the kernel's headers, the same on every architecture.
NAMESPACES = {"network namespace": 0x40000000, "mount namespace": 0x00020000, "pid namespace": 0x20000000}
CLONE_NEWUSER = 0x10000000
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS = 1, 4, 24, 38
MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REC, MS_PRIVATE = 2, 4, 8, 0x4000, 0x40000


class Enclosed(TypedDict):
    """What to start, and its limits for each process: bytes, seconds of CPU time, counts."""

    command: list[str]
    scratch: str
    launcher: int
    """Process id of the launcher."""
    report: int
    """File descriptor of the pipe to the launcher."""
    data: int
    address_space: int
    file_size: int
    cpu: int
    open_files: int
    processes: int


def system_call(name: str, *arguments: object) -> None:
    """Call a function of the C library. Raises OSError when it fails, or does not exist here."""
    function = getattr(ctypes.CDLL(None, use_errno=True), name, None)
    if function is None:
        raise OSError(f"this system has no {name}()")
    if function(*arguments) != 0:
        raise OSError(ctypes.get_errno(), f"{name}: {os.strerror(ctypes.get_errno())}")


def control_process(option: int, value: int) -> None:
    """prctl(2), where the system has it; it is never the only layer."""
    with contextlib.suppress(OSError):
        system_call("prctl", option, value, 0, 0, 0)


def refusal(attempt: Callable[[], None]) -> str:
    """Why the kernel refuses the attempt; empty when it does not."""
    try:
        attempt()
    except OSError as error:
        return error.strerror or str(error)
    return ""


def enter_user_namespace() -> None:
    """Keep the ids, lose every right over what belongs to others, gain that of making namespaces. Raises OSError."""
    user, group = os.geteuid(), os.getegid()
    system_call("unshare", CLONE_NEWUSER)
    Path("/proc/self/setgroups").write_text("deny", encoding="ascii")  # the kernel wants it before gid_map
    Path("/proc/self/uid_map").write_text(f"{user} {user} 1", encoding="ascii")
    Path("/proc/self/gid_map").write_text(f"{group} {group} 1", encoding="ascii")


def refusal_of_user_namespace() -> str:
    """Tried in a child that is thrown away: some systems allow only the first half, and there is no way back."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writer, refusal(enter_user_namespace).encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, encoding="utf-8") as answer:
        reason = answer.read()
    os.waitpid(child, 0)
    return reason


def enter_namespaces() -> dict[str, str]:
    """Layer -> refusal. The next child will be pid 1 of the new pid namespace, if there is one."""
    layers = {"user namespace": refusal_of_user_namespace()}
    if not layers["user namespace"]:
        enter_user_namespace()
    for name, flag in NAMESPACES.items():
        layers[name] = refusal(partial(system_call, "unshare", flag))
    return layers


def mount_own_proc() -> None:
    """A /proc that shows the new pid namespace only. Raises OSError; many containers refuse it."""
    system_call("mount", b"none", b"/", None, MS_REC | MS_PRIVATE, None)
    system_call("mount", b"proc", b"/proc", b"proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, None)


def become_init(report: int) -> None:
    """Return in a child that is pid 1 of the new namespace: when it dies, the kernel kills all below it."""
    child = os.fork()
    if child:
        os.close(report)
        os.waitpid(child, 0)
        os._exit(0)
    control_process(PR_SET_PDEATHSIG, signal.SIGKILL)


def give_up_privileges() -> None:
    """No capability survives the next exec, and no later one brings any."""
    for capability in range(64):
        control_process(PR_CAPBSET_DROP, capability)
    control_process(PR_SET_NO_NEW_PRIVS, 1)


def limit_resources(spec: Enclosed, own_user_namespace: bool) -> None:
    """Hard limits, which only ever go down."""
    import resource

    limits = {
        resource.RLIMIT_DATA: spec["data"],
        resource.RLIMIT_AS: spec["address_space"],
        resource.RLIMIT_FSIZE: spec["file_size"],
        resource.RLIMIT_CPU: spec["cpu"],
        resource.RLIMIT_NOFILE: spec["open_files"],
        resource.RLIMIT_CORE: 0,
    }
    if own_user_namespace:  # elsewhere it counts what this user runs anywhere
        limits[resource.RLIMIT_NPROC] = spec["processes"]
    for kind, wanted in limits.items():
        hard = resource.getrlimit(kind)[1]
        bound = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        with contextlib.suppress(ValueError, OSError):  # not every system has them all
            resource.setrlimit(kind, (bound, bound))


def tell(report: int, name: str, value: object) -> None:
    os.write(report, json.dumps({name: value}).encode() + b"\n")


def start(spec: Enclosed, own_user_namespace: bool) -> None:
    """Replace this process by the script; returns only when that fails."""
    try:
        with contextlib.suppress(OSError):
            Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")  # first to go when memory is short
        os.chdir(spec["scratch"])
        give_up_privileges()
        limit_resources(spec, own_user_namespace)
        tell(spec["report"], "failed", "")
        os.execv(spec["command"][0], spec["command"])
    except OSError as error:
        tell(spec["report"], "failed", str(error))


def reap(script: int) -> int:
    """Wait for the script, and on the way for every orphan; the script's exit code."""
    while True:
        child, status = os.wait()
        if child == script:
            return os.waitstatus_to_exitcode(status)


def main() -> None:
    spec: Enclosed = json.loads(sys.argv[1])
    os.set_inheritable(spec["report"], False)
    layers = enter_namespaces()
    control_process(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != spec["launcher"]:  # it died before we asked to die with it
        return
    if not layers["pid namespace"]:
        become_init(spec["report"])
        layers["own /proc"] = layers["mount namespace"] or refusal(mount_own_proc)
    control_process(PR_SET_DUMPABLE, 0)  # the script cannot look into this process, or change it
    tell(spec["report"], "layers", layers)
    script = os.fork()
    if script == 0:
        start(spec, own_user_namespace=not layers["user namespace"])
        os._exit(1)
    tell(spec["report"], "exit_code", reap(script))


if __name__ == "__main__":
    main()
