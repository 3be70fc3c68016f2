"""What the sandbox enforces on this machine, found out by doing what is forbidden in a child of its own."""

import json
import tempfile
from functools import cache
from pathlib import Path

from dlcodegen.errors import SandboxError
from dlcodegen.execution.sandbox import MIB, Limits, RunResult, run_script

_ACTS = Path(__file__).with_name("forbidden_acts.py")
_ANSWERS = "answers.json"
_LIMITS = Limits(wall=10.0, memory=256 * MIB, file_size=1 * MIB, processes=24)

# Protection -> the layer of the enclosure that gives it.
_LAYERS = {"network": "network namespace", "environment": "user namespace", "other processes": "pid namespace"}


def probe() -> dict[str, str]:
    """Protection -> `yes (how)` or `no: why`, tried out once per process.

    Raises SandboxError when nothing can be run at all.
    """
    return dict(_probe())


@cache
def _probe() -> dict[str, str]:
    result = _try_forbidden_acts()
    if _ANSWERS not in result.artefacts:
        raise SandboxError(f"the sandbox could not be tried out: {result.stderr.strip()[-200:] or result.status}")
    denied: dict[str, str] = json.loads(result.artefacts[_ANSWERS])
    watched = result.status == "processes"  # the script was killed for it
    return {
        **{name: _by_layer(denied[name], layer, result.layers) for name, layer in _LAYERS.items()},
        "memory": _by_limit(denied["memory"]),
        "file size": _by_limit(denied["file size"]),
        "process count": "yes (watched)" if watched else _by_limit(denied["process count"]),
        "files": _by_limit(denied["files"], "a script can read and change what you can; a later version stops it"),
    }


def _try_forbidden_acts() -> RunResult:
    with tempfile.NamedTemporaryFile(prefix="dlcodegen-") as foreign:
        question = {
            "file": foreign.name,
            "memory": 2 * _LIMITS.memory,
            "file_size": 2 * _LIMITS.file_size,
            "processes": 2 * _LIMITS.processes,
        }
        return run_script(_ACTS.read_text(encoding="utf-8"), [json.dumps(question)], _LIMITS, (_ANSWERS,))


def _by_layer(denial: str, layer: str, layers: dict[str, str]) -> str:
    """A layer that was set up is credited with the denial; one that was refused says why."""
    refusal = layers.get(layer, f"no {layer} on this system")
    if denial:
        return f"yes ({denial})" if refusal else f"yes ({layer})"
    return f"no: {refusal or f'the {layer} does not stop it'}"


def _by_limit(denial: str, otherwise: str = "the limit is not enforced") -> str:
    return f"yes ({denial})" if denial else f"no: {otherwise}"
