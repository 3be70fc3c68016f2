"""Widths that follow from others: layers of one width as two settings, and heads that divide a width."""

import re
from collections.abc import Mapping
from typing import Any

_STACK = re.compile(r"\[(?:\w+\.)?hidden_size\] \* (?:\w+\.)?num_layers\b")
_HIDDEN_SIZE = re.compile(r"^    hidden_size: int = (\d+)", re.MULTILINE)


def width_settings(code: str, stated: Mapping[str, Any]) -> dict[str, int]:
    """Settings of this script that what is stated implies."""
    return _stacked(code, stated) | _divided(code, stated)


def _stacked(code: str, stated: Mapping[str, Any]) -> dict[str, int]:
    """`hidden_units` as the settings of a script that stacks equal layers: [64, 64] is hidden_size 64 twice.

    Nothing where the widths differ, or the script does not stack its layers so.
    """
    widths = stated.get("hidden_units")
    if not isinstance(widths, list) or len(set(widths)) != 1 or not _STACK.search(code):
        return {}
    return {"hidden_size": int(widths[0]), "num_layers": len(widths)}


def _divided(code: str, stated: Mapping[str, Any]) -> dict[str, int]:
    """The next width that the stated `num_heads` divide, where the script's own is none: 6 heads of 128 make 132."""
    heads, own = stated.get("num_heads"), _HIDDEN_SIZE.search(code)
    if not isinstance(heads, int) or own is None or "hidden_size" in stated or int(own.group(1)) % heads == 0:
        return {}
    return {"hidden_size": -(-int(own.group(1)) // heads) * heads}
