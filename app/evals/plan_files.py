"""Solution plans as anybody wrote them, read tolerantly from text and from files of JSON lines."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from dlcodegen.errors import InputError
from dlcodegen.planner.gpt2.rows import json_lines

FIELDS = (
    "task category",
    "input",
    "output",
    "preprocess",
    "layers",
    "optimizer",
    "loss function",
    "learning rate",
    "batch size",
    "epochs",
    "evaluation metric",
)
_REQUIRED = frozenset(FIELDS) - {"preprocess"}
_EXAMPLE = '{"id": 1, "plan_text": "{...}"}'

Id = int | str


class ReadPlan(NamedTuple):
    """A plan, whatever its spelling and nesting."""

    fields: Mapping[str, Any]
    """Those of FIELDS that it has, each as it first occurs."""
    valid: bool
    """It is a JSON object, and nothing but `preprocess` is missing."""


NO_PLAN = ReadPlan({}, valid=False)


@dataclass(frozen=True)
class Plans:
    """Plans by id, in the order of their first occurrence."""

    source: str
    """File or system that they are from."""
    by_id: Mapping[Id, ReadPlan]
    remarks: list[str] = field(default_factory=list)
    """What was wrong with the file, a line each."""


def read_plan(text: str) -> ReadPlan:
    """The plan in this text. Malformed JSON is mended as far as it can be, and never valid."""
    try:
        paper, strict = _parsed(text)
    except RecursionError:  # thousands of brackets: what a language model that is stuck repeats
        return NO_PLAN
    fields: dict[str, Any] = {}
    waiting = [("", paper)]
    while waiting:
        name, value = waiting.pop()
        if name in FIELDS:
            fields.setdefault(name, value)
        if isinstance(value, dict):
            waiting += [(str(key).strip().lower(), inner) for key, inner in reversed(value.items())]
        elif isinstance(value, list):
            waiting += [("", inner) for inner in reversed(value)]
    return ReadPlan(fields, strict and fields.keys() >= _REQUIRED)


def read_plans(path: Path, numbered: bool = False) -> Plans:
    """Rows `{"id": ..., "plan_text": ...}` of a file. Broken rows are left out and named; of equal ids the last counts.

    `numbered`: a row without an id has the number of its line as id, as `planner predict` gives it.
    Raises InputError when the file cannot be read, or when no row of it can be used.
    """
    plans: dict[Id, ReadPlan] = {}
    broken: list[str] = []
    repeated: list[Id] = []
    for number, line in json_lines(path):
        try:
            key, text = _row(line, number if numbered else None)
        except InputError as error:
            broken.append(f"line {number}: {error}")
            continue
        if key in plans:
            repeated.append(key)
        plans[key] = read_plan(text)
    if not plans:
        raise InputError(f"{path} has no plan{f' ({broken[0]})' if broken else ''}: write {_EXAMPLE} on each line")
    remarks = [f"{path}: broken rows are left out: {_counted(broken)}"] if broken else []
    if repeated:
        remarks.append(f"{path}: of rows with the same id the last counts: {_counted(repeated)}")
    return Plans(str(path), plans, remarks)


def mismatches(references: Plans, predictions: Plans) -> list[str]:
    """Ids that only one of them has, a line for each of the two kinds."""
    missing = [key for key in references.by_id if key not in predictions.by_id]
    foreign = [key for key in predictions.by_id if key not in references.by_id]
    lines = []
    if missing:
        lines.append(f"{predictions.source}: missing ids count as empty plans: {_counted(missing)}")
    if foreign:
        lines.append(f"{predictions.source}: ids that no reference has are left out: {_counted(foreign)}")
    return lines


def _parsed(text: str) -> tuple[Any, bool]:
    """The JSON value, and whether it is a strict JSON object."""
    import json_repair

    try:
        paper = json.loads(text)
    except ValueError:  # a number of thousands of digits among it
        return json_repair.loads(text), False
    return paper, isinstance(paper, dict)


def _row(line: str, number: int | None) -> tuple[Id, str]:
    """Id and plan text. Raises InputError with what is wrong."""
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InputError("no JSON") from error
    if not isinstance(row, dict):
        raise InputError("no JSON object")
    key, plan = row.get("id", number), row.get("plan_text")
    if not isinstance(key, int | str):
        raise InputError("no id")
    if isinstance(plan, dict):
        plan = json.dumps(plan)
    if not isinstance(plan, str):
        raise InputError("no plan_text")
    return key, plan


def _counted(items: Collection[object]) -> str:
    """How many, and the first three of them."""
    first = ", ".join(map(str, list(items)[:3]))
    return f"{len(items)} ({first}{', ...' if len(items) > 3 else ''})"
