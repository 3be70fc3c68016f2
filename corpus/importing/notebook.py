"""A Jupyter notebook as one script: the code cells in their order, without what only IPython understands."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

_OTHER_LANGUAGES = re.compile(
    r"%%\s*(?:bash|sh|script|html|javascript|js|latex|markdown|svg|perl|ruby|r|sql|writefile|file|cython|system|cmd)\b",
    re.IGNORECASE,
)
_PYTHON_AFTER = re.compile(r"%%\s*(?:time|timeit|capture|prun|python3?)\b")
_MAGIC = re.compile(r"\s*(?:%|!|\?)|\s*[\w.]+\?{1,2}\s*$")
_OPEN_ENDS = (",", "(", "[", "{", "\\", "+", "-", "*", "/")
"""Where a line ends so, the next continues an expression: its `%` is an operator."""
_ASSIGNED = re.compile(r"\s*\w[\w, ]*=\s*[%!]")


class NotebookError(ValueError):
    """No notebook, or none in Python; the message says why."""


def script_of(text: str) -> tuple[str, tuple[str, ...]]:
    """The script, and what was left out of it. Raises NotebookError."""
    try:
        notebook = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise NotebookError("a broken notebook: no JSON") from error
    cells = list(_cells(notebook))
    language = _language(notebook)
    if language not in ("python", ""):
        raise NotebookError(f"a notebook in {language[:40]}")
    left_out: Counter[str] = Counter()
    parts = [part for cell in cells if (part := _python(cell, left_out)).strip()]
    notes = tuple(f"{count} {what} left out" for what, count in left_out.items())
    return "\n\n".join(parts) + "\n" if parts else "", notes


def _cells(notebook: Any) -> Iterator[str]:
    """The text of the code cells, of format 4 or 3."""
    sheets = [notebook, *_list(notebook, "worksheets")]
    cells = [cell for sheet in sheets for cell in _list(sheet, "cells")]
    if not isinstance(notebook, dict) or not ("cells" in notebook or "worksheets" in notebook):
        raise NotebookError("a broken notebook: no cells")
    for cell in cells:
        if isinstance(cell, dict) and cell.get("cell_type") == "code":
            source = cell.get("source", cell.get("input", ""))
            lines = source if isinstance(source, list) else [source]
            yield "".join(line for line in lines if isinstance(line, str))


def _list(holder: Any, key: str) -> list[Any]:
    value = holder.get(key) if isinstance(holder, dict) else None
    return value if isinstance(value, list) else []


def _language(notebook: dict[str, Any]) -> str:
    """What its kernel speaks, as far as it says so: `python`, `r`, `julia`."""
    metadata = notebook.get("metadata")
    for key, name in (("language_info", "name"), ("kernelspec", "language")):
        held = metadata.get(key) if isinstance(metadata, dict) else None
        if isinstance(held, dict) and isinstance(held.get(name), str):
            return str(held[name]).lower().removesuffix("3")
    return ""


def _python(cell: str, left_out: Counter[str]) -> str:
    """The cell's Python; what IPython alone understands becomes a `pass` of the same indentation."""
    lines = cell.replace("\r\n", "\n").split("\n")
    first = next((index for index, line in enumerate(lines) if line.strip()), 0)
    if _OTHER_LANGUAGES.match(lines[first]):
        left_out["cells in another language"] += 1
        return ""
    if _PYTHON_AFTER.match(lines[first]):
        left_out["magics"] += 1
        lines = lines[first + 1 :]
    elif lines[first].startswith("%%"):
        left_out["cells of a magic"] += 1
        return ""
    return "\n".join(_without_magics(lines, left_out))


def _without_magics(lines: list[str], left_out: Counter[str]) -> Iterator[str]:
    """Line by line; a magic that goes on after a backslash leaves empty lines."""
    before, goes_on = "", False
    for line in lines:
        indent = line[: len(line) - len(line.lstrip())]
        if goes_on:
            goes_on = line.rstrip().endswith("\\")
            yield ""
            continue
        if _MAGIC.match(line) and not line.lstrip().startswith("% ") and not before.endswith(_OPEN_ENDS):
            left_out["shell commands" if line.lstrip().startswith("!") else "magics"] += 1
            goes_on = line.rstrip().endswith("\\")
            yield f"{indent}pass"
        elif _ASSIGNED.match(line):
            left_out["shell commands" if "!" in line else "magics"] += 1
            goes_on = line.rstrip().endswith("\\")
            yield f"{line.partition('=')[0]}= None"
        else:
            yield line
        before = line.rstrip() or before
