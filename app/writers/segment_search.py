"""Looking for a segment, not for a script: which sample already does what is asked for in this one part?

A script is retrieved because its task is alike; a squeeze-and-excitation block may stand in one of another task. So the
pool's segments are ranked apart, by the words in their names (issue 6: what failed in all samples of a small model was
what a segment that does it would have shown).
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from dlcodegen.corpus.index import Bm25Index
from dlcodegen.corpus.sample import all_samples
from dlcodegen.syntax_tree import parse
from dlcodegen.techniques import BY_NAME
from dlcodegen.writers.segments import split

_TECHNIQUE = 100.0
"""What the very technique asked for counts, against words: more than any score of BM25."""


@dataclass(frozen=True)
class FoundSegment:
    """A segment of a sample."""

    sample: str
    """Id of the sample it is of."""
    name: str
    code: str

    def shows(self, technique: str) -> bool:
        """Whether a name in it speaks of this technique (`dlcodegen.techniques`)."""
        return _shows(self.code, technique)

    def excerpt(self, techniques: Sequence[str]) -> str:
        """Those of its functions and classes that show one of the techniques: a small model reads little."""
        lines = self.code.split("\n")
        parts = ["\n".join(lines[node.lineno - 1 : node.end_lineno]) for node in parse(self.code).body]
        return "\n\n\n".join(part for part in parts if any(_shows(part, technique) for technique in techniques))


def best_segments(
    name: str, words: str, techniques: Sequence[str], framework: str, limit: int, without: Iterable[str] = ()
) -> list[FoundSegment]:
    """The segments called `name` that fit best, best first: those that show the techniques, then by shared words.

    `without`: ids of samples that are known already.
    """
    segments, index = _segments(name, framework)
    scores = index.scores(_words(words)).tolist()
    known = set(without)
    ranked = [
        (score + _TECHNIQUE * sum(map(segment.shows, techniques)), segment)
        for score, segment in zip(scores, segments, strict=True)
        if segment.sample not in known
    ]
    ranked = [(score, segment) for score, segment in ranked if score > 0]
    return [segment for _, segment in sorted(ranked, key=lambda item: (-item[0], item[1].sample))[:limit]]


@lru_cache(maxsize=32)
def _segments(name: str, framework: str) -> tuple[list[FoundSegment], Bm25Index]:
    """Those of the shipped samples, all of which keep the contract, and an index over the words in them."""
    samples = [sample for sample in all_samples().values() if sample.framework == framework]
    found = [FoundSegment(sample.id, name, split(sample.code)[name]) for sample in samples]
    return found, Bm25Index.build(_words(segment.code) for segment in found)


def _shows(code: str, technique: str) -> bool:
    return any(BY_NAME[technique].shown_by(word) for word in set(re.findall(r"[A-Za-z_]\w*", code)))


def _words(text: str) -> list[str]:
    """`MultiHeadAttention(num_heads)` -> multi, head, attention, num, heads."""
    return re.findall(r"[a-z]{2,}", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", text).replace("_", " ").lower())
