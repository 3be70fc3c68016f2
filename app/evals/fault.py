"""One realistic fault, planted in a sample by a small edit: what the ladder is measured with."""

from dataclasses import dataclass

RUNGS = (
    "parse",
    "names",
    "complete",
    "imports",
    "contract",
    "build",
    "step",
    "smoke run",
    "current API",
    "metrics",
    "reload",
    "judgement",
    "conformance",
)
"""What can catch a fault: the rungs of the ladder, and the comparison with the plan, which fails no check."""


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong with a script, as people and language models get it wrong."""

    name: str
    kind: str
    """Its theme, such as `shapes` or `dishonest`."""
    sample: str
    """Id of the sample that it is planted in."""
    edits: tuple[tuple[str, str], ...]
    """Old and new text; each old text stands in exactly one place when its turn comes."""
    expected: tuple[str, ...]
    """Rungs that may rightly catch it; none where a check of the script cannot see it, but a user would suffer."""
    about: str
    """What is wrong and how that comes about, then what the smoke run did when it was run without a check."""

    def code(self, sample_code: str) -> str:
        """The sample's code with the fault in it. Raises ValueError where an edit does not fit in exactly one place."""
        for old, new in self.edits:
            places = sample_code.count(old)
            if places != 1:
                raise ValueError(f"{self.name}: {old!r:.80} stands in {places} places of {self.sample}")
            sample_code = sample_code.replace(old, new)
        return sample_code
