"""Numbers and lists of numbers that a requirement states, found by the tables of `dlcodegen.planner.quantities`."""

import re

from dlcodegen.planner import quantities
from dlcodegen.planner.numbers import lower_case, number
from dlcodegen.planner.quantity_patterns import PATTERNS
from dlcodegen.planner.reading import Reading, blank

_MINUTES = {"minute": 1, "hour": 60, "day": 1440, "week": 10_080}
_FOREIGN_UNITS = {
    "stunde": "hour", "heure": "hour", "hora": "hour", "ore": "hour", "prochaines heures": "hour",
    "prochaines jours": "day",     "tag": "day", "jour": "day", "día": "day", "dia": "day", "giorni": "day",
}  # fmt: skip
_STEPS = (  # how far apart the readings are, in minutes
    (
        r"\bhourly\b|per hour|every hour|each hour|stündlich\w*|horaires?\b|1[- ]hour (?:steps|data|resolution)"
        r"|by the hour",
        60,
    ),
    (r"\bdaily\b|per day|every day|each day|täglich\w*|journali\w+|diari[ao]s?\b|closing prices?", 1440),
    (r"\bweekly\b|per week|every week|wöchentlich\w*|hebdomadaires?", 10_080),
)
_NUMBERS = r"[\[(]?(\d{1,5}(?:\s?(?:,|and|->|-|→|then|/|,\s?and)\s?\d{1,5}){1,15})[)\]]?"
_LISTS = (
    ("betas", r"betas?\s?(?:of|=|:)?\s?\(?(0\.\d+\s?(?:,|and)\s?0\.\d+)\)?"),
    (
        "kernel_sizes",
        rf"kernel[ _-]sizes?(?:\s(?:of|with))?[\s:=]{{0,2}}{_NUMBERS}|(?:filters|kernels) of (?:size"
        rf"|width)s? {_NUMBERS}",
    ),
    (
        "filters",
        rf"(?:filters?|channels|feature maps)(?:\s(?:of|with|sizes?|counts?)){{0,2}}[:=]?\s?{_NUMBERS}"
        rf"|(?<![\w.,-]){_NUMBERS}\s(?:\w+\s)?(?:filters|channels|feature maps)",
    ),
    (
        "hidden_units",
        r"(?:(?:hidden|dense|fully[- ]connected)\s(?:layers?|sizes?|units)|layers|mlp|units|neurons)(?:\s(?:of|with"
        r"|sizes?|size|widths?|has"
        rf"|having)){{0,2}}[:=]?\s?{_NUMBERS}(?!\s?(?:filters|epochs|%))"
        rf"|(?<![\w.,-]){_NUMBERS}\s(?:hidden\s)?(?:units|neurons|nodes)"
        rf"|(?<![\w.,-])(\d{{1,5}}(?:-\d{{1,5}}){{1,8}})\s(?:mlp|perceptron)",
    ),
)
_SPLITS = (
    r"(?<![\d/])(\d{1,2}\s?/\s?\d{1,2}\s?/\s?\d{1,2})(?!\s?/|\d)",
    r"(?<![\d:])(\d{2}\s?:\s?\d{2}(?:\s?:\s?\d{2})?)\s(?:\w+[ /-])?(?:split|train)",
    r"(?<![\d/])(\d{2}\s?[/-]\s?\d{2})\s(?:\w+[ /-]){0,2}split",
    r"split(?:ted)?\s(?:\w+\s){0,3}?(\d{2}\s?[/:-]\s?\d{2}(?:\s?[/:-]\s?\d{2})?)(?!\d)",
    r"(\d{2})\s?%\s(?:for\s)?train\w*,?\s(?:and\s)?(\d{2})\s?%\s(?:for\s)?(?:validation|val"
    r"|test\w*)(?:,?\s(?:and\s)?(\d{2})\s?%\s(?:for\s)?test\w*)?",
)


def read_lists(text: str, reading: Reading, wanted: set[str]) -> str:
    """Widths of several layers, betas, splits; the text comes back with them blanked out."""
    if "split" in wanted:
        text = _read_split(text, reading)
    for name, pattern in _LISTS:
        match = re.search(pattern, text, re.IGNORECASE) if name in wanted else None
        if match:
            found = next(filter(None, match.groups()))
            numbers = [int(value) for value in re.findall(r"\d+", found)]
            if name == "betas":
                reading.add(name, ", ".join(re.findall(r"0\.\d+", found)), match.group())
            elif name == "kernel_sizes":
                reading.add(name, ",".join(map(str, numbers)), match.group())
            else:
                reading.add(name, numbers, match.group())
            text = blank(text, match)
    return text


def _read_split(text: str, reading: Reading) -> str:
    """Shares of training, validation and test that add up to a hundred: `70/15/15`, `80:20 split`."""
    for pattern in _SPLITS:
        for match in re.finditer(pattern, text, re.IGNORECASE):
            shares = re.findall(r"\d+", " ".join(filter(None, match.groups())))
            if sum(map(int, shares)) == 100:
                reading.add("split", "/".join(shares), match.group())
                text = blank(text, match)
    return text


def read_numbers(text: str, reading: Reading, wanted: set[str]) -> None:
    """Every quantity in `wanted`; a number states one thing only, the first pattern that explains it."""
    lower = lower_case(text)
    step, positions = _minutes_per_step(lower), quantities.number_positions(lower)
    taken: set[int] = set()
    for name in PATTERNS:
        if name not in wanted:
            continue
        for match in quantities.findings(name, lower, positions):
            value = None if match.start("n") in taken else _value(name, match, step)
            if value is None or _is_ruled_out(name, lower, match):
                continue
            words = text[match.start() : match.end()]
            if _is_possible(name, value):
                taken.add(match.start("n"))
                reading.add(name, value, words)
            else:
                _note_impossible(name, value, words, reading)


def _is_ruled_out(name: str, text: str, match: re.Match[str]) -> bool:
    barred = quantities.NOT_AFTER.get(name)
    return barred is not None and re.search(barred, text[max(0, match.start("n") - 60) : match.start("n")]) is not None


def _is_possible(name: str, value: float) -> bool:
    least, most = quantities.POSSIBLE.get(name, (1, 10_000_000))
    return least <= value <= most


def _note_impossible(name: str, value: float, text: str, reading: Reading) -> None:
    if name in ("batch_size", "epochs", "learning_rate", "dropout"):
        reading.note(f"{name} cannot be {value:g} (“{' '.join(text.split())}”): it is left as it is")


def _value(name: str, match: re.Match[str], minutes_per_step: int | None) -> int | float | None:
    """The number in the quantity's own unit, or None when it cannot be meant."""
    value = number(match.group("n"))
    unit = (match.groupdict().get("unit") or "").strip().lower()
    if name == "sample_rate" and unit == "khz":
        value *= 1000
    if name in quantities.FRACTIONS:
        percent = name == "dropout" and (unit in ("%", "percent") or value > 1)
        return value / 100 if percent else value
    if name in ("window", "horizon"):
        steps = _in_steps(value, unit, minutes_per_step, match.group("n").lower())
        if steps is None:
            return None
        value = steps
    return round(value) if value == round(value) else None


def _in_steps(value: float, unit: str, minutes_per_step: int | None, written: str) -> float | None:
    """A span of time as a number of readings; None where that cannot be told.

    Months and years have no fixed length: they count as steps only where no other step is known.
    """
    if unit.startswith(("month", "quarter")):
        return value if minutes_per_step is None else None
    if unit.startswith("year"):
        return None
    unit = next((english for word, english in _FOREIGN_UNITS.items() if unit.startswith(word)), unit)
    minutes = next((length for word, length in _MINUTES.items() if unit.startswith(word)), None)
    if minutes is None or minutes_per_step is None:
        return value
    if written.startswith(("next", "tomorrow")) and minutes < minutes_per_step:
        return None
    return value * minutes / minutes_per_step


def _minutes_per_step(text: str) -> int | None:
    """How far apart the readings are: as the text says ("hourly", "every 15 minutes"), else its smallest unit.

    "the next 24 hours from the past 7 days" counts in hours.
    """
    if match := re.search(
        r"every (\d{1,4}) min|(\d{1,4})[- ]min(?:ute)?s? (?:readings|intervals?|data|resolution|steps)",
        text,
        re.IGNORECASE,
    ):
        return int(next(filter(None, match.groups()))) or None
    for pattern, minutes in _STEPS:
        if re.search(pattern, text):
            return minutes
    units = set(
        re.findall(r"(?:next|past|last|previous|coming|following) (?:\w+ )(minute|hour|day|week)", text.lower())
    )
    units |= set(re.findall(r"\d (minute|hour|day|week)s? ahead", text))
    return min(_MINUTES[unit] for unit in units) if len(units) > 1 else None
