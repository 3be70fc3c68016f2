"""The observer, on small scripts of our own: each runs in a forked process, so that no hook reaches the tests."""

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

DRIVER = """
import json, os, sys
import dlcodegen.execution.observer.watch
assert not {"torch", "numpy", "typing_extensions"} & set(sys.modules), "imported before the process is shut in"
from dlcodegen.execution.observer.watch import Observer

def observe(path):
    observer, stopped = Observer(path), ""
    code = open(path).read()
    observer.install(code)
    try:
        exec(compile(code, path, "exec"), {"__name__": "__main__"})
    except Exception as error:
        stopped = f"{type(error).__name__}: {error}"
    shown = {"seen": observer.seen(), "warnings": observer.warnings, "faults": observer.faults}
    with open(path + ".json", "w") as file:
        json.dump(shown | {"failures": observer.failures, "stopped": stopped}, file, allow_nan=False)

plain, *others = sys.argv[1:]
for paths in ([plain], others):
    for path in paths:
        if os.fork() == 0:
            try:
                observe(path)
            finally:
                sys.stdout.flush()
                os._exit(0)
        os.wait()
    import torch._dynamo  # the first step of an optimizer does
"""
NET = """
import torch
from torch import nn
from torch.nn import functional as F

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden = nn.Sequential(nn.Linear(8, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.1))
        self.width = self.hidden(torch.zeros(4, 8)).shape[1]
        self.head = nn.Linear(self.width, 3)

    def forward(self, x):
        return self.head(self.hidden(x))

torch.manual_seed(0)
inputs = torch.randn(32, 8)
targets = inputs[:, :3].argmax(dim=1)
model, criterion = Net(), nn.CrossEntropyLoss()
"""
TRAINING = (
    NET
    + """
optimizer = torch.optim.AdamW(model.parameters(), lr=0.01, weight_decay=0.1)
for epoch in range(4):
    model.train()
    for rows in torch.arange(32).split(16):
        loss = criterion(model(inputs[rows]), targets[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model.eval()
    with torch.no_grad():
        criterion(model(inputs), targets)
"""
)
LOSS = "criterion(model(inputs[rows]), targets[rows])"
SOFTMAX = ("self.head(self.hidden(x))", "self.head(self.hidden(x)).softmax(dim=1)")
# (kind of fault, name of the case) -> what is replaced in TRAINING by what
FAULTS: dict[tuple[str, str], list[tuple[str, str]]] = {
    ("no zero_grad", ""): [("optimizer.zero_grad()", "pass")],
    ("no zero_grad", "once an epoch"): [
        ("optimizer.zero_grad()", "pass"),
        ("model.train()", "model.train(); optimizer.zero_grad()"),
    ],
    ("probabilities to cross_entropy", "softmax"): [SOFTMAX],
    ("probabilities to cross_entropy", "by hand"): [
        ("return self.head(self.hidden(x))", "y = self.head(self.hidden(x)).exp(); return y / y.sum(1, keepdim=True)")
    ],
    ("probabilities to kl_div", ""): [
        SOFTMAX,
        (LOSS, "F.kl_div(model(inputs[rows]), F.one_hot(targets[rows], 3).float(), reduction='batchmean')"),
    ],
    ("no log_softmax before nll_loss", ""): [("nn.CrossEntropyLoss()", "nn.NLLLoss()")],
    ("wrong softmax dimension", ""): [
        ("self.head(self.hidden(x))", "self.head(self.hidden(x)).log_softmax(dim=0)"),
        ("nn.CrossEntropyLoss()", "nn.NLLLoss()"),
    ],
    ("sigmoid before logits loss", ""): [
        (LOSS, "F.binary_cross_entropy_with_logits(model(inputs[rows])[:, 0].sigmoid(), (targets[rows] > 0).float())")
    ],
    ("targets outside 0 and 1", ""): [
        (LOSS, "F.binary_cross_entropy_with_logits(model(inputs[rows])[:, 0], targets[rows].float())")
    ],
    ("softmax over one class", ""): [
        (LOSS, "F.binary_cross_entropy(model(inputs[rows])[:, :1].softmax(dim=1), (targets[rows, None] > 0).float())")
    ],
    ("one class to cross_entropy", ""): [(LOSS, "criterion(model(inputs[rows])[:, :1], 0 * targets[rows])")],
    ("loss broadcasts", ""): [(LOSS, "F.mse_loss(model(inputs[rows])[:, :1], inputs[rows, 0])")],
    ("class indices to a regression loss", ""): [
        (LOSS, "F.mse_loss(model(inputs[rows]), targets[rows, None].float())")
    ],
    ("optimizer without the model", ""): [("AdamW(model.", "AdamW(Net().")],
    ("no gradient at the step", "reset too early"): [
        ("optimizer.zero_grad()", "pass"),
        ("loss.backward()", "loss.backward(); optimizer.zero_grad()"),
    ],
    ("no gradient at the step", "loss without a graph"): [
        ("loss.backward()", "torch.tensor(loss.item(), requires_grad=True).backward()")
    ],
    ("gradients clipped after the step", ""): [
        ("optimizer.step()", "optimizer.step(); nn.utils.clip_grad_norm_(model.parameters(), 1)")
    ],
    ("trained in evaluation mode", ""): [
        ("    model.train()\n", ""),
    ],
    ("judged in training mode", ""): [("    model.eval()\n", "")],
    ("dropout in evaluation", ""): [("self.hidden(x)", "F.dropout(self.hidden(x), 0.1)")],
}
# What looks like a fault and is none.
RIGHT = {
    "plain": TRAINING,
    "accumulated": TRAINING.replace("optimizer.step()", "rows[0] and optimizer.step()").replace(
        "        optimizer.zero_grad()", "        rows[0] or optimizer.zero_grad()"
    ),
    "reset in place": TRAINING.replace("zero_grad()", "zero_grad(set_to_none=False)"),
    "warm-up from 0": TRAINING.replace("lr=0.01", "lr=0.0"),
    "closure": NET
    + """
optimizer = torch.optim.LBFGS(model.parameters())
def closure():
    optimizer.zero_grad()
    loss = criterion(model(inputs), targets)
    loss.backward()
    return loss
for _ in range(3):
    optimizer.step(closure)
""",
    "adversarial": NET
    + """
maker = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Linear(8, 8))
of_maker, of_critic = torch.optim.Adam(maker.parameters()), torch.optim.Adam(model.parameters())
def judged(batch, truth):
    return F.binary_cross_entropy_with_logits(model(batch)[:, 0], torch.full((32,), truth))
for _ in range(4):
    fake = maker(torch.randn(32, 4))
    of_critic.zero_grad()
    judged(inputs, 1.1).backward()
    judged(fake.detach(), 0.0).backward()
    of_critic.step()
    of_maker.zero_grad()
    judged(fake, 1.0).backward()
    of_maker.step()
    with torch.no_grad():
        maker(torch.randn(4, 4))
""",
    "optimised input": NET
    + """
model.eval()
image = inputs.clone().requires_grad_()
optimizer = torch.optim.Adam([image])
for _ in range(4):
    optimizer.zero_grad()
    criterion(model(image), targets).backward()
    optimizer.step()
""",
    "attention over a bag": NET
    + """
class Bag(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight, self.head = nn.Linear(8, 1), nn.Linear(8, 1)
    def forward(self, bag):
        return self.head((self.weight(bag).softmax(dim=0) * bag).sum(dim=0))
model = Bag()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for _ in range(4):
    optimizer.zero_grad()
    F.binary_cross_entropy_with_logits(model(inputs), torch.ones(1)).backward()
    optimizer.step()
""",
}
WARNINGS = """
import warnings
import torch
from torch.nn import functional as F

warnings.filterwarnings("ignore")
for size in range(3):
    warnings.warn(f"old {size}", FutureWarning)
warnings.filterwarnings("default")
for size in (2, 3):
    F.l1_loss(torch.ones(size, 1), torch.ones(size))
warnings.warn("noise", RuntimeWarning)
warnings.warn_explicit("in a library", DeprecationWarning, "library.py", 1)
"""
KERAS = """
import numpy as np
import keras
from keras import layers

x, y = np.random.rand(48, 6).astype("float32"), np.arange(48) % 3
model = keras.Sequential([layers.Dense(16, activation="relu"), layers.Dropout(0.2), layers.Dense(3)])
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
model.compile(optimizer=keras.optimizers.Adam(0.01), loss=loss)
model.fit(x, y, batch_size=16, epochs=2, verbose=0)
"""


def planted(edits: list[tuple[str, str]]) -> str:
    script = TRAINING
    for old, new in edits:
        assert old in script
        script = script.replace(old, new)
    return script


SCRIPTS = {
    "nothing": "print('no framework')",
    **RIGHT,
    **{f"{kind}: {case}": planted(edits) for (kind, case), edits in FAULTS.items()},
    "warnings": WARNINGS,
    "nan": TRAINING.replace("loss = ", "loss = torch.tensor(1.0 - 2 * (epoch > 0)).sqrt() * "),
    "overflow": TRAINING.replace("loss.backward()", "loss.backward(); model.head.bias.grad.fill_(torch.inf)"),
    "raises": TRAINING.replace(LOSS, f"{LOSS} + undefined"),
}
if find_spec("keras"):
    SCRIPTS |= {"keras": KERAS, "keras logits": KERAS.replace("from_logits=True", "from_logits=False")}


needs_keras = pytest.mark.skipif(not find_spec("keras"), reason="Keras is not installed")


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Name of the script -> what its observer showed."""
    folder = tmp_path_factory.mktemp("observed")
    paths = {}
    for number, (name, script) in enumerate(SCRIPTS.items()):
        paths[name] = folder / str(number) / "main.py"
        paths[name].parent.mkdir()
        paths[name].write_text(script)
    environment = os.environ | {"KERAS_BACKEND": "torch", "OMP_NUM_THREADS": "1", "KERAS_HOME": str(folder)}
    command = [sys.executable, "-c", DRIVER, *map(str, paths.values())]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=200)
    assert run.returncode == 0, run.stderr
    results = {name: Path(f"{path}.json") for name, path in paths.items()}
    missing = [name for name, path in results.items() if not path.exists()]
    assert not missing, run.stderr
    return {name: json.loads(path.read_text()) | {"stderr": run.stderr} for name, path in results.items()}


def line(script: str, text: str) -> int:
    return next(number for number, row in enumerate(script.splitlines(), start=1) if text in row)


def test_what_the_running_model_shows(shown: dict[str, Any]) -> None:
    seen = dict(shown["plain"]["seen"])
    optimizer = seen.pop("optimizers")[0]
    milestones = seen.pop("milestones")
    assert seen.pop("last_loss") < seen.pop("first_loss") < 3
    assert seen == {
        "framework": "pytorch",
        "model": "Net",
        "parameters": 8 * 16 + 16 + 2 * 16 + 16 * 3 + 3,
        "layers": [
            "Linear(in_features=8, out_features=16, bias=True)",
            seen["layers"][1],
            "ReLU()",
            "Dropout(p=0.1, inplace=False)",
            "Linear(in_features=16, out_features=3, bias=True)",
        ],
        "inputs": [[16, 8]],
        "outputs": [[16, 3]],
        "batch_size": 16,
        "losses": ["cross_entropy"],
        "steps": 8,
    }
    assert seen["layers"][1].startswith("BatchNorm1d(16, ")
    assert optimizer["name"] == "AdamW"
    assert optimizer["settings"].items() >= {"lr": 0.01, "weight_decay": 0.1, "betas": [0.9, 0.999]}.items()
    assert 0 < milestones["forward"] <= milestones["backward"] <= milestones["step"] < 60


@pytest.mark.parametrize("name", RIGHT)
def test_right_training_shows_no_fault(shown: dict[str, Any], name: str) -> None:
    assert shown[name]["stopped"] == ""
    assert (shown[name]["faults"], shown[name]["warnings"]) == ([], [])
    assert set(shown[name]["seen"]["milestones"]) == {"forward", "backward", "step"}


@pytest.mark.parametrize(("kind", "case"), FAULTS)
def test_faults_are_reported(shown: dict[str, Any], kind: str, case: str) -> None:
    notes = {note["kind"]: note for note in shown[f"{kind}: {case}"]["faults"]}
    assert kind in notes
    row = SCRIPTS[f"{kind}: {case}"].splitlines()[notes[kind]["line"] - 1]
    assert any(word in row for word in ("loss = ", "optimizer.step()", "criterion(model", "F.dropout"))


@pytest.mark.parametrize("name", SCRIPTS)
def test_the_observer_itself_does_not_fail(shown: dict[str, Any], name: str) -> None:
    assert shown[name]["failures"] == []


def test_a_loss_that_is_nan_stops_the_run(shown: dict[str, Any]) -> None:
    assert shown["nan"]["stopped"] == "NonFiniteLoss: the loss is nan at step 3"
    assert shown["nan"]["seen"]["steps"] == 2
    assert [note["line"] for note in shown["nan"]["faults"]] == [line(SCRIPTS["nan"], "loss.backward()")]


def test_weights_that_overflow_stop_the_run(shown: dict[str, Any]) -> None:
    assert shown["overflow"]["stopped"] == "NonFiniteWeights: head.bias is not finite after step 1"


def test_a_script_that_fails_still_shows_its_model(shown: dict[str, Any]) -> None:
    seen = shown["raises"]["seen"]
    assert shown["raises"]["stopped"].startswith("NameError")
    assert (seen["model"], seen["inputs"], seen["outputs"]) == ("Net", [[16, 8]], [[16, 3]])
    assert set(seen["milestones"]) == {"forward"}


def test_a_script_without_a_framework_shows_nothing(shown: dict[str, Any]) -> None:
    assert (shown["nothing"]["seen"], shown["nothing"]["stopped"]) == ({}, "")


def test_warnings_have_the_line_that_causes_them(shown: dict[str, Any]) -> None:
    script = SCRIPTS["warnings"]
    notes = [(note["kind"], note["line"]) for note in shown["warnings"]["warnings"]]
    assert notes == [
        ("FutureWarning", line(script, "old {size}")),
        ("UserWarning", line(script, "F.l1_loss")),
    ]
    assert shown["warnings"]["warnings"][0]["message"] == "old 0"
    assert shown["warnings"]["stderr"].count("FutureWarning: old") == 1


@needs_keras
def test_keras_shows_the_same(shown: dict[str, Any]) -> None:
    seen = shown["keras"]["seen"]
    assert (seen["framework"], seen["model"], seen["parameters"]) == ("keras", "Sequential", 6 * 16 + 16 + 16 * 3 + 3)
    assert seen["layers"] == ["Dense(units=16, activation=relu)", "Dropout(rate=0.2)", "Dense(units=3)"]
    assert (seen["inputs"], seen["outputs"], seen["batch_size"], seen["steps"]) == ([[16, 6]], [[16, 3]], 16, 6)
    assert seen["losses"] == ["SparseCategoricalCrossentropy"]
    assert seen["optimizers"][0]["name"] == "Adam"
    assert seen["optimizers"][0]["settings"]["learning_rate"] == pytest.approx(0.01)
    assert (shown["keras"]["faults"], shown["keras"]["warnings"], shown["keras"]["stopped"]) == ([], [], "")


@needs_keras
def test_keras_gives_logits_to_a_loss_of_probabilities(shown: dict[str, Any]) -> None:
    faults = shown["keras logits"]["faults"]
    assert [fault["kind"] for fault in faults] == ["logits to a loss of probabilities"]
    assert faults[0]["line"] == line(KERAS, "model.fit")
