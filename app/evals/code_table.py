"""Rows of Table II: what the paper's systems wrote, what ours wrote, and the floor, scored alike."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from statistics import fmean, stdev
from typing import NamedTuple

from dlcodegen.evals.code_files import Codes, Task, in_order, read_codes
from dlcodegen.evals.code_metrics import clean
from dlcodegen.evals.code_outputs import MODEL_ON
from dlcodegen.evals.code_scores import CodeScores, check_extra, score
from dlcodegen.evals.journal import Row
from dlcodegen.execution.reading_rungs import complete, parse
from dlcodegen.execution.script import Script

FLOOR = "nearest other task's reference, copied"
EXECUTED = ("smoke run", "passed")
"""Shares of outputs of ours that were executed: up to its end, and through the whole ladder."""
_NEARLY_ALL = 0.9


class Output(NamedTuple):
    """What one system wrote for all tasks with one seed."""

    system: str
    seed: int
    rows: Sequence[Row]
    """Of `dlcodegen.evals.code_outputs`, in the order of the tasks."""


def outputs_of(tasks: Sequence[Task], rows: Sequence[Row]) -> list[Output]:
    """Those that are there for every task; the last of equal ones counts."""
    found: dict[tuple[str, int], dict[object, Row]] = {}
    for row in rows:
        if "absent" not in row:
            found.setdefault((row["system"], row["seed"]), {})[row["id"]] = row
    return [
        Output(system, seed, [by_id[task.id] for task in tasks])
        for (system, seed), by_id in found.items()
        if all(task.id in by_id for task in tasks)
    ]


def steps(
    tasks: Sequence[Task],
    known: Sequence[Task],
    published: Sequence[Path],
    outputs: Sequence[Output],
    absent: Mapping[str, str],
) -> Iterator[tuple[str, Callable[[], Row]]]:
    """Key and maker of each row; where a task has no reference nothing can be scored, and our rows say so.

    `known`: all tasks, among which the floor finds the nearest other one. `absent`: systems that were not asked -> why.
    Raises SettingsError when the extra `eval` is not installed.
    """
    check_extra()
    kind = f"{len(tasks)} tasks"
    without = next((f"task {task.id!r} has no reference" for task in tasks if not task.reference), "")
    if not without:
        if len(known) > 1:
            yield f"{FLOOR} ({kind})", lambda: _scored(tasks, FLOOR, nearest(tasks, known))
        for path in published:
            yield f"published: {path.stem} ({kind})", partial(_published, tasks, path)
    for output in outputs:
        key = f"{output.system}, seed {output.seed} ({kind})"
        yield key, partial(_absent, without) if without else partial(_ours, tasks, output)
    for system, reason in absent.items():
        yield system, partial(_absent, reason)


def comparable(rows: Sequence[Row]) -> list[Row]:
    """The summary's line of each system on the most tasks that it did; without those that tried but a few of them."""
    lines = summary([row for row in rows if "CodeBLEU" in row])
    most: dict[str, Row] = {}
    for line in lines:
        if line["tasks"] >= most.get(line["system"], line)["tasks"]:
            most[line["system"]] = line
    enough = _NEARLY_ALL * max((line["tasks"] for line in lines), default=0)
    return [line for line in lines if line is most[line["system"]] and line["tasks"] >= enough]


def summary(rows: list[Row]) -> list[Row]:
    """A line for each system, the mean over its seeds; `±`: standard deviation of CodeBLEU where there are several."""
    systems = dict.fromkeys((row["system"], row["tasks"]) for row in rows if "CodeBLEU" in row)
    return [
        _line(name, tasks, [row for row in rows if (row.get("system"), row.get("tasks")) == (name, tasks)])
        for name, tasks in systems
    ] + [{"system": row["key"], "absent": row["absent"]} for row in rows if "absent" in row]


def brief(rows: list[Row]) -> list[Row]:
    """The summary in as many columns as a terminal has room for; why a system is absent stands beside its name."""
    names = ("system", "answered", "CodeBLEU", "±", "names", *EXECUTED, "seconds a task")
    lines = [
        row | ({"system": f"{row['system']}: {row['absent']}"} if "absent" in row else {}) for row in summary(rows)
    ]
    return [{name: line[name] for name in names if name in line} for line in lines]


def nearest(tasks: Sequence[Task], known: Sequence[Task]) -> Codes:
    """For each task the reference of the other known task whose requirement is nearest by BM25, unchanged."""
    from rank_bm25 import BM25Okapi

    index = BM25Okapi([_words(task) for task in known])
    picked = {}
    for task in tasks:
        scores = zip(index.get_scores(_words(task)), known, strict=True)
        _, other = max(((score, other) for score, other in scores if other.id != task.id), key=lambda item: item[0])
        picked[task.id] = other.reference
    return Codes(FLOOR, picked)


def _words(task: Task) -> list[str]:
    return re.findall(r"[a-z0-9]+", f"{task.requirement} {task.dataset}".lower())


def _absent(reason: str) -> Row:
    return {"absent": reason}


def _published(tasks: Sequence[Task], path: Path) -> Row:
    return _scored(tasks, f"published: {path.stem}", read_codes(path))


def _ours(tasks: Sequence[Task], output: Output) -> Row:
    """With what the checks of these outputs found: shares in percent, seconds and tokens a task."""
    codes = Codes(output.system, {row["id"]: row["code"] for row in output.rows})
    elsewhere = sorted({row["made"][MODEL_ON] for row in output.rows if MODEL_ON in row.get("made", {})})
    return _scored(tasks, output.system, codes) | {
        **({"made": {MODEL_ON: ", ".join(elsewhere)}} if elsewhere else {}),
        "seed": output.seed,
        "model": output.rows[0]["model"],
        "method": output.rows[0]["method"],
        "temperature": output.rows[0]["temperature"],
        "decoding": output.rows[0].get("decoding", "greedy"),  # of rows that were made before it could be chosen
        "smoke run": 100 * fmean("smoke run" in row["rungs"] for row in output.rows),
        "passed": 100 * fmean(row["status"] == "passed" for row in output.rows),
        "seconds a task": round(fmean(row["seconds"] for row in output.rows), 1),
        "tokens a task": round(fmean(row["tokens"] for row in output.rows)),
        "stopped": [f"{row['id']}: {row['stopped'] or row.get('problem', '')}" for row in output.rows if _failed(row)],
    }


def _failed(row: Row) -> bool:
    return bool(row["status"] != "passed")


def _scored(tasks: Sequence[Task], system: str, codes: Codes) -> Row:
    texts, remarks = in_order(tasks, codes)
    scores = score([task.reference for task in tasks], texts)
    row: Row = {"system": system, "tasks": len(tasks), **dict(_named(scores))}
    row["answered"] = 100 * fmean(bool(text.strip()) for text in texts)
    row["no placeholder"] = 100 * fmean(map(_is_complete, texts))
    return row | ({"remarks": remarks} if remarks else {})


def _named(scores: CodeScores) -> Iterator[tuple[str, float]]:
    return ((name.replace("_", "-"), value) for name, value in scores._asdict().items())


def _is_complete(code: str) -> bool:
    """By the ladder's own rungs: it is Python, with no placeholder path and no body left empty."""
    script = Script(clean(code))
    return isinstance(parse(script), str) and isinstance(complete(script), str)


def _line(system: str, tasks: int, rows: Sequence[Row]) -> Row:
    names = [name.replace("_", "-") for name in CodeScores._fields]
    measured = ("answered", *names, "no placeholder", *EXECUTED, "seconds a task", "tokens a task")
    line: Row = {"system": system, "tasks": tasks, "seeds": len(rows)}
    line |= {name: fmean(row[name] for row in rows) for name in measured if all(name in row for row in rows)}
    if len(rows) > 1:
        line["±"] = stdev(row["CodeBLEU"] for row in rows)
    return line
