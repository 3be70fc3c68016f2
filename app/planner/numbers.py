"""Numbers as people write them: `20,000`, `20k`, `1e-3`, `10^-4`, `twenty`, `50%`."""

import re

_COUNTED = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen twenty"
)
_WORDS = {word: value for value, word in enumerate(_COUNTED.split())} | {
    "single": 1, "a dozen": 12, "dozen": 12, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70,
    "eighty": 80, "ninety": 90, "hundred": 100,
    "a hundred": 100, "one hundred": 100, "two hundred": 200, "thousand": 1000, "a thousand": 1000,
    "zwei": 2, "drei": 3, "vier": 4, "fünf": 5, "sechs": 6, "sieben": 7, "acht": 8, "neun": 9, "zehn": 10,
    "deux": 2, "trois": 3, "quatre": 4, "cinq": 5, "dos": 2, "tres": 3, "cuatro": 4, "cinco": 5, "due": 2, "tre": 3,
}  # fmt: skip

NUMBER = (
    r"(?<![A-Za-z0-9_.])(?<!\d,)(?<![\s=]-)(?P<n>(?:\d(?:\.\d+)?\s?[x×*·]\s?)?10\s?(?:\^|\*\*)\s?[-−]?\d+|10−\d+"
    r"|\d{1,3}(?:,\d{3})+"
    r"|\d+(?:\.\d+)?(?:e[-−+]?\d+)?(?:\s?k(?![\w-]))?|\.\d+"
    rf"|(?:{'|'.join(sorted(_WORDS, key=len, reverse=True))})(?!\w))(?![A-Za-z0-9_.]*\d)(?!,\d)(?!\s(?:million"
    rf"|billion|thousand))"
)
"""A number as group `n`; neither part of a longer one nor one that goes on with "million"."""

IS = (
    r"(?:\s?(?:of|is|was|=|:|to|at|with|set to|about|around|~|up to|\(|a|the)"
    r"|\s(?:[a-zλα]|alpha|eta|lambda)(?=\s?=)){0,4}\s?"
)
"""What may stand between the name of a quantity and its number."""


def number(text: str) -> float:
    """The value; `next` and `tomorrow` count one."""
    plain = text.strip().lower().replace("−", "-").replace("**", "^")
    if plain in _WORDS:
        return _WORDS[plain]
    if plain.startswith(("next", "tomorrow")):
        return 1
    if power := re.fullmatch(r"(?:(\d(?:\.\d+)?)\s?[x×*·]\s?)?10\s?(?:\^\s?|(?=-))(-?\d+)", plain):
        return float(f"{power.group(1) or 1}e{power.group(2)}")
    if plain.endswith("k"):
        return float(plain[:-1]) * 1000
    return float(plain.replace(",", ""))


def lower_case(text: str) -> str:
    """Lower case, every character in its place: the few whose small form is longer stay as they are."""
    lower = text.lower()
    if len(lower) == len(text):
        return lower
    return "".join(small if len(small := letter.lower()) == 1 else letter for letter in text)
