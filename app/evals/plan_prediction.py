"""`bench plans`: predicted solution plans, beside those of the published predictors (paper, Table IV, Figure 4)."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path

from dlcodegen.categories import title
from dlcodegen.errors import DLCodeGenError, SettingsError
from dlcodegen.evals import protocol_rows, stated_facts, task_reading
from dlcodegen.evals.journal import Row
from dlcodegen.evals.plan_files import read_plans
from dlcodegen.evals.plan_rows import measured, scored
from dlcodegen.evals.plan_scores import check_extra
from dlcodegen.evals.protocol_rows import NOTHING_SAID, Protocol
from dlcodegen.evals.published import published_data, published_predictions
from dlcodegen.planner.gpt2.decoding import Decoded, Decoder, Settings
from dlcodegen.planner.gpt2.memory import Memory
from dlcodegen.planner.gpt2.planner import shipped_planner
from dlcodegen.planner.gpt2.weights import SHIPPED, load
from dlcodegen.planner.shown_facts import VALUES, absent

Step = tuple[str, Callable[[], Row]]
_PHRASINGS = 240
_FEW = 20
"""Test rows of the quick version."""
_TIMED = 40
"""Plans that are timed for each way of decoding."""
_START = """
import json, resource, sys, time
import dlcodegen.planner.gpt2.weights as weights
before = time.perf_counter()
import torch
from transformers.models.gpt2.modeling_gpt2 import GPT2LMHeadModel
imported = time.perf_counter()
libraries = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
weights.load(weights.SHIPPED)
loaded = time.perf_counter()
from dlcodegen.planner import make_plan
from dlcodegen.context import Context
make_plan("Segment polyps in colonoscopy images with a U-Net", "", "", Context(planner="gpt2"))
memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps({"import": imported - before, "load": loaded - imported, "libraries": libraries, "memory": memory}))
"""


def steps(protocol: Protocol = NOTHING_SAID) -> Iterator[Step]:
    """What is measured; without the published data, what needs no such data.

    Raises SettingsError when the extra `eval` is not installed.
    """
    check_extra()
    yield from speed_steps()
    yield "stated facts", _stated_facts
    for part in ("open", "kept"):
        yield (
            f"facts of other hands, {part}",
            lambda part=part: stated_facts.read_of_others(part, shipped_planner().category_odds),  # type: ignore[misc]
        )
    yield from task_reading.steps()
    yield from _on_published_rows(partial(_all_ways, protocol))


def speed_steps() -> Iterator[Step]:
    """How long loading takes, and a plan, greedily and by beams."""
    yield "start", _start
    for way in ("greedy", "beam"):
        yield f"speed {way}", lambda way=way: _speed(Settings(way=way))  # type: ignore[misc]


def quick_steps() -> Iterator[Step]:
    """The published predictors' scores, and the shipped weights on a few rows."""
    check_extra()
    yield from _on_published_rows(_few_rows)


def _on_published_rows(work: Callable[[Path], Iterator[Step]]) -> Iterator[Step]:
    """What needs the published data, or the reason why it is absent."""
    try:
        folder = published_data()
    except SettingsError as problem:
        reason = str(problem)
        yield "published data", lambda: {"absent": reason}
        return
    yield from _published(folder)
    yield from work(folder)


def _all_ways(protocol: Protocol, folder: Path) -> Iterator[Step]:
    yield from protocol_rows.steps(protocol, folder)
    yield "shipped weights, greedy", lambda: _shipped(folder, Settings())
    yield "shipped weights, beam 3", lambda: _shipped(folder, Settings(way="beam"))
    yield "shipped weights, the task read as in a run", lambda: _as_in_a_run(folder)


def _few_rows(folder: Path) -> Iterator[Step]:
    yield f"shipped weights, greedy, {_FEW} rows", lambda: _shipped(folder, Settings(), _FEW)


def summary(rows: list[Row]) -> list[Row]:
    """What is printed on the terminal: a line for each system, the rest as it was measured."""
    return [{"what": row["key"], **{name: row[name] for name in row if name not in ("key", "made")}} for row in rows]


def _published(folder: Path) -> Iterator[Step]:
    paths = published_predictions(folder)
    for path in paths:
        yield f"published: {path.stem}", lambda path=path: scored(folder, read_plans(path))  # type: ignore[misc]
    if not paths:
        yield "published predictions", lambda: {"absent": f"there are no files in {folder / 'plans' / 'published'}"}


def _shipped(folder: Path, settings: Settings, most: int | None = None) -> Row:
    return measured(folder, Decoder(load(SHIPPED), Memory.load(SHIPPED), settings).decode, most)


def _as_in_a_run(folder: Path) -> Row:
    """Classifier and words have a say in what the task is; the network's guess where a run would ask back; greedy.

    Without a confidence: the network's own odds say nothing of what the others decided.
    """
    decoder = Decoder(load(SHIPPED), Memory.load(SHIPPED))

    def decode(requirement: str, dataset: str) -> Decoded:
        task = task_reading.category(requirement, "all", dataset)
        return decoder.decode(requirement, dataset, known={} if task == "other" else {"category": title(task)})

    row = measured(folder, decode)
    return {name: value for name, value in row.items() if name not in ("confidence", "calibration error")}


def _stated_facts() -> Row:
    """Of all facts that a plan has a place for, how many stand in it."""
    found = list(stated_facts.planned(shipped_planner(), _PHRASINGS, seed=11))
    stated = [fact for request, _ in found for fact in request.facts if fact["name"] in VALUES]
    missing = [fact["name"] for request, plan in found for fact in absent(plan, request.facts)]
    added = sum(" as stated" in plan.preprocess for _, plan in found)
    shown = len(stated) - len(missing)
    return {"phrasings": len(found), "stated": len(stated), "shown": shown, "missing": missing, "only added": added}


@cache
def _timed_requests() -> list[tuple[str, str]]:
    from dlcodegen.planner.recipe.pairs import pairs

    return [(pair.requirement, pair.dataset) for pair in pairs(_TIMED, seed=7, dev=True)]


def _speed(settings: Settings) -> Row:
    """Seconds a plan with the shipped weights, one after the other; the first is left out, for it warms up."""
    import torch

    decoder = Decoder(load(SHIPPED), Memory.load(SHIPPED), settings)
    seconds = []
    for requirement, dataset in [_timed_requests()[0], *_timed_requests()]:
        started = time.perf_counter()
        decoder.decode(requirement, dataset, "pytorch")
        seconds.append(time.perf_counter() - started)
    ordered = sorted(seconds[1:])
    return {
        "median s": round(ordered[len(ordered) // 2], 3),
        "p95 s": round(ordered[int(len(ordered) * 0.95)], 3),
        "threads": torch.get_num_threads(),
        "plans": len(ordered),
    }


def _start() -> Row:
    """Seconds to import the libraries and to load the weights, and MiB, in a process of its own."""
    done = subprocess.run([sys.executable, "-c", _START], capture_output=True, text=True, timeout=120, check=False)
    if done.returncode:
        raise DLCodeGenError(f"the predictor cannot be loaded: {done.stderr.strip().splitlines()[-1]}")
    found = json.loads(done.stdout)
    return {
        "import s": round(found["import"], 2),
        "load s": round(found["load"], 2),
        "libraries MiB": found["libraries"] // 1024,
        "with a plan MiB": found["memory"] // 1024,
    }
