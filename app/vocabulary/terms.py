"""A term of the field: how people write it, what the code calls it."""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Term:
    """A term of the field. `pattern` finds it in a sentence; `code` are names that show it in a script."""

    name: str
    pattern: str
    code: tuple[str, ...] = ()

    def search(self, text: str) -> re.Match[str] | None:
        return re.search(rf"(?<![\w-])(?:{self.pattern})s?(?!\w|-free)", text, re.IGNORECASE)


def term(table: tuple[Term, ...], name: str) -> Term | None:
    """The term of that canonical name."""
    return next((entry for entry in table if entry.name == name), None)


def find(table: tuple[Term, ...], text: str) -> Term | None:
    """The first term of the table that the text mentions."""
    return next((entry for entry in table if entry.search(text)), None)
