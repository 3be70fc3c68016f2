"""Coding tasks, reference code and generated code, read from files of JSON lines as anybody wrote them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from dlcodegen.errors import InputError, SettingsError
from dlcodegen.evals.published import published_data
from dlcodegen.planner.gpt2.rows import json_lines, requests

Id = int | str
_EXAMPLE = '{"id": 1, "requirement": "...", "dataset": "...", "reference": "..."}'


class Task(NamedTuple):
    """What is to be built, and somebody's code for it."""

    id: Id
    requirement: str
    dataset: str
    reference: str
    """Empty where none is given: then code can be generated, and not scored."""


@dataclass(frozen=True)
class Codes:
    """Code by id."""

    source: str
    """File that it is from."""
    by_id: Mapping[Id, str]
    remarks: Sequence[str] = ()
    """What was wrong with the file, a line each."""


def published_tasks() -> Path:
    """The tasks with a published reference. Raises SettingsError, one line that says what is missing."""
    path = published_data() / "tasks" / "tasks.jsonl"
    if not path.is_file():
        raise SettingsError(f"there are no published tasks: {path} is missing; give tasks with --tasks FILE")
    return path


def published_codes(tasks: Path) -> list[Path]:
    """What published systems wrote for these tasks, by name: files in the folder `published` beside them."""
    return sorted((tasks.parent / "published").glob("*.jsonl"))


def read_tasks(path: Path) -> list[Task]:
    """Rows `{"id", "requirement"}` with, if there are any, `dataset` and `reference`.

    Raises InputError that names the line that is broken, and when there is no task or two have the same id.
    """
    tasks: dict[Id, Task] = {}
    for (number, line), (key, requirement, dataset) in zip(json_lines(path), requests(path), strict=True):
        reference = json.loads(line).get("reference", "")
        if not isinstance(key, int | str) or not isinstance(reference, str):
            raise InputError(f"{path}, line {number}: the id is a number or text, the reference is code as text")
        if key in tasks:
            raise InputError(f"{path}, line {number}: there is a task {key!r} already; give each an id of its own")
        tasks[key] = Task(key, requirement, dataset, reference)
    if not tasks:
        raise InputError(
            f'{path} has no task: write {{"id": 1, "requirement": "...", "reference": "..."}} on each line'
        )
    return list(tasks.values())


def read_codes(path: Path) -> Codes:
    """Rows `{"id", "code"}`; broken rows are left out and named, of equal ids the last counts.

    Raises InputError when the file cannot be read, or when no row of it can be used.
    """
    codes, broken = _codes(path, "code")
    if not codes:
        first = f" ({broken[0]})" if broken else ""
        raise InputError(f'{path} has no code{first}: write {{"id": 1, "code": "..."}} on each line')
    remarks = [f"{path}: {len(broken)} broken rows are left out ({broken[0]})"] if broken else []
    return Codes(str(path), codes, remarks)


def read_references(path: Path) -> Codes:
    """Code to retrieve: the rows' `reference`, in a file without any their `code`; tasks alone have neither.

    Raises InputError when the file cannot be read.
    """
    return Codes(str(path), _codes(path, "reference")[0] or _codes(path, "code")[0])


def in_order(tasks: Sequence[Task], codes: Codes) -> tuple[list[str], list[str]]:
    """The code for each task, empty where there is none, and what is to be said about the ids, a line each.

    Raises InputError when no id fits.
    """
    missing = [task.id for task in tasks if task.id not in codes.by_id]
    if len(missing) == len(tasks):
        ids = f"first ids: {tasks[0].id!r} and {next(iter(codes.by_id), None)!r}"
        raise InputError(f"{codes.source} has code for none of the tasks ({ids}): give code for these tasks")
    remarks = [*codes.remarks]
    if missing:
        remarks.append(f"{codes.source}: tasks without code count as empty: {', '.join(map(str, missing))}")
    return [codes.by_id.get(task.id, "") for task in tasks], remarks


def _codes(path: Path, field: str) -> tuple[dict[Id, str], list[str]]:
    """By id, and what is wrong with the other rows."""
    codes: dict[Id, str] = {}
    broken: list[str] = []
    for number, line in json_lines(path):
        try:
            key, code = _row(line, field)
        except InputError as error:
            broken.append(f"line {number}: {error}")
        else:
            codes[key] = code
    return codes, broken


def _row(line: str, field: str) -> tuple[Id, str]:
    """Id and code. Raises InputError with what is wrong."""
    try:
        row: Any = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InputError("no JSON") from error
    if not isinstance(row, dict) or not isinstance(row.get("id"), int | str):
        raise InputError("no object with an id")
    if not isinstance(row.get(field), str):
        raise InputError(f"{field} is no text")
    return row["id"], row[field]
