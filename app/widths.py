"""Hidden layers of one width, which a script may have as two settings: `[hidden_size] * num_layers`."""

import re
from collections.abc import Mapping
from typing import Any

_STACK = re.compile(r"\[(?:\w+\.)?hidden_size\] \* (?:\w+\.)?num_layers\b")


def width_settings(code: str, stated: Mapping[str, Any]) -> dict[str, int]:
    """Stated `hidden_units` as the settings of a script that stacks equal layers: [64, 64] is hidden_size 64 twice.

    Nothing where the widths differ, or the script does not stack its layers so.
    """
    widths = stated.get("hidden_units")
    if not isinstance(widths, list) or len(set(widths)) != 1 or not _STACK.search(code):
        return {}
    return {"hidden_size": int(widths[0]), "num_layers": len(widths)}
