"""Spans of time as numbers of readings: how far apart readings are, and how many a span holds."""

import re

_MINUTES = {"minute": 1, "half-hour": 30, "quarter-hour": 15, "hour": 60, "day": 1440, "week": 10_080}
_FOREIGN_UNITS = {
    "stunde": "hour", "heure": "hour", "hora": "hour", "ore": "hour", "prochaines heures": "hour",
    "prochaines jours": "day", "tag": "day", "jour": "day", "día": "day", "dia": "day", "giorni": "day",
    "daily": "day",
}  # fmt: skip
_STEPS = (  # how far apart the readings are, in minutes
    (r"\bhalf[- ]hour(?:ly)?\b|every half[- ]hour|every half an hour", 30),
    (r"\bquarter[- ]hour(?:ly)?\b|every quarter[- ](?:of an )?hour", 15),
    (
        r"\bhourly\b|per hour|every hour|each hour|stündlich\w*|horaires?\b|1[- ]hour (?:steps|data|resolution)"
        r"|by the hour",
        60,
    ),
    (r"\bdaily\b|per day|every day|each day|täglich\w*|journali\w+|diari[ao]s?\b|closing prices?", 1440),
    (r"\bweekly\b|per week|every week|wöchentlich\w*|hebdomadaires?", 10_080),
)


class TimeSteps:
    """How a lower-case text counts time."""

    def __init__(self, text: str) -> None:
        self._minutes = _minutes_per_step(text)
        spoken = re.search(
            r"(?:next|following|coming|past|last|previous|preceding) \S{1,12} "
            r"\(?((?:minute|hour|day|week|month|year)s?)(?!\w)",
            text,
        )
        self._spoken = spoken.group(1) if spoken else ""

    def counted(self, value: float, unit: str, match: re.Match[str]) -> float | None:
        """A span of time as a number of readings; None where that cannot be told.

        Months and years have no fixed length: they count as steps only where no other step is known. A unit that is
        left out ("the next 12 hours from the last 36") is that of the other span.
        """
        if match.groupdict().get("left_out") is not None:
            unit = self._spoken
        unit = next((english for word, english in _FOREIGN_UNITS.items() if unit.startswith(word)), unit)
        minutes = next((length for word, length in _MINUTES.items() if unit.startswith(word)), None)
        if minutes is None and unit.startswith(("month", "quarter")):
            return value if self._minutes is None else None
        if unit.startswith("year"):
            return None
        written = match.group("n")
        if written == "tomorrow" and minutes is not None:
            return _MINUTES["day"] / minutes
        if minutes is None or self._minutes is None:
            return value
        if written.startswith("next") and minutes < self._minutes:
            return None
        return value * minutes / self._minutes


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
