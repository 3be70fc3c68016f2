"""Numbers and lists of numbers that a requirement states, found by the tables of `dlcodegen.planner.quantities`."""

import re

from dlcodegen.planner import quantities
from dlcodegen.planner.numbers import lower_case, number
from dlcodegen.planner.quantity_patterns import PATTERNS
from dlcodegen.planner.reading import Reading, blank
from dlcodegen.planner.time_steps import TimeSteps

_NUMBERS = (
    r"[\[(]?(\d{1,5}(?:\s?(?:,|and|->|-|→|then|/|,\s?and|(?= \d))\s?\d{1,5}){1,15})"
    # "hidden size 384, 6 layers", "filters 64/128/256, 3x3 kernels": the last number counts another thing
    r"(?!\d|\s?[x×*]\s?\d|[- ](?:\w+ ){0,2}(?:layers?|heads?|epochs?|blocks?|levels?)(?!\w))[)\]]?"
)
_LISTS = (
    (
        "betas",
        r"betas?\s?(?:of|=|:)?\s?\(?((?:0?\.\d*|0)\s?(?:,|and|/)\s?0?\.\d+)\)?"
        r"|beta_?1\s?=\s?(0?\.\d+\W{1,4}(?:and )?beta_?2\s?=\s?0?\.\d+)|(?<!\w)beta_?1\s?(?:=|of|:)?\s?(0?\.\d+)",
    ),
    (
        "kernel_sizes",
        rf"kernel[ _-]sizes?(?:\s(?:of|with))?[\s:=]{{0,2}}{_NUMBERS}|(?:filters|kernels) of (?:size"
        rf"|width)s? {_NUMBERS}",
    ),
    (
        "filters",
        rf"(?:filters?|channels|feature maps)(?:\s(?:of|with|sizes?|counts?)){{0,2}}\s?[:=]?\s?{_NUMBERS}"
        rf"|(?<![\w.,-]){_NUMBERS}\s(?:\w+\s)?(?:filters|channels|feature maps)",
    ),
    (
        "hidden_units",
        r"(?:(?:hidden|dense|fully[- ]connected)[\s_](?:layers?|sizes?|units|head)|layers|mlp|units|neurons|dense"
        r"|widths|fc)(?:\s(?:of|with"
        r"|sizes?|size|widths?|has"
        rf"|having)){{0,2}}[:=]?\s?{_NUMBERS}(?!\s?(?:filters|epochs|%))"
        rf"|(?<![\w.,-]){_NUMBERS}\s(?:hidden\s)?(?:units|neurons|nodes)"
        rf"|(?<![\w.,-])(\d{{1,5}}(?:-\d{{1,5}}){{1,8}})\s(?:mlp|perceptron)"
        rf"|(?<![\w.,-])(\d{{1,5}}(?:-\d{{1,5}}){{2,8}})\s(?:\w+ )?(?:network|net|dnn|layers|units|neurons|head)"
        r"|(?:network|net|mlp|perceptron|dnn|layers|towers?|head)\s?(?:of|with|has|having|,)?\s?"
        rf"(?:widths?|sizes?)?\s?[:=(]?\s?(?!(?:19|20)\d\d-)(\d{{1,5}}(?:-\d{{2,5}}){{1,8}})(?![\d/.-])",
    ),
)
_USUAL_BETA_2 = 0.999
_NARROW = 8
"""No list of layers has all its widths below."""
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
            if name == "hidden_units" and max(numbers) < _NARROW:  # "freeze layers 3-5"
                continue
            if name == "betas":
                pair = [float(value) for value in re.findall(r"(?<![\w_])(?:0?\.\d+|0\.?(?!\d))", found)]
                pair = [*pair, _USUAL_BETA_2][:2]
                reading.add(name, ", ".join(map(str, pair)), match.group())  # PyTorch takes no whole number here
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
    steps, positions = TimeSteps(lower), quantities.number_positions(lower)
    taken: set[int] = set()
    for name in PATTERNS:
        if name not in wanted:
            continue
        for match in quantities.findings(name, lower, positions):
            value = None if match.start("n") in taken else _value(name, match, steps)
            if value is None or _is_ruled_out(name, lower, match) or (_is_a_word(match) and name in reading.facts):
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


def _is_a_word(match: re.Match[str]) -> bool:
    """Whether `next` or `tomorrow` stands for the number: it says less than a number that is stated."""
    return match.group("n").startswith(("next", "tomorrow"))


def _value(name: str, match: re.Match[str], steps: TimeSteps) -> int | float | None:
    """The number in the quantity's own unit, or None when it cannot be meant."""
    value = number(match.group("n"))
    unit = (match.groupdict().get("unit") or "").strip().lower()
    if name == "sample_rate" and unit == "khz":
        value *= 1000
    if name == "threshold_quantile":
        return _quantile(value, from_above=unit in ("top", "highest", "worst"))
    if name in quantities.FRACTIONS:
        percent = name == "dropout" and (unit in ("%", "percent") or value > 1)
        return value / 100 if percent else value
    if name in ("window", "horizon"):
        counted = steps.counted(value, unit, match)
        if counted is None:
            return None
        value = counted
    if name == "num_keypoints" and unit == "coordinates":
        value /= 2
    return round(value) if value == round(value) else None


def _quantile(value: float, from_above: bool) -> float:
    """The 97th percentile is 0.97, and where the top 3% begin."""
    share = value / 100 if value > 1 or from_above else value
    return round(1 - share if from_above else share, 6)
