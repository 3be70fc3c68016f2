"""Two sandboxes of others behind the same door: Docker, and macOS's sandbox-exec.

They start the script as plain `python main.py`, without our harness: there is no record from inside, so a report says
less. Neither was tried out on a machine that has it: the first needs a daemon, the second is marked untested.
"""

import os
import shutil
import sys
from pathlib import Path

from dlcodegen.errors import NoSandboxError
from dlcodegen.execution.sandbox.spec import Spec

COULD_NOT_START = 125
"""Exit code with which Docker says that the container could not be started."""


def docker(spec: Spec, image: str) -> tuple[list[str], list[str]]:
    """The command that runs the script in a container of `image`, and the one that removes the container.

    Raises NoSandboxError when there is no docker command.
    """
    program = shutil.which("docker")
    if program is None:
        raise NoSandboxError("there is no `docker` command: install Docker, or leave out --sandbox")
    client = [program, *(["--host", host] if (host := os.environ.get("DOCKER_HOST")) else [])]
    name = Path(spec["folder"]).name
    bounds = spec["bounds"]
    variables = {**spec["environment"], "HOME": "/work", "TMPDIR": "/tmp", "PYTHONUNBUFFERED": "1"}
    return [
        *client, "run", "--rm", "--init", "--name", name, "--pull", "never",
        "--network", "none", "--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges",
        "--pids-limit", str(spec["processes"]), "--memory", str(spec["memory"]), "--memory-swap", str(spec["memory"]),
        "--cpus", str(spec["threads"]), "--ulimit", f"fsize={bounds['file_size']}", "--ulimit", "core=0",
        "--ulimit", f"nofile={bounds['open_files']}", "--user", f"{os.getuid()}:{os.getgid()}",
        "--tmpfs", "/tmp:size=64m", "--volume", f"{spec['scratch']}:/work", "--workdir", "/work",
        *(part for name, value in variables.items() for part in ("--env", f"{name}={value}")),
        image, "python", spec["entry"], *spec["arguments"],
    ], [*client, "rm", "--force", name]  # fmt: skip


def sandbox_exec(spec: Spec) -> list[str]:
    """The command that runs the script under macOS's sandbox. Raises NoSandboxError elsewhere."""
    program = Path("/usr/bin/sandbox-exec")  # not from PATH, where somebody else's could lie
    if not program.exists():
        raise NoSandboxError("there is no sandbox-exec here: it is a part of macOS; leave out --sandbox")
    return [str(program), "-p", profile(spec), sys.executable, spec["entry"], *spec["arguments"]]


def profile(spec: Spec) -> str:
    """Everything is denied but reading Python and the system, and writing in the scratch folder."""
    readable = "".join(f'(subpath "{path}")' for path in ["/System", "/Library/Frameworks", *spec["readable"]])
    return (
        "(version 1)(deny default)"
        '(allow process-exec (subpath "{0}")(subpath "{1}"))(allow signal (target same-sandbox))'
        "(allow process-info* (target same-sandbox))(allow sysctl-read)(allow ipc-posix-sem)(allow mach-lookup)"
        '(allow file-read-metadata)(allow file-read* {2} (literal "/") (subpath "{3}")'
        '(literal "/dev/null")(literal "/dev/urandom")(literal "/dev/random"))'
        '(allow file-write* (subpath "{3}"))(allow file-write-data (literal "/dev/null"))'
    ).format(sys.prefix, sys.base_prefix, readable, spec["scratch"])
