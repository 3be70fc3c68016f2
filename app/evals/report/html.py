"""Sections as one HTML file that needs nothing else: no script, no font, no image from elsewhere."""

import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from dlcodegen.evals.report import svg
from dlcodegen.evals.sections import (
    Bars,
    Cell,
    Curves,
    Link,
    Section,
    Strong,
    Text,
    conditions_of,
    shown,
)

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

_FOLDER = Path(__file__).parent
_LONGEST_CELL = 240
_NUMBER = re.compile(r"[-+]?[\d.,]+( ?(%|s|ms|MiB))?")
_MARKUP = (
    (re.compile(r"`([^`]+)`"), r"<code>\1</code>"),
    (re.compile(r"\*\*([^*]+)\*\*"), r"<strong>\1</strong>"),
    (re.compile(r"\*([^*]+)\*"), r"<em>\1</em>"),
    (re.compile(r"\[([^\]]+)\]\(((?:https://|#)[^\s)]+)\)"), r'<a href="\2">\1</a>'),
)
"""What a Text may hold, after it has been escaped."""


def page(sections: Sequence[Section], remark: str = "") -> str:
    """The whole file. `remark`: what a reader must know before all figures."""
    style = (_FOLDER / "page.css").read_text(encoding="utf-8")
    return _environment().get_template("page.html").render(sections=sections, style=style, remark=remark)


def _prose(text: str) -> "Markup":
    from markupsafe import Markup, escape

    written = str(escape(text))
    for pattern, markup in _MARKUP:
        written = pattern.sub(markup, written)
    return Markup(written)


def _cell(value: Cell) -> "Markup":
    from markupsafe import Markup, escape

    match value:
        case Strong(inner):
            return Markup("<strong>{}</strong>").format(_cell(inner))
        case Link(text, anchor):
            return Markup('<a href="#{}">{}</a>').format(anchor, text)
        case Text(text):
            return Markup("<br>").join(map(_prose, text.split("\n")))
        case _:
            text = shown(value)
            return escape(text if len(text) <= _LONGEST_CELL else f"{text[: _LONGEST_CELL - 1]}…")


def _is_number(value: Cell) -> bool:
    inner = value.value if isinstance(value, Strong) else value
    return not isinstance(inner, Link | Text | bool) and bool(_NUMBER.fullmatch(shown(inner)))


def _plot(block: Bars | Curves) -> "Markup":
    from markupsafe import Markup

    return Markup(svg.bars(block) if isinstance(block, Bars) else svg.curves(block))


@lru_cache(maxsize=1)
def _environment() -> "Environment":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_FOLDER),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=True,
    )
    environment.filters.update(prose=_prose, cell=_cell, plot=_plot, conditions=conditions_of)
    environment.tests["numeric"] = _is_number
    environment.globals["colours"] = svg.COLOURS
    environment.filters["kind"] = lambda block: type(block).__name__
    return environment
