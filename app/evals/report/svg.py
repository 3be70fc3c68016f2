"""Plots as inline SVG. Colours are classes `s0`, `s1`, ... of the style sheet, so that they suit light and dark."""

import math
from collections.abc import Mapping, Sequence
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from dlcodegen.evals.sections import Bars, Curves, shown

COLOURS = 10
_LETTER = 6.6
"""Width of a letter in the style sheet's size for plots."""
_LONGEST_LABEL = 44
_Series = Mapping[str, Sequence[float | None]]


def bars(plot: Bars) -> str:
    """Upright where many series share short names of groups, as in the paper's Figure 4; otherwise lying."""
    upright = len(plot.series) > 2 and max(map(len, plot.groups), default=0) <= 12
    return _text(_upright(plot) if upright else _lying(plot), plot.title)


def curves(plot: Curves) -> str:
    """A line and its points for each series."""
    left, top, width, height = 76.0, 8.0, 640.0, 240.0
    drawing = _drawing(left + width + 24, top + height + 44)
    known = [value for values in plot.series.values() for value in values if value is not None]
    across = _Axis(plot.x, left, left + width, plot.logarithmic)
    up = _Axis(known if plot.logarithmic else [0.0, *known], top + height, top, plot.logarithmic)
    for tick in up.ticks:
        _add(drawing, "line", x1=left, x2=left + width, y1=up.at(tick), y2=up.at(tick), class_="grid")
        _add(drawing, "text", _said(tick, plot.unit), x=left - 6, y=up.at(tick) + 4, class_="end")
    for x in plot.x:
        _add(drawing, "text", f"{x:,g}", x=across.at(x), y=top + height + 18, class_="middle")
    _add(drawing, "text", plot.x_title, x=left + width / 2, y=top + height + 36, class_="middle")
    for number, (name, values) in enumerate(plot.series.items()):
        points = [
            (x, value)
            for x, value in zip(plot.x, values, strict=True)
            if value is not None and (value > 0 or not plot.logarithmic)
        ]
        path = " ".join(f"{across.at(x):.1f},{up.at(value):.1f}" for x, value in points)
        _add(drawing, "polyline", points=path, class_=f"line s{number % COLOURS}")
        for x, value in points:
            point = _add(drawing, "circle", cx=across.at(x), cy=up.at(value), r=3.5, class_=f"s{number % COLOURS}")
            _add(point, "title", f"{name}, {x:,g}: {_said(value, plot.unit)}")
    return _text(drawing, plot.title)


class _Axis:
    """Where a value lies between two ends of the drawing, and the values that are written beside it."""

    def __init__(self, values: Sequence[float], first: float, last: float, logarithmic: bool = False) -> None:
        self._first, self._last, self._logarithmic = first, last, logarithmic
        positive = [value for value in values if value > 0]
        if logarithmic:
            low, high = (min(positive), max(positive)) if positive else (1.0, 10.0)
            self.ticks = [10.0**power for power in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)]
        else:
            self.ticks = _round_steps(min(values, default=0.0), max(values, default=1.0))
        self._low, self._high = self._scaled(self.ticks[0]), self._scaled(self.ticks[-1])

    def at(self, value: float) -> float:
        share = (self._scaled(value) - self._low) / ((self._high - self._low) or 1.0)
        return self._first + (self._last - self._first) * share

    def _scaled(self, value: float) -> float:
        return math.log10(max(value, 1e-12)) if self._logarithmic else value


def _round_steps(low: float, high: float) -> list[float]:
    """About five round numbers that reach from `low` to `high`."""
    span = (high - low) or 1.0
    power = 10.0 ** math.floor(math.log10(span / 4))
    step = next(power * nice for nice in (1, 2, 2.5, 5, 10) if power * nice * 5 >= span)
    return [step * count for count in range(math.floor(low / step), math.ceil(high / step) + 1)]


def _upright(plot: Bars) -> Element:
    left, top, width, height = 48.0, 8.0, 880.0, 240.0
    drawing = _drawing(left + width + 8, top + height + 26)
    up = _Axis([0.0, *_values(plot.series)], top + height, top)
    for tick in up.ticks:
        _add(drawing, "line", x1=left, x2=left + width, y1=up.at(tick), y2=up.at(tick), class_="grid")
        _add(drawing, "text", _said(tick, plot.unit), x=left - 6, y=up.at(tick) + 4, class_="end")
    room = width / len(plot.groups)
    thick = room * 0.84 / len(plot.series)
    for place, group in enumerate(plot.groups):
        start = left + room * (place + 0.08)
        _add(drawing, "text", group, x=left + room * (place + 0.5), y=top + height + 18, class_="middle")
        for number, (name, values) in enumerate(plot.series.items()):
            value = values[place]
            if value is not None:
                level = up.at(max(0.0, value))
                _bar(
                    drawing,
                    number,
                    f"{name}, {group}: {_said(value, plot.unit)}",
                    (start + thick * number, level, thick * 0.9, top + height - level),
                )
    return drawing


def _lying(plot: Bars) -> Element:
    labels = [group if len(group) <= _LONGEST_LABEL else f"{group[: _LONGEST_LABEL - 1]}…" for group in plot.groups]
    left, width = 10 + _LETTER * max(map(len, labels), default=0), 420.0
    thick, gap = (16.0, 8.0) if len(plot.series) == 1 else (12.0, 12.0)
    room = thick * len(plot.series) + gap
    drawing = _drawing(left + width + 80, room * len(labels) + 4)
    along = _Axis([0.0, *_values(plot.series)], left, left + width)
    for place, label in enumerate(labels):
        middle = room * place + (room - gap) / 2
        _add(drawing, "text", label, x=left - 8, y=middle + 4, class_="end")
        for number, (name, values) in enumerate(plot.series.items()):
            value = values[place]
            if value is not None:
                y, end = room * place + thick * number, along.at(max(0.0, value))
                said = _said(value, plot.unit)
                _bar(drawing, number, f"{plot.groups[place]}, {name}: {said}", (left, y, end - left, thick - 1))
                _add(drawing, "text", said, x=end + 6, y=y + thick / 2 + 4)
    return drawing


def _said(value: float, unit: str) -> str:
    return f"{shown(float(value))}{' ' if unit not in ('', '%') else ''}{unit}"


def _values(series: _Series) -> list[float]:
    return [value for values in series.values() for value in values if value is not None]


def _bar(drawing: Element, number: int, said: str, box: tuple[float, float, float, float]) -> None:
    x, y, width, height = box
    bar = _add(drawing, "rect", x=x, y=y, width=width, height=height, class_=f"s{number % COLOURS}")
    _add(bar, "title", said)


def _drawing(width: float, height: float) -> Element:
    """As wide as it is drawn, and narrower where the page is."""
    return Element("svg", {"viewBox": f"0 0 {width:.0f} {height:.0f}", "style": f"max-width: {width:.0f}px"})


def _add(parent: Element, tag: str, text: str = "", **attributes: float | str) -> Element:
    written = {
        name.rstrip("_"): f"{value:.1f}" if isinstance(value, float) else str(value)
        for name, value in attributes.items()
    }
    element = ElementTree.SubElement(parent, tag, written)
    element.text = text
    return element


def _text(drawing: Element, title: str) -> str:
    drawing.attrib |= {"role": "img", "aria-label": title}
    return ElementTree.tostring(drawing, encoding="unicode")
