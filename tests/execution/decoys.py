"""What the attack scripts aim at: files, servers and a process of ours, and what of it looks different afterwards."""

import fcntl
import json
import os
import socket
import stat
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

# No privileges of root protect it, and it lets itself be traced; what signals it gets stay pending and can be seen.
_VICTIM = """
import ctypes, signal, sys
libc = ctypes.CDLL(None)
libc.capset((ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)())
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCONT, signal.SIGIO])
libc.prctl(0x59616D61, ctypes.c_long(-1), 0, 0, 0)
memory = ctypes.create_string_buffer(64)
print(ctypes.addressof(memory), flush=True)
sys.stdin.read()
"""
_FACTS_OF_PROCESS = ("TracerPid", "SigPnd", "ShdPnd", "Cpus_allowed")


class Decoys:
    """Open to every user, so that no permission of files or ids stands in for the sandbox."""

    def __init__(self, stack: ExitStack) -> None:
        self.mark = uuid.uuid4().hex
        """In everything secret, and known to no script."""
        self.name = f"atk{uuid.uuid4().hex[:8]}"
        """Of what scripts make outside, and of their processes."""
        made: list[Path] = []
        stack.callback(remove, made)
        self.temporary = _folder(made, "/tmp", 0o755)
        self.folder = self._files(made, stack)
        self.shared = self._shared(made)
        self.sibling = self.temporary / "dlcodegen-other"
        self.sibling.mkdir(mode=0o755)
        (self.sibling / "file").write_text(f"sibling {self.mark}")
        self.places = dict.fromkeys(
            ["/tmp", "/var/tmp", "/dev/shm", "/etc", "/run", "/usr/local/lib", "/root", str(Path.home()), sys.prefix]
        )
        self.packages = [Path(folder) for folder in sys.path if folder.endswith("-packages")]
        stack.callback(self._tidy, {folder: folder.stat() for folder in self.packages})
        self.servers = dict(_servers(stack, self.folder, self.name))
        self.victim = self._victim(stack)
        self.before = self.facts()

    def target(self) -> dict[str, Any]:
        """What a script is told."""
        return {
            "name": self.name,
            "folder": str(self.folder),
            "secret": str(self.folder / "secret.txt"),
            "files": [str(self.folder / f"file{number}") for number in range(6)],
            "shared": str(self.shared),
            "sibling": str(self.sibling / "file"),
            "places": [*self.places, str(self.folder)],
            "victim": self.victim.pid,
            "victim_group": self.victim.pid,
            "address": self.address,
            "mark": self.mark[::-1],  # a script that prints its arguments has found no secret
            **{name: _address(server) for name, server in self.servers.items()},
        }

    def changes(self) -> list[str]:
        """What is different from before, or has happened."""
        now = self.facts()
        found = [f"{name}: {self.before.get(name)} -> {now.get(name)}" for name in sorted(self.before | now)
                 if self.before.get(name) != now.get(name)]  # fmt: skip
        found += [f"the server {name} was reached" for name, server in self.servers.items() if _visited(server)]
        return found + [f"left: {path}" for path in self.left()]

    def facts(self) -> dict[str, object]:
        files = [self.folder, *self.folder.rglob("*"), self.shared, self.sibling, *self.sibling.rglob("*")]
        return {**{str(path): _facts_of_file(path) for path in files}, **_facts_of_process(self.victim)}

    def left(self) -> list[str]:
        """Files and processes of the scripts that should be gone, or never have been."""
        places = [*map(Path, self.places), *self.packages, Path(sys.prefix, "bin"), Path(os.__file__).parent]
        files = [path for place in places for path in self._made_in(place)]
        runs = [path for path in self.temporary.iterdir() if path != self.sibling]
        return [*map(str, files + runs), *(f"process {process}" for process in running(self.name))]

    def _made_in(self, place: Path) -> Iterator[Path]:
        for name in (self.name, f"{self.name}.pth", f"torch/__pycache__/{self.name}"):
            with suppress(OSError):
                (place / name).lstat()
                yield place / name

    def _tidy(self, packages: dict[Path, os.stat_result]) -> None:
        """Times are set back, or the fork server would take it for an installation."""
        for place in [*map(Path, self.places), *self.packages, Path(sys.prefix, "bin"), Path(os.__file__).parent]:
            for path in list(self._made_in(place)):
                path.unlink()
        for folder, before in packages.items():
            if folder.stat().st_mtime_ns != before.st_mtime_ns:
                os.utime(folder, ns=(before.st_atime_ns, before.st_mtime_ns))

    def _files(self, made: list[Path], stack: ExitStack) -> Path:
        folder = _folder(made, "/tmp", 0o777)
        (folder / "empty").mkdir()
        (folder / "secret.txt").write_text(f"secret {self.mark}")
        for number in range(6):
            _make(folder / f"file{number}")
        secret = os.open(folder / "secret.txt", os.O_RDONLY)
        stack.callback(os.close, secret)
        os.set_inheritable(secret, True)
        return folder

    def _shared(self, made: list[Path]) -> Path:
        """Lies where scripts may read: beside the packages, where this user may write there."""
        self.own_packages = os.access(sys.prefix, os.W_OK)
        parent = sys.prefix if self.own_packages else str(self.folder)
        shared = _folder(made, parent, 0o777) / "shared"
        _make(shared)
        return shared

    def _victim(self, stack: ExitStack) -> "subprocess.Popen[str]":
        victim = subprocess.Popen(
            [sys.executable, "-IS", "-c", _VICTIM],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={"API_KEY": f"{self.mark} {self.mark[::-1]}"},
            text=True,
            start_new_session=True,
        )
        stack.enter_context(victim)
        stack.callback(victim.kill)
        assert victim.stdout
        self.address = int(victim.stdout.readline())
        return victim


def running(name: str) -> list[int]:
    """Ids of the processes that call themselves so."""
    found = []
    for path in Path("/proc").glob("[0-9]*/comm"):
        with suppress(OSError):
            if path.read_text(errors="replace").strip() == name:
                found.append(int(path.parent.name))
    return found


def remove(folders: list[Path]) -> None:
    """Also what Python's own function cannot: it is an attack to leave that."""
    paths = [str(folder) for folder in folders if folder.exists()]
    subprocess.run(["chmod", "-R", "u+rwX", *paths], check=True)
    subprocess.run(["rm", "-rf", *paths], check=True)


def _folder(made: list[Path], parent: str, mode: int) -> Path:
    folder = Path(tempfile.mkdtemp(prefix="attack-", dir=parent))
    made.append(folder)
    folder.chmod(mode)
    return folder


def _make(path: Path) -> None:
    path.write_text("content")
    path.chmod(0o666)
    os.utime(path, (10**9, 10**9))
    with suppress(OSError):  # not every file system has them
        os.setxattr(path, "user.kept", b"kept")


def _servers(stack: ExitStack, folder: Path, name: str) -> Iterator[tuple[str, socket.socket]]:
    for label, family, kind, address in (
        ("tcp", socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 0)),
        ("tcp6", socket.AF_INET6, socket.SOCK_STREAM, ("::1", 0)),
        ("udp", socket.AF_INET, socket.SOCK_DGRAM, ("0.0.0.0", 0)),
        ("stream", socket.AF_UNIX, socket.SOCK_STREAM, str(folder / "stream")),
        ("datagram", socket.AF_UNIX, socket.SOCK_DGRAM, str(folder / "datagram")),
        ("hidden", socket.AF_UNIX, socket.SOCK_STREAM, f"\0{name}stream"),
        ("hidden_datagram", socket.AF_UNIX, socket.SOCK_DGRAM, f"\0{name}datagram"),
    ):
        server = stack.enter_context(socket.socket(family, kind))
        try:
            server.bind(address)
        except OSError:  # a machine without IPv6: nothing listens there
            yield label, server
            continue
        server.setblocking(False)
        if kind == socket.SOCK_STREAM:
            server.listen()
        yield label, server
    for path in folder.iterdir():
        if path.is_socket():
            path.chmod(0o777)


def _address(server: socket.socket) -> int | str:
    address = server.getsockname()
    if server.family == socket.AF_UNIX:
        return (address.decode() if isinstance(address, bytes) else str(address)).lstrip("\0")
    return int(address[1])


def _visited(server: socket.socket) -> bool:
    visits = 0
    with suppress(OSError):
        while True:
            if server.type == socket.SOCK_STREAM:
                server.accept()[0].close()
            else:
                server.recv(1 << 16)
            visits += 1
    return visits > 0


def _facts_of_file(path: Path) -> object:
    if not path.exists() and not path.is_symlink():
        return "gone"
    found = path.lstat()
    facts = [oct(found.st_mode), found.st_uid, found.st_nlink, found.st_size, found.st_mtime_ns]
    if stat.S_ISREG(found.st_mode):
        with path.open("rb") as file, suppress(OSError):
            facts.append(fcntl.ioctl(file, 0x80086601, bytes(8)).hex())  # FS_IOC_GETFLAGS
        facts.append(path.read_text(errors="replace")[:20].split(" ")[0])
        with suppress(OSError):
            facts.append(json.dumps(sorted(os.listxattr(path))))
    return facts


def _facts_of_process(victim: "subprocess.Popen[str]") -> dict[str, object]:
    if victim.poll() is not None:
        return {"victim": "dead"}
    folder = Path(f"/proc/{victim.pid}")
    rows = dict(line.split(":\t", 1) for line in (folder / "status").read_text().splitlines() if ":\t" in line)
    return {
        "victim": "stopped" if rows["State"][0] in "Tt" else "alive",
        **{f"victim's {name}": rows[name] for name in _FACTS_OF_PROCESS},
        "victim's limits": (folder / "limits").read_text(),
        "victim's nice": os.getpriority(os.PRIO_PROCESS, victim.pid),
        "victim's policy": os.sched_getscheduler(victim.pid),
        "victim's oom_score_adj": (folder / "oom_score_adj").read_text(),
    }
