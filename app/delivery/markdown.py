"""Text that others wrote, made safe to stand in our Markdown; and the templates, rendered strictly."""

import re
import unicodedata
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import Environment

_INLINE_MARKUP = re.compile(r"([\\`*_\[\]<>&|~$])")
_BLOCK_MARKUP = re.compile(r"^(#|=|[+-](?=[\s-]|$)|\d{1,9}(?=[.)](?:\s|$)))")
# Cc: control, escape sequences of terminals among them; Cs: half characters, which no file can hold.
_UNPRINTABLE = ("Cc", "Cs")
_REORDERING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def printable(text: str) -> str:
    """The text on one line, without what would steer a terminal, reorder what is read, or fit in no file."""
    kept = (c for c in " ".join(text.split()) if unicodedata.category(c) not in _UNPRINTABLE)
    return "".join(c for c in kept if c not in _REORDERING)


def inline(text: str) -> str:
    """The text on one line with every mark of Markdown and HTML escaped."""
    escaped = _INLINE_MARKUP.sub(r"\\\1", printable(text))
    return _BLOCK_MARKUP.sub(lambda start: start[1] + "\\" if start[1].isdigit() else "\\" + start[1], escaped)


def paragraph(text: str) -> str:
    """The text with its line breaks, each line escaped."""
    return "\n".join(inline(line) for line in text.strip().splitlines() if line.strip())


def quote(text: str) -> str:
    """The text as a block quote that it cannot leave."""
    return "\n".join(f"> {inline(line)}".rstrip() for line in text.strip().splitlines()) or "> (nothing)"


def code(text: str) -> str:
    """The text as a code span, its fence longer than any run of backticks inside."""
    content = printable(text)
    if not content:
        return ""
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", content)), default=0))
    padding = " " if content.startswith("`") or content.endswith("`") else ""
    return f"{fence}{padding}{content}{padding}{fence}"


def cell(markdown: str) -> str:
    """Markdown of one line, so that it fits in a table: bars end a cell even inside code."""
    return re.sub(r"(?<!\\)\|", r"\|", markdown)


def render(template: str, **values: object) -> str:
    """One of this folder's `*.md` templates with its values; a value that is missing raises UndefinedError."""
    return re.sub(r"\n{3,}", "\n\n", _environment().get_template(template).render(values))


@lru_cache(maxsize=1)
def _environment() -> "Environment":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # Markdown, not HTML: the filters below escape what others wrote
    )
    environment.filters.update(inline=inline, paragraph=paragraph, quote=quote, code=code, cell=cell)
    return environment
