"""One notation for what people write in many: dashes, spaces, numbers in words or with commas, formulas, tables."""

import re

_SIGNS = (
    ("–", "-"), ("—", " - "), ("‑", "-"), ("’", "'"), ("，", ", "), ("、", ", "), ("：", ": "), ("。", ". "),
)  # fmt: skip
_FORMULA_SIGNS = {"times": "×", "cdot": "·", "approx": "~", "leq": "<=", "le": "<="}
_FORMULA_NAMES = "eta|alpha|beta|lambda|gamma|sigma"

_UNITS = [
    "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen",
    "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
]  # fmt: skip
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_VALUES = (
    {word: value for value, word in enumerate(_UNITS, 1)}
    | {word: 10 * value for value, word in enumerate(_TENS, 2)}
    | {"a": 1, "an": 1}
)
_SMALL = (
    rf"(?:(?:{'|'.join(_TENS)})(?:[- ](?:{'|'.join(_UNITS[:9])}))?|{'|'.join(sorted(_UNITS, key=len, reverse=True))})"
)
_HUNDREDS = rf"(?:(?:{_SMALL}|an?) hundred(?:(?: and)? {_SMALL})?)"
_THOUSANDS = (
    rf"(?:(?:{_HUNDREDS}|{_SMALL}|an?|\d{{1,3}}(?:\.\d)?) thousand(?:(?: and)? (?:{_HUNDREDS}|{_SMALL}))?(?!ths?\b))"
)
_COMPOUND = re.compile(
    rf"(?<![\w.-])(?:{_THOUSANDS}|{_HUNDREDS}|(?:{'|'.join(_TENS)})[- ](?:{'|'.join(_UNITS[:9])}))(?![a-z])",
    re.IGNORECASE,
)
_PARTS = {"ten-thousandth": "0.0001", "thousandth": "0.001", "hundredth": "0.01"}


def unified(text: str) -> str:
    """One spelling: `0,001` becomes `0.001`, `20.000` and `20 000` `20000`, `twenty-two` `22`, `$10^{-3}$` `10^-3`.

    Words of more than 60 characters are cut: patterns look a few words ahead from every position, and bounded words
    keep that cheap for any text.
    """
    for old, new in _SIGNS:
        text = text.replace(old, new)
    text = _without_formulas(_without_tables(text))
    text = re.sub(r"\s+", " ", text)
    text = re.sub(r"(?<![\d.,])0,(\d{1,10})(?!\d|,\d)", r"0.\1", text)
    text = re.sub(
        r"(?<![\w.,])([1-9]\d{0,2})((?:\.\d{3}){1,3})(?![\w.])(?!,\d)", lambda m: m[1] + m[2].replace(".", ""), text
    )
    text = re.sub(r"(?<![\d.,])([1-9]\d{0,2}) (000)(?![\d.,])", r"\1\2", text)
    return re.sub(r"\S{60}", r"\g<0> ", _in_digits(text))


def _without_tables(text: str) -> str:
    """A row of two cells is a setting: `| layers | 3 |` becomes `layers: 3;`."""
    return re.sub(r"(?m)^[ \t]*\|[ \t]*([^|\n]+?)[ \t]*\|[ \t]*([^|\n]+?)[ \t]*\|[ \t]*$", r"\1: \2;", text)


def _without_formulas(text: str) -> str:
    """What TeX puts around names and numbers is taken off; a price in dollars stays."""
    text = re.sub(r"\$([^$\n]{1,200})\$", lambda m: m[1] if re.search(r"[\\^_=]", m[1]) else m[0], text)
    text = re.sub(r"\\(?:math\w+|text\w*|operatorname)\{([^{}]{0,60})\}", r"\1", text)
    text = re.sub(rf"\\({'|'.join(_FORMULA_SIGNS)})(?![a-z])", lambda m: _FORMULA_SIGNS[m[1]], text)
    text = re.sub(rf"\\({_FORMULA_NAMES})(?![a-z])", r"\1", text)
    text = re.sub(r"\bL_\{?([A-Za-z]{2,20})\}?", r"\1", text)
    return re.sub(r"(?<=[\^e_])\{(-?[\d.]{1,10})\}", r"\1", text)


def _in_digits(text: str) -> str:
    """Numbers of more than one word: `twenty-two`, `two hundred and fifty`, `fifty thousand`, `one thousandth`."""
    for word, value in _PARTS.items():
        text = re.sub(rf"\b(?:one|an?)[- ]{word}\b", value, text, flags=re.IGNORECASE)
    return _COMPOUND.sub(lambda match: str(_value(match.group().lower())), text)


def _value(words: str) -> int:
    """Of such a number."""
    total, part = 0.0, 0.0
    for word in re.findall(r"[a-z]+|\d+(?:\.\d)?", words):
        if word == "thousand":
            total, part = total + 1000 * part, 0.0
        elif word == "hundred":
            part *= 100
        elif word != "and":
            part += _VALUES[word] if word in _VALUES else float(word)
    return round(total + part)
