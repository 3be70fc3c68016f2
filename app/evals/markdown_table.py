"""Tables and lists of docs/EVALUATION.md."""

from typing import Any


def table(head: list[str], rows: list[list[Any]]) -> str:
    """A Markdown table, with a line break at its end."""
    lines: list[list[Any]] = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(map(str, line))} |\n" for line in lines)


def listed(title: str, names: list[str]) -> str:
    """`title: a, b.` on one line; `none` where there is nothing to list."""
    return f"{title}: {', '.join(names) or 'none'}.\n"


def cell(text: str) -> str:
    """Text of others in one cell."""
    return text.replace("|", "\\|").replace("\n", " ").replace("<", "&lt;")[:120]
