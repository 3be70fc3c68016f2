"""The slots of a template that a chat model wrote: which there are, and what a sample has in their place."""

import re

_SLOTS_A_LINE = 3
"""Lines with more are not compared: matching would take time that grows with the power of their number."""
_SLOT = re.compile(r"\{\{\s*([A-Za-z_]\w*)\s*\}\}")


def slot_values(template: str, sample: str) -> dict[str, str]:
    """Slot name -> what the sample has there; "" where no line of the sample fits the template's line.

    `learning_rate: float = {{lr}}` finds `1e-3` in a sample with the line `learning_rate: float = 1e-3`.
    """
    values = dict.fromkeys(_SLOT.findall(template), "")
    sample_lines = [line.strip() for line in sample.splitlines()]
    for line in template.splitlines():
        for name, value in _values_in(line.strip(), sample_lines).items():
            values[name] = values[name] or value
    return values


def _values_in(line: str, sample_lines: list[str]) -> dict[str, str]:
    """The line's slots with the values of the first sample line that is the same but for the slots."""
    names = _SLOT.findall(line)
    fits_everywhere = not re.search(r"\w", _SLOT.sub("", line))
    if not names or fits_everywhere or len(names) > _SLOTS_A_LINE:
        return {}
    texts = _SLOT.split(line)[::2]
    pattern = re.compile("(.+?)".join(map(re.escape, texts)))
    for match in filter(None, map(pattern.fullmatch, sample_lines)):
        return dict(zip(names, match.groups(), strict=True))
    return {}
