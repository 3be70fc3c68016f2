"""Image sizes and channels as people state them: `64x64 RGB`, `(3, 224, 224)`, `resized to 128`, `greyscale`."""

import re

from dlcodegen.planner import quantities
from dlcodegen.planner.numbers import lower_case, number
from dlcodegen.planner.reading import Reading, blank

_RESOLUTIONS = {(640, 480), (320, 240), (800, 600), (1024, 768), (1280, 720), (1920, 1080), (1280, 960), (3840, 2160)}
"""Widths and heights of cameras and screens: there, people name the width first."""

_TUPLE = r"[(\[]\s?(?:(?:[a-z_]{1,12}|\?|-1|\d+)\s?,\s?)??(\d{1,4})\s?,\s?(\d{1,4})\s?,\s?(\d{1,4})\s?[)\]]"
_NOT_A_SHAPE = (
    r"(?:filters?|channels|widths?|units|layers?|sizes of|neurons|kernels?|dilations?|maps)[\s:=]{0,3}(?:of |with )?$"
)
_SIZE = (
    r"(?<![\w.])(?:(\d{1,2})\s?[x×*]\s?(?=\d{2,4}\s?[x×*]\s?\d{2,4}))?"
    r"(\d{1,4})\s?(?:px|pixels?)?\s?(?:x|×|\*|by)\s?(\d{1,4})(?:\s?(?:x|×|\*|by)\s?(\d{1,2}))?(?!\d)\s?(?:px|pixels?)?"
    r"(?![\w.]\d|[a-wyz]|x\b|\s?(?:kernel|conv|filter|pool|stride|patch|grid|window|µm|um|cm|mm|m\b|km|mag|zoom|matri"
    r"|block|cell(?! (?:image|picture|photo|micrograph|crop|tile|patch))))"
)
_SAID, _PIXELS = r"\s?(?:of|=|:|is)?\s?(\d{2,4})(?!\d)", r"(?<![\w.])(\d{2,4})\s?(?:px|pixels?)?[ -]"
_HEIGHT = rf"\b(?:height|h(?=\s?[=:])){_SAID}|{_PIXELS}(?:high|tall)\b"
_WIDTH = rf"\b(?:width|w(?=\s?[=:])){_SAID}|{_PIXELS}wide\b"
_SIDES = (
    r"(?:image|img|input|picture|photo|tile|crop|frame|bild)s?[ _-]?(?:size|sz|resolution|res|side|größe)\s?"
    r"(?:of|=|:|is"
    r"|to|von)?\s?(?:size\s?)?"
    r"(\d{2,4})(?!\d|[.,]\d|\s?(?:k\b|images|classes|epochs|features|dim))",
    r"\b(?:image|input) (32|48|64|96|112|128|160|192|224|256|288|299|320|384|416|448|480|512|608|640|768|1024)"
    r"(?=\s?(?:[,.;)+]|$))",
    r"(?<![\w.])(?:\d{2,4})(?=\s?(?:px\b|pixels\b))",
    r"resized?\s(?:\w+\s){0,2}?to\s(\d{2,4})(?!\d|\s?(?:images|%))",
    r"(?<![\w.])(\d{2,4})[- ]pixel(?!\w)(?! (?:wide|patch))",
    r"(?:at|in|with) (?:a )?resolution (?:of )?(\d{2,4})(?!\d)|(?:at|in) (\d{2,4}) resolution",
)
_OF_PICTURES = (  # what may stand before a colour that is the pictures' and not a thing's
    r"(?:\d|px|square|pixels?|images?|pictures?|photos?|scans?|frames?|tiles?|crops?|jpe?gs?|pngs?)\s?[,;:(]{0,2} ?"
    r"(?:(?:all|are|is|in|and|only|pure|8-bit|24-bit)\s){0,3}"
)
_ENDS = r"(?=\s?(?:[.,;:)]|$))"
_GREY = (
    r"gr[ae]y[- ]?scale|black[- ]and[- ]white|monochrome|\b(?:single|one|1)[- ]channel\b"
    r"|gr[ae]y (?:images|pictures|photos)"
    rf"|{_OF_PICTURES}gr[ae]y{_ENDS}|(?:^|[,;:(]\s?)gr[ae]y,? (?=\d{{1,4}}\s?[x×])"
    r"|gr[ae]y[- ]?(?:levels?|values?|tones?)|shades of gr[ae]y"
    rf"|in gr[ae]y{_ENDS}"
    r"|graustufen\w*|niveaux de gris|escala de gris\w*|scala di grigi|灰度|\bb/w\b"
)
_SHOWN = (
    r"(?:images?|photos?|pictures?|photographs?|frames?|pics?|shots?|scans?|stills?|crops?|tiles?|patches|jpe?gs?|pngs?|video"
    r"|clips?|footage|micrographs?)"
)
_COLOUR = (
    rf"\brgb\b(?!-?d)|colou?r(?:ed)? {_SHOWN}\b|in (?:full )?colou?r\b|\ben (?:color|couleurs?)\b|\bin farbe\b"
    rf"|{_OF_PICTURES}colou?r(?:ed)?(?=\s?(?:[.,;)]|$))|[,;:(]\s?colou?r,? (?=\d{{1,4}}\s?(?:[x×]|by\b|px))"
    rf"|^colou?r,? (?=\d{{1,4}}\s?(?:[x×]|by\b))|\b(?:type|mode|kind|channels)\s?[:=]\s?colou?r\b"
    r"|farbbild\w*|彩色"
)


def read_image(text: str, reading: Reading) -> str:
    """Read size and channels; the text comes back with what was read blanked out."""
    whole = text
    text = _read_tuples(text, reading)
    text = _read_sides_by_name(text, reading)
    text = _read_sizes(text, reading)
    text = _read_side(text, reading)
    return _read_channels(text, whole, reading)


def _read_tuples(text: str, reading: Reading) -> str:
    """`(224, 224, 3)`, `(3, 224, 224)`, with or without the batch: the small end is the channels."""
    for match in re.finditer(_TUPLE, text, re.IGNORECASE):
        a, b, c = map(int, match.groups())
        channels, height, width = (c, a, b) if c <= 16 < a else (a, b, c)
        if (
            min(height, width) < 8
            or channels > 16
            or re.search(_NOT_A_SHAPE, text[: match.start()][-40:], re.IGNORECASE)
        ):
            continue
        for name, value in (("channels", channels), ("image_height", height), ("image_width", width)):
            reading.add(name, value, match.group())
        text = blank(text, match)
    return text


def _read_sides_by_name(text: str, reading: Reading) -> str:
    """`height 240, width 320`, `H=240, W=320`, `320 pixels wide and 240 high`."""
    height, width = (re.search(pattern, text, re.IGNORECASE) for pattern in (_HEIGHT, _WIDTH))
    if height and width:
        for name, match in (("image_height", height), ("image_width", width)):
            reading.add(name, int(next(filter(None, match.groups()))), match.group())
            text = blank(text, match)
    return text


def _read_sizes(text: str, reading: Reading) -> str:
    """`64x64`, `3x64x64`, `128 x 128 x 3`, `640x480`. A size to enlarge or reduce to is another thing."""
    for match in re.finditer(_SIZE, text, re.IGNORECASE):
        before, first, second, after = (int(part) if part else None for part in match.groups())
        if first is None or second is None or min(first, second) < 8:
            continue
        width, height = (first, second) if (first, second) in _RESOLUTIONS else (second, first)
        if "image_height" in reading.facts and re.search(r"(?:to|into|->)\s$", text[: match.start()][-6:]):
            continue
        reading.add("image_height", height, match.group())
        reading.add("image_width", width, match.group())
        if before or after:
            reading.add("channels", before or after, match.group())
        text = blank(text, match)
    return text


def _read_side(text: str, reading: Reading) -> str:
    """One number for both sides: `image size 128`, `128px`."""
    if "image_height" in reading.facts:
        return text
    for pattern in _SIDES:
        match = re.search(pattern, text, re.IGNORECASE)
        if match and 8 <= (side := int(next(filter(None, match.groups()), match.group()))) <= 8192:
            for name in ("image_height", "image_width"):
                reading.add(name, side, match.group())
            return blank(text, match)
    return text


def _read_channels(text: str, whole: str, reading: Reading) -> str:
    """Counted, or told by the colours of the `whole` text: who colours greyscale images states no number by that."""
    if match := quantities.image_channels().search(lower_case(text)):
        reading.add("channels", int(number(match[match.lastgroup or 0])), match.group())
        return blank(text, match)
    grey, colour = (re.search(pattern, whole, re.IGNORECASE) for pattern in (_GREY, _COLOUR))
    if re.search(r"colou?ri[sz]|(?:to|into|from) (?:rgb|gr[ae]y|colou?r)", text, re.IGNORECASE):
        return text
    if grey and not colour:
        reading.imply("channels", 1, grey.group())
    elif colour and not grey:
        reading.imply("channels", 3, colour.group())
    return text
