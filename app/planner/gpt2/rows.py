"""Training rows: a requirement, a description of the dataset, and the plan that belongs to them."""

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dlcodegen import categories
from dlcodegen.errors import InputError
from dlcodegen.plan import paper_fields

CLOSED = {
    "category": "task category",
    "optimizer": "optimizer",
    "loss": "loss function",
    "learning_rate": "learning rate",
    "batch_size": "batch size",
    "epochs": "epochs",
    "metric": "evaluation metric",
}
"""Fields with one value out of those that the training rows know -> their names in the paper's JSON."""
OPEN = {"layers": "layers", "input": "input", "output": "output", "preprocess": "preprocess"}
"""Fields that are written word by word."""
NUMBERS = ("learning_rate", "batch_size", "epochs")
_COUNTS = ("batch_size", "epochs")
_FRAMEWORKS = ("pytorch", "keras")


@dataclass(frozen=True)
class PlanRow:
    """One training row. A field that its plan lacks is absent from `values`, and not learnt from this row."""

    requirement: str
    dataset: str
    values: dict[str, str]
    """Closed fields, `input`, `output` and `preprocess`, as text."""
    layers: list[str]
    """None where the row asks for no deep-learning task (category `Other`)."""
    framework: str = ""
    """`pytorch`, `keras`, or empty where the row does not say."""


@dataclass
class RowsRead:
    """What a file of training rows held."""

    rows: list[PlanRow] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    """`line 3: no JSON`, one for each row that was left out."""
    foreign: dict[str, str] = field(default_factory=dict)
    """Categories outside the list -> the canonical names that they were read as."""


def read_rows(path: Path, canonical: bool = True, whole_plans: bool = True) -> RowsRead:
    """Rows of a JSON Lines file: `requirement`, `plan_text`, and if there are any `dataset` and `framework`.

    `canonical`: categories become the names of the closed list; otherwise they stay as they are written.
    `whole_plans`: a plan without layers is broken; otherwise its category is enough. A row that cannot be used is left
    out and named. Raises InputError when there is no such file, or when most of it is unusable.
    """
    read = RowsRead()
    for number, line in json_lines(path):
        try:
            read.rows.append(_row(line, canonical, whole_plans, read.foreign))
        except InputError as error:
            read.broken.append(f"line {number}: {error}")
    if not read.rows or len(read.rows) < len(read.broken):
        first = f"; {read.broken[0]}" if read.broken else ""
        raise InputError(
            f"{path}: {len(read.rows)} of {len(read.rows) + len(read.broken)} rows can be used{first}; "
            'write {"requirement": "...", "dataset": "...", "plan_text": "{...}"} on each line'
        )
    return read


def requests(path: Path) -> Iterator[tuple[Any, str, str]]:
    """(id, requirement, dataset) of each row; no plan is needed. Raises InputError that names a broken line."""
    for number, line in json_lines(path):
        try:
            row = _object(line)
        except InputError as error:
            raise InputError(f"{path}, line {number}: {error}") from error
        yield row.get("id", number), _words(row["requirement"]), _words(row.get("dataset"))


def json_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Lines that are not blank, with their numbers. Only a line feed ends one: texts may hold U+2028 and the like.

    Raises InputError when the file cannot be read as UTF-8 text.
    """
    try:
        lines = path.read_bytes().decode("utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is no UTF-8 text: give a file of JSON lines") from error
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}; give a file of JSON lines") from error
    return ((number, line) for number, line in enumerate(lines, 1) if line.strip())


def _object(line: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InputError("no JSON") from error
    if not isinstance(row, dict) or not _words(row.get("requirement")).strip():
        raise InputError("no object with a requirement")
    return row


def _row(line: str, canonical: bool, whole_plans: bool, foreign: dict[str, str]) -> PlanRow:
    row = _object(line)
    try:
        paper = row["plan_text"] if isinstance(row.get("plan_text"), dict) else json.loads(str(row["plan_text"]))
        found = paper_fields(paper)
    except (KeyError, ValueError, RecursionError) as error:
        raise InputError("plan_text is missing or no JSON") from error
    values = {name: _words(found.get(spelt)) for name, spelt in {**CLOSED, **OPEN}.items() if name != "layers"}
    values |= {name: _number(values[name], least=1 if name in _COUNTS else 0) for name in NUMBERS}
    if canonical and values["category"]:
        values["category"] = _canonical(values["category"], foreign)
    layers = list(_layers(found.get("layers")))
    complete = layers or not whole_plans or values["category"] == categories.title("other")
    if not values["category"] or not complete:
        raise InputError("the plan lacks its task category or its layers")
    return PlanRow(
        requirement=_words(row["requirement"]),
        dataset=_words(row.get("dataset")),
        values={name: value for name, value in values.items() if value},
        layers=layers,
        framework=row["framework"] if row.get("framework") in _FRAMEWORKS else "",
    )


def _layers(value: Any) -> Iterator[str]:
    """Layers come as a list, and in drifted plans as one text, or in groups under names."""
    if isinstance(value, dict):
        for group in value.values():
            yield from _layers(group)
    else:
        yield from filter(None, map(_words, value if isinstance(value, list) else [value]))


def _canonical(category: str, foreign: dict[str, str]) -> str:
    name = categories.nearest(category)
    if categories.title(name).lower() != category.lower():
        foreign[category] = name
    return categories.title(name)


def _words(value: Any) -> str:
    """Any JSON value as text on one line: attributes come as prose, as a list, or as keys with values."""
    if value is None:
        return ""
    if isinstance(value, dict):
        return "; ".join(f"{key}: {_words(item)}" for key, item in value.items())
    if isinstance(value, list):
        return ", ".join(_words(item) for item in value)
    return " ".join(str(value).split())


def _number(text: str, least: int) -> str:
    """The first number as it is usually written; empty where there is none that makes sense."""
    match = re.search(r"\d+(?:\.\d+)?(?:[eE][-+]?\d+)?|\.\d+", text)
    number = float(match.group()) if match else 0.0
    return f"{number:g}" if 0 < number < math.inf and number >= least else ""
