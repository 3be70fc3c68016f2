"""Classes that are named rather than counted: `into glass, paper and metal`, `benign or malignant`, `spam`."""

import re

from dlcodegen import vocabulary
from dlcodegen.planner.class_lists import read_enumeration
from dlcodegen.planner.class_wordings import (
    Found,
    read_found_things,
    read_opposites,
    read_scale,
    read_slashes,
    read_told_apart,
    read_versus,
)
from dlcodegen.planner.reading import Reading

_NAME = r"[^\W\d_][\w'-]{0,30}(?: [^\W\d_][\w'-]{0,30}){0,2}?"
_LAST = r"[^\W\d_][\w'-]{0,30}"
_CLASS_NOUN = (
    r"(?:class(?:es)?|categor(?:y|ies)|labels?|types?|kinds?|activit(?:y|ies)|states?|emotions?|diseases?|stages?"
    r"|species|genres?"
    r"|topics?|sentiments?|grades?|conditions?|defects?|klassen|clases|gestures?|intents?|tags)"
)
_AND_LIST = re.compile(
    rf"(?:\b(?:into|between|among|als|in) |\b{_CLASS_NOUN}\s?(?::|=|\(|,|are|such as)\s?\(?)"
    rf"((?:{_NAME}, ?){{1,30}}(?:(?:and |or |und |oder |et |ou |y |o |e )?{_LAST})(?: (?:and|or|und|oder|et|ou|y|o"
    rf"|e) {_LAST})?)",
    re.IGNORECASE,
)
_OR_LIST = re.compile(
    rf"(?:: ?|\(|\b(?:as|into|whether|is|are|doing|called|graded|rated|marked|labell?ed"
    r"|writes down|goe?s? to|sent to|belongs? to|either|between|als|comme|como|come)\b ?)"
    rf"(?:[\w-]+ ){{0,3}}?((?:{_NAME}, ?){{1,30}}(?:{_NAME},? )?(?:or|oder|ou|o) (?:an? |the )?{_LAST})",
    re.IGNORECASE,
)
_NOUN_LIST = re.compile(  # wine grade low, medium or high
    rf"\b{_CLASS_NOUN} (?!(?:of|for|from|in|and|or|by|with|is|are|as|yes)\b)"
    rf"((?:{_LAST}, ?){{1,30}}{_LAST},? (?:or|oder|ou|o) {_LAST})",
    re.IGNORECASE,
)
_NOT_CLASSES = r"train\w*|validation|val|test\w*|columns?|features?|inputs?|report\w*|accuracy|encoder|decoder"
_NO_NAMES = (  # of files, tools and settings
    r"png|jpe?gs?|tiffs?|csv|json|wav|mp3|txt|xml|keras|tensorflow|pytorch|torch|height|width|masks?|images?|photos?"
    r"|(?:class|early|data|batch) \w+|weights|layers|augmentation"
)
_PREPOSITION = r"^(?:as|from|with|using|by|for|on|at|of|where)\b"
_ASKED = r"^(?:the |its |their )?(?:age|sex|gender|mood|genre|species|type|kind|price|weight|size|emotion|fare|name)s?$"
_JOINED = r"\b(?:and|or|und|oder|et|ou|y|o|e)\b"
_TWO = (
    r"\bbinary (?:\w+ )?(?:classif\w*|labels?|targets?|outcomes?|segmentation|masks?|predict\w*|image|text)"
    r"|\(binary\)|\bbinär\w*|\b(?:marked|labell?ed|tagged|rated|called|flagged)(?: as)? \w+ or \w+\b(?! or|,)"
    r"|\b[a-z][\w-]* (?:vs\.?|versus) (?:the )?\w+|\bcats? (?:and|or|from) dogs?|\bdogs? (?:and|or|from) cats?"
    r"|\byes[/ ](?:or )?no\b|\b(?:\w+) or (?:not|no \w+)\b|\b(?:ok|normal|healthy|sick|ill|real|true|abnormal) (?:or"
    r"|and|from) (?:\w+)\b"
    r"|\bas (?:\w+ ){1,2}or (?:\w+)(?! or)(?=$|[\s.,;])|\bspam\b|\bbenign (?:or|and|from) malignant|\bpositive? (?:or"
    r"|and) negative"
    r"|\bpositi[vf]\w* (?:o|ou|oder|e|et|y|vs) n[eé]gati\w*|\bchurn\b|\bfraud\w*"
    r"|\b(?:loan|credit|will|may|payment) (?:\w+ )?defaults?\b|\bdefault (?:risk|prediction)"
    r"|katzen und hunde\w*|chats et (?:de )?chiens|gatos y perros|gatti e cani|猫和狗|gesund und krank|enfermas y sanas"
)
_YES_OR_NO = r"\byes or no\b"
_THIRD = r"(?<!\w)(?:vs\.?|versus|or|oder|ou)\s\w+,? (?:vs|or)"
_NO_QUESTION = ("object-detection", "metric-learning")
"""Tasks where yes and no are no classes: whether two pictures show the same person is told by a distance."""
_WHETHER = r"\bwhether\b|\bpredict if\b|\bprédire si\b|\bpredecir si\b|\bvorhersage ob\b"


def read_classes(text: str, category: str, reading: Reading) -> None:
    """Count the classes that are named, unless their number is known already."""
    if "num_classes" in reading.facts:
        return
    found = read_found_things(text) if category == "object-detection" else None
    if found is None and (asked := re.search(_YES_OR_NO, text, re.IGNORECASE)):
        found = 2, asked.group()
    found = found or read_slashes(text, _is_no_name) or read_versus(text) or read_told_apart(text) or _listed(text)
    found = found or read_enumeration(text, category, _is_no_name)
    if found is None and category not in _NO_QUESTION:
        found = _two(text)
    if found:
        reading.add("num_classes", *found)


def _listed(text: str) -> Found | None:
    """`into glass, paper and metal`."""
    for pattern in (_OR_LIST, _NOUN_LIST, _AND_LIST):
        for match in pattern.finditer(text):
            names = _names(match.group(1))
            if len(names) >= 3 and _are_classes(names, match.group(1)):
                return len(names), match.group()
    return None


def _two(text: str) -> Found | None:
    """Two classes that are named or that a question has; else the steps of a rating."""
    if two := re.search(_TWO, text, re.IGNORECASE) or read_opposites(text):
        said = not _is_no_class(two.group()) and not re.search(_THIRD, text, re.IGNORECASE)
        return (2, two.group()) if said else None
    if found := read_scale(text):
        return found
    whether = re.search(_WHETHER, text, re.IGNORECASE)
    if whether and not re.search(r", ?\w+(?: \w+)? or ", text[whether.end() :]):
        return 2, whether.group()
    return None


def _names(enumeration: str) -> list[str]:
    parts = re.split(r",\s?(?:and |or |und |oder )?|\s(?:and|or|und|oder|et|ou|y|o|e)\s", enumeration)
    return [part.strip() for part in parts if part.strip()]


def _is_no_class(name: str) -> bool:
    """Parts of the data, metrics, optimizers and architectures are listed too, but are no classes."""
    if re.search(rf"\b(?:{_NOT_CLASSES})\b", name, re.IGNORECASE):
        return True
    tables = (vocabulary.METRICS, vocabulary.OPTIMIZERS, vocabulary.ARCHITECTURES, vocabulary.LOSSES)
    return any(vocabulary.find(table, name) for table in tables)


def _are_classes(names: list[str], enumeration: str) -> bool:
    """`age, sex and mood` are asked, not told apart; `in a dish, as one number, from a picture` is no list at all."""
    asked = sum(re.search(_ASKED, name, re.IGNORECASE) is not None for name in names)
    led = any(re.search(_PREPOSITION, name, re.IGNORECASE) for name in names)
    broken = (led and not re.search(_JOINED, enumeration, re.IGNORECASE)) or names[-1].lower() == "not"
    return asked < 2 and not broken and not any(_is_no_name(name) for name in names)


def _is_no_name(name: str) -> bool:
    return re.fullmatch(_NO_NAMES, name, re.IGNORECASE) is not None or _is_no_class(name)
