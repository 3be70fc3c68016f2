"""Records and files that break who reads them: the script has stolen the token, and writes what it likes."""

import json
from pathlib import Path

SAMPLE = Path(__file__).parents[2] / "corpus" / "samples" / "tabular-classification" / "binary-mlp"
HUGE = 10**400
MILESTONES = {"forward": 0.1, "backward": 0.2, "step": 0.3}
ADAM = {"name": "Adam", "settings": {"lr": HUGE, "betas": [HUGE]}}

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

_INVENT = '''def main() -> None:
    """Claims to have done the work."""
    config = parse_config()
    out = Path(config.out)
    out.mkdir(exist_ok=True)
    torch.save(build_model(config).state_dict(), out / "model.pt")
    (out / "metrics.json").write_text(json.dumps({"auc": 0.99, "accuracy": 0.99}))
    print("test: auc 0.99, accuracy 0.99")


def work() -> None:'''


def nested(depth: int) -> str:
    return "[" * depth + "]" * depth


def _record(seen: dict[str, object], **fields: object) -> str:
    return json.dumps({"token": "TOKEN", "ended": "returned", "seen": {"milestones": MILESTONES, **seen}, **fields})


METRICS = '{"auc": 0.9, "accuracy": 0.9}'
FINE = _record({})
RECORDS = {
    "other types": json.dumps(
        {"token": "TOKEN", "ended": [1], "autopsy": 5, "seen": [1], "warnings": "", "faults": {}}
    ),
    "other types inside": _record({"model": 1, "layers": "x", "inputs": [1, [[2]]], "optimizers": [3, {"name": 4}]}),
    "numbers too large": _record({"first_loss": HUGE, "steps": HUGE, "optimizers": [ADAM], "parameters": -HUGE}),
    "no numbers": f'{{"token": "TOKEN", "seen": {{"milestones": {json.dumps(MILESTONES)}, "first_loss": NaN}}}}',
    "half characters": _record({"model": "\ud800"}, faults=[{"kind": "\udfff", "message": "\ud800"}]),
    "terminal commands": _record({}, faults=[{"kind": "\x1b]0;x\x07", "message": "\x1b[2J\r"}]),
    "long": _record({}, faults=[{"kind": "x" * 90_000, "message": "y" * 90_000}]),
    "deep": f'{{"token": "TOKEN", "ended": "returned", "faults": {nested(985)}}}',
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


def inventing() -> str:
    """A whole script that trains nothing, saves a model as it was built, and invents its metrics."""
    code = (SAMPLE / "code.py").read_text(encoding="utf-8")
    return code.replace(_MAIN, _INVENT)
