"""Records and files that break who reads them: the script has stolen the token, and writes what it likes."""

import json
from pathlib import Path

SAMPLE = Path(__file__).parents[2] / "corpus" / "samples" / "tabular-classification" / "binary-mlp"
HUGE = 10**400
FINE = {"ended": "returned", "seen": {"milestones": {"forward": 0.1, "backward": 0.2, "step": 0.3}}}

_MAIN = "def main() -> None:"
_FORGE = '''def main() -> None:
    """Claims to have done the work."""
    import os
    import sys

    Path("outputs").mkdir()
    Path("outputs", "metrics.json").write_text({metrics!r})
    frame = sys._getframe()
    while "token" not in frame.f_locals:
        frame = frame.f_back
    data = {record!r}.replace("TOKEN", frame.f_locals["token"]).encode()
    while data:
        data = data[os.write(3, data):]
    os._exit(0)


def work() -> None:'''


def nested(depth: int) -> str:
    return "[" * depth + "]" * depth


def _seen(**fields: object) -> str:
    return json.dumps({"token": "TOKEN", "ended": "returned", "seen": {**FINE["seen"], **fields}})  # type: ignore[dict-item]


METRICS = '{"auc": 0.9, "accuracy": 0.9}'
RECORDS = {
    "other types": json.dumps(
        {"token": "TOKEN", "ended": [1], "autopsy": 5, "seen": [1], "warnings": "x", "faults": {}}
    ),
    "other types inside": _seen(model=1, layers="x", inputs=[1, [[2]]], optimizers=[3, {"name": 4}], milestones=[5]),
    "numbers too large": _seen(first_loss=HUGE, last_loss=-HUGE, steps=HUGE, milestones={"backward": HUGE}),
    "settings too large": _seen(optimizers=[{"name": "Adam", "settings": {"lr": HUGE, "betas": [HUGE]}}]),
    "no numbers": '{"token": "TOKEN", "seen": {"milestones": {"backward": NaN}, "first_loss": Infinity}}',
    "half characters": _seen(model="\ud800", layers=["\udfff"]),
    "half characters in a fault": json.dumps(
        {"token": "TOKEN", **FINE, "faults": [{"kind": "x", "message": "\ud800"}]}
    ),
    "terminal commands": json.dumps(
        {"token": "TOKEN", **FINE, "faults": [{"kind": "\x1b]0;x\x07", "message": "\x1b[2J\r"}]}
    ),
    "long": json.dumps({"token": "TOKEN", **FINE, "faults": [{"kind": "x" * 90_000, "message": "y" * 90_000}]}),
    "deep": f'{{"token": "TOKEN", "ended": "returned", "faults": [{{"kind": "a", "message": {nested(900)}}}]}}',
    "deeper": f'{{"token": "TOKEN", "ended": "returned", "faults": {nested(985)}}}',
    "too deep": f'{{"token": "TOKEN", "ended": {nested(60_000)}}}',
}
FILES = {
    "half characters": json.dumps({"auc": 0.9, "\ud800": 1}),
    "terminal commands": json.dumps({"auc": 0.9, "\x1b[2J": 1}),
    "numbers too large": json.dumps({"auc": 0.9, "steps": HUGE}),
    "digits without end": '{"auc": ' + "1" * 5000 + "}",
    "deep": nested(60_000),
}


def forging(record: str, metrics: str = METRICS) -> str:
    """A whole script that does nothing and sends this record."""
    code = (SAMPLE / "code.py").read_text(encoding="utf-8")
    return code.replace(_MAIN, _FORGE.format(record=record, metrics=metrics))
