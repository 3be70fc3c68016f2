"""A repair that names only what changes: search-and-replace, or the mended definitions."""

import re

from dlcodegen.writers.answers import without_thoughts
from dlcodegen.writers.patches import patched

_EDIT = re.compile(
    r"<{5,} ?SEARCH[^\n]*\n(?P<old>.*?)\n?={5,}[^\n]*\n(?P<new>.*?)\n?>{5,} ?REPLACE", re.DOTALL | re.IGNORECASE
)


def edited(script: str, answer: str) -> str:
    """The script that an answer to a repair means; "" when it holds no code.

    Edits are applied where their search text stands in the script, spaces at line ends aside; an edit that fits
    nowhere is left out. An answer without edits is a whole script or some definitions (`patched`).
    """
    edits = [(match["old"], match["new"]) for match in _EDIT.finditer(without_thoughts(answer))]
    if not edits:
        return patched(script, answer)
    text = "\n".join(line.rstrip() for line in script.split("\n"))
    for old, new in edits:
        wanted = "\n".join(line.rstrip() for line in old.strip("\n").split("\n"))
        if wanted and text.count(wanted) == 1:
            text = text.replace(wanted, new.strip("\n"))
    return text
