"""What was derived from a script, one row each."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """A field of the plan that the code shows: `batch size`, `32`, and the line that shows it."""

    name: str
    value: str
    line: int | None = None
