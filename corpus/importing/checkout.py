"""Where a git checkout comes from, read from git's own files: no git is called, so no hook or setting of it acts."""

import re
from pathlib import Path

_MOST_BYTES = 1_000_000
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_BRANCH = re.compile(r"refs/[A-Za-z0-9._/+-]{1,200}")


def checkout_origin(folder: Path) -> str:
    """`https://host/owner/name (commit ...)`, the folder's name where there is no remote; empty for no checkout."""
    git = folder / ".git"
    try:
        if git.is_symlink() or not git.is_dir():
            return ""
    except OSError:  # a folder that is closed to us
        return ""
    address = _without_secrets(_remote(_text(git / "config"))) or folder.name
    commit = _commit(git)
    return f"{address} (commit {commit})" if commit else address


def _text(file: Path) -> str:
    """A small regular file of git's; empty when there is none."""
    try:
        if file.is_symlink() or not file.is_file() or file.stat().st_size > _MOST_BYTES:
            return ""
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _remote(config: str) -> str:
    """The address of `origin`, else of the first remote."""
    found: dict[str, str] = {}
    remote = ""
    for line in config.splitlines():
        if section := re.match(r'\s*\[\s*(\w+)(?:\s+"([^"]*)")?', line):
            remote = section[2] or "" if section[1].lower() == "remote" else ""
        elif remote and (setting := re.match(r"\s*url\s*=\s*(.+)", line, re.IGNORECASE)):
            found.setdefault(remote, setting[1].strip().strip('"'))
    return found.get("origin") or next(iter(found.values()), "")


def _without_secrets(address: str) -> str:
    """The address without user, password, query and control characters."""
    shown = "".join(character for character in address if character.isprintable())[:300]
    scheme, separator, rest = shown.rpartition("://")
    if separator:
        # A password may hold what should have been escaped: all before the last @ goes first.
        return f"{scheme}://{re.split(r'[?#]', rest.rpartition('@')[2], maxsplit=1)[0]}"
    return "" if "::" in shown else shown.rpartition("@")[2]  # `ext::...` is a command, which may hold anything


def _commit(git: Path) -> str:
    """The commit that is checked out; empty where git's files do not say."""
    head = _text(git / "HEAD").strip()
    if head.startswith("ref:"):
        branch = head.removeprefix("ref:").strip()
        if not _BRANCH.fullmatch(branch) or ".." in branch:
            return ""
        packed = (line.partition(" ") for line in _text(git / "packed-refs").splitlines())
        head = _text(git / branch).strip() or next((commit for commit, _, name in packed if name == branch), "")
    return head if _COMMIT.fullmatch(head) else ""
