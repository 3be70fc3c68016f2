"""Classes that stand in a list without "into" or "whether" before it: after a colon, in braces, or as a fragment."""

import re
from collections.abc import Callable, Iterator

from dlcodegen.planner.class_wordings import INSIDE, WORD, WORDS, Found, parts

_CLASS_SAID = (
    r"\b(?:which|what|whether|classif\w*|recogni\w*|identif\w*|distinguish\w*|tells?|sort\w*|detect\w*|label\w*|class\w*"
    r"|categor\w*|types?|kinds?|groups?|entit\w+|tags?|faults?|defects?|exercises?|diagnos\w*|activit\w+|states?|moods?"
    r"|emotions?|gestures?|species|genres?|topics?|stages?|grades?|levels?|bins|piles|poses?|commands?|outcomes?)\b"
)
_GIVEN_SAID = (
    r"\b(?:features?|columns?|inputs?|variables|measure\w*|metrics?|report\w*|score\w*|settings?|config\w*|given|files?"
    r"|hyper\S*|things|facts|attributes|predictors|folders?|train\w*|requirements?|notes?|sensors?|model|optim\w*)\b"
)
_TOLD_APART_IN = ("image-class", "audio-class", "video-class", "text-class", "time-series-class")
_LIST = rf"{WORDS}(?:, ?{WORDS}){{1,30}}(?:,? (?:and|or|&) {WORDS}|, ?{WORDS})"
_AFTER_COLON = re.compile(rf"(?:^|(?<=[.;!?\n]))([^.;!?\n:]{{0,120}}):\s?({_LIST})(?=\s?(?:[.;!?)]|$))", re.IGNORECASE)
_ALONE = re.compile(
    rf"(?:^|(?<=[.!?] ))({WORDS}(?:, ?{WORDS}){{1,30}},? (?:and|or|&) {WORDS})(?=\s?(?:[.!?]|$))", re.IGNORECASE
)
_MAPPED = re.compile(
    r"\b(?:maps?|masks?|segment\w*|outlin\w+|delineat\w+|labels? (?:every|each) pixel\w*|paint\w*)"
    r"(?: (?:of|out|the|every|all|for|as|pixels?|each|per-pixel)){0,3} "
    rf"((?:{WORD}(?: {WORD}){{0,2}}, ?){{1,30}}(?:{WORD} ){{0,2}}(?:and|or) {WORD})(?![\w-])",
    re.IGNORECASE,
)
_IN_BRACKETS = re.compile(
    rf"([^.;!?\n:()]{{3,60}})\(({WORDS}(?:, ?{WORDS}){{1,15}}(?:,? (?:and|or|&) |, ?){WORDS})\)", re.IGNORECASE
)
_BRACES = re.compile(r"\b(?:tags?|labels?|class(?:es)?|types?)\s?[=:]?\s?\{([^{}]{3,300})\}", re.IGNORECASE)
_ORDINALS = {"third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8, "ninth": 9, "tenth": 10}
_ORDINAL = rf"\bas (?:the |a |our )?({'|'.join(_ORDINALS)}) (?:class|label|category|group)\b"


def read_enumeration(text: str, category: str, is_no_class: Callable[[str], bool]) -> Found | None:
    """`which fault: squeal, misfire, leak`; a fragment that is a list and no more; in a mask `map of road and kerb`."""
    if last := re.search(_ORDINAL, text, re.IGNORECASE):
        return _ORDINALS[last.group(1).lower()], last.group()
    if (braces := _BRACES.search(text)) and "," in braces.group(1):
        return braces.group(1).count(",") + 1, braces.group()
    for said in _lists(text, category):
        names = parts(said.replace("&", "and"))
        inside = any(re.search(rf"{INSIDE}|\bas\b|^not$", name, re.IGNORECASE) for name in names)
        if not inside and not any(map(is_no_class, names)):
            return len(names), said
    return None


def _lists(text: str, category: str) -> Iterator[str]:
    """The likely ones first."""
    for match in _AFTER_COLON.finditer(text):
        if _leads_to_classes(match.group(1), category):
            yield match.group(2)
    if category.startswith(_TOLD_APART_IN):
        for match in _IN_BRACKETS.finditer(text):
            if not re.search(_GIVEN_SAID, match.group(1), re.IGNORECASE):
                yield match.group(2)
    if category == "image-segmentation":
        yield from (match.group(1) for match in _MAPPED.finditer(text))
    if not category.startswith("tabular"):
        yield from (match.group(1) for match in _ALONE.finditer(text))


def _leads_to_classes(before: str, category: str) -> bool:
    """Whether what stands before a colon says, or in such a task need not say, that classes follow."""
    if re.search(_GIVEN_SAID, before, re.IGNORECASE):
        return False
    return category.startswith(_TOLD_APART_IN) or re.search(_CLASS_SAID, before, re.IGNORECASE) is not None
