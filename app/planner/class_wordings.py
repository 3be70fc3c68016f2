"""Ways to name classes other than a list with commas: `ok / worn / broken`, `cats from dogs`, what a detector finds."""

import re
from collections.abc import Callable

WORD = r"[^\W\d_][\w'-]{0,30}"
WORDS = rf"{WORD}(?: {WORD}){{0,2}}"
_SLASHES = re.compile(rf"(?<![\w./\\-])({WORDS}?(?:\s?/\s?{WORDS}?){{1,12}})(?![\w/\\-]|\s?/|\.\w)", re.I)
_PRONOUNS = r"(?:he|she|they|his|hers?|theirs?|him|them|and|or|either)"
_LEADS_TO_DATA = r"(?:from|with|using|given|by|on|per|via) \S+$"
_POLES = (
    r"(?:ab)?normal|healthy|unhealthy|sick|ill|diseased|ok|okay|not ok|nok|good|bad|faulty|defect(?:ive)?|pass|fail"
    r"|positive|negative|pos|neg|benign|malignant|real|fake|male|female|spam|ham|present|absent|alive|dead|true|false"
    r"|open|closed|on|off|empty|full|wet|dry|ripe|unripe|edible|poisonous|dangerous|harmless"
)

_DATA = (
    r"photos?|images?|pictures?|pics?|scans?|x-?rays?|videos?|clips?|recordings?|audio|sounds?|songs?|voices?|texts?"
    r"|reviews?|sentences?|posts?|e-?mails?|messages?|signals?|sensors?|readings?|measurements?|data|features|columns"
    r"|tables?|spectr\w+|ecgs?|eegs?|tweets?|files?|how|what|where|which|their|its|his|her|my|our|these|those|this|that"
    r"|each|one another|coordinates?|nodes?|values?|curves?|counts?|currents?|harmonics|movements?|film|scratch"
    r"|start|leaf|leaves|faces?|handwriting|\d\S*"
)
_ASKED = (
    r"species|types?|kinds?|breeds?|ages?|genders?|genres?|moods?|emotions?|sentiments?|grades?|class(?:es)?|topics?"
    r"|names?|prices?|values?|weights?|languages?|states?|labels?|intents?|activit(?:y|ies)|gestures?|diseases?|whether"
    r"|if|which|what|us|me|you|people|him|her"
)
_TELL = (
    r"(?:tell(?:s|ing)?|distinguish(?:es|ing)?|discriminat(?:es?|ing)|separat(?:es?|ing)|differentiat(?:es?|ing)"
    r"|know(?:s|ing)?|sort(?:s|ing)?)"
)
_SIDE = rf"(?!(?:{_ASKED})\b)(?:[\w'-]+ )"
_NO_THIRD = r"(?![\w-]|(?: [\w-]+){0,3} (?:and|or|from)\b|, )"
_OPPOSITES = (
    # a healthy cough from a sick one; cats from dogs
    rf"\b{_TELL} an? {_SIDE}{{1,3}}?(?:apart )?from an? (?!(?:\w+ )?(?:{_DATA})\b)[\w-]+{_NO_THIRD}",
    rf"\b{_TELL} the {_SIDE}{{1,3}}?(?:apart )?from the (?!(?:\w+ )?(?:{_DATA})\b)[\w-]+{_NO_THIRD}",
    rf"\b{_TELL} (?!an? |the ){_SIDE}{{1,2}}?(?:apart )?from (?!(?:\w+ )?(?:an?|the|{_DATA})\b)[\w-]+{_NO_THIRD}",
    rf"\b{_TELL} (?:the )?{_SIDE}{{1,2}}?(?:and|or) (?:[\w'-]+ ){{1,2}}?apart\b",
    rf"\b(?:distinguish|discriminat|differentiat)\w* (?:between )?{_SIDE}{{1,2}}?and [\w'-]+(?! and|,)",
    # which accounts are mules and which are not
    r"\bwhich (?:[\w'-]+ ){0,8}?(?:is|are|has|have) (?:[\w'-]+ ){1,4}?"
    r"(?:and|or|from) which (?:ones? )?(?:is|are"
    r"|not|do|does|has|have)\b",
    rf"(?<![\w-])(?:{_POLES}) or (?:{_POLES})(?![\w-])",
    r"\b(?:those|ones|the one) (?:that|which|who) (?:[\w'-]+ ){1,5}?(?:from|and) (?:those|ones|the ones|the one) "
    r"(?:that|which|who)\b",
)

_FIND = (
    r"(?:detect(?:s|ing|ion of|ors? (?:for|of))?|finds?|locat(?:es?|ing)|locali[sz](?:es?|ing)|spot(?:s|ting)?"
    r"|mark(?:s|ing)?|count(?:s|ing)?|box(?:es|ed)?|rectangles|look(?:s|ing)? for|search(?:es|ing)? for|tracks?)"
)
_FOUND = (
    rf"\b{_FIND} (?:(?:the|all|any|every|each|drawn|around|round|of|for|single|individual|boxes|where) ){{0,4}}"
    rf"((?:{WORD}(?: {WORD}){{0,1}}, ?){{1,30}}(?:{WORD} ){{0,2}}(?:and|or) {WORD}"
    r"|[a-z-]{2,}s and [a-z-]{2,}s)(?![\w-])"
)
_TOLD = (
    r"\b(?:tell(?:s|ing)?|distinguish(?:es|ing)?|recogni[sz](?:es?|ing)|identif(?:y|ies|ying)|differentiat(?:es?|ing)) "
    rf"(?:between |among |the )?((?:{WORD}(?: {WORD}){{0,2}}, ?){{1,30}}(?:{WORD} ){{0,2}}(?:and"
    rf"|or) {WORD})(?![\w-])"
)
INSIDE = r"\b(?:by|from|using|via|through|on|in|with|of|for|whether|if)\b"
_ONE_CLASS = r"\b(?:only |just )?(?:one|a single|1)[- ](?:object )?class\b|\bsingle[- ]class\b"
_NO_THING = (
    r"\b(?:report|draw|count|use|train|return|save|map|iou|boxes|classes|scores|give|show|metrics|epochs|its|their|file"
    r"|category|corners)\b"
)

_VERSUS = rf"(?<!\w){WORD}(?:,? (?:vs\.?|versus) (?:the )?{WORD}){{2,20}}"
_TO = r"([01])\s?(?:-|to|through|bis|à)\s?(\d{1,2})(?![\d.,]\d|\d|-|\s?%)"
_SCALES = (  # a rating from 1 to 5, KL grade 0-4, 1-5 stars
    r"\b(?:stars?|(?:star )?ratings?|grades?|scores?|scale|levels?|severity|quality|class(?:es)?|labels?) "
    rf"?(?:\(|:|of|from|is|are|,|between)?\s?{_TO}",
    rf"\b(?:grade|rate|score|stage) (?:[\w'-]+ ){{1,4}}\({_TO}\)",
    rf"(?<![\w.]){_TO}[- ](?:stars?|(?:point )?(?:scale|rating))(?!\w)",
)
_LONGEST_SCALE = 12
"""Classes: what has more steps is a number to be estimated."""

Found = tuple[int, str]
"""How many classes, and the words that name them."""


def read_slashes(text: str, is_no_class: Callable[[str], bool]) -> Found | None:
    """`normal / pvc / other`; of two names only opposites (`ok/faulty`) or what a classifier is named after."""
    for match in _SLASHES.finditer(text):
        names = [name.strip() for name in match.group(1).split("/")]
        first, last = names[0].split()[-1], names[-1].split()[0]
        inner = [first, *names[1:-1], last] if len(names) > 1 else names
        led = re.search(_LEADS_TO_DATA, text[max(0, match.start(1) - 40) : match.start(1)] + names[0], re.IGNORECASE)
        after = text[match.end() : match.end() + 20]
        described = re.match(r"\s(?:columns?|features?|values|measurements|ax[ei]s|files?|data)\b", after)
        others = any(is_no_class(name) or re.fullmatch(_PRONOUNS, name, re.IGNORECASE) for name in inner)
        if led or described or others or max(map(len, inner)) < 2:
            continue
        opposites = all(re.fullmatch(_POLES, name, re.IGNORECASE) for name in inner)
        named_after = re.match(r"\s(?:classif|detector|label|decision|recogni)", after, re.IGNORECASE)
        if len(names) >= 3 or opposites or named_after:
            return len(names), match.group(1)
    return None


def read_scale(text: str) -> Found | None:
    """Steps of a rating from nought or one: `stars (1 to 5)`."""
    for pattern in _SCALES:
        for match in re.finditer(pattern, text, re.IGNORECASE):
            steps = int(match.group(2)) - int(match.group(1)) + 1
            if 3 <= steps <= _LONGEST_SCALE:
                return steps, match.group()
    return None


def read_versus(text: str) -> Found | None:
    """What is set against each other: `calm vs tense vs angry`."""
    chain = re.search(_VERSUS, text, re.IGNORECASE)
    return (len(re.findall(r"\bvs\b|\bversus\b", chain.group(), re.IGNORECASE)) + 1, chain.group()) if chain else None


def read_told_apart(text: str) -> Found | None:
    """`tell pan, tilt and zoom shots apart`, `recognise letters, invoices or complaints`."""
    for match in re.finditer(_TOLD, text, re.IGNORECASE):
        names = parts(match.group(1))
        asked = [name for name in names if re.fullmatch(rf"(?:the |its |their )?(?:{_ASKED}|sex)", name, re.IGNORECASE)]
        if len(asked) < 2 and not any(re.search(INSIDE, name, re.IGNORECASE) for name in names):
            return len(names), match.group()
    return None


def parts(enumeration: str) -> list[str]:
    return re.split(r",\s?(?:and |or )?|\s(?:and|or)\s", enumeration)


def read_opposites(text: str) -> re.Match[str] | None:
    """Words that set two classes against each other: `tell a healthy cough from a sick one`."""
    return next(filter(None, (re.search(pattern, text, re.IGNORECASE) for pattern in _OPPOSITES)), None)


def read_found_things(text: str) -> Found | None:
    """The things that a detector is to find, by name: `detect cars, buses and trucks`; or that there is one class."""
    for match in re.finditer(_FOUND, text, re.IGNORECASE):
        names = parts(match.group(1))
        if not re.search(_NO_THING, match.group(1), re.IGNORECASE):
            return len(names), match.group()
    only = re.search(_ONE_CLASS, text, re.IGNORECASE)
    return (1, only.group()) if only else None
