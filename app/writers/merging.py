"""The comparative merge (paper, section III-D): what a model is shown of the drafts, and what its answer means.

It sees the drafts segment by segment, those in which they agree once, and the evidence of each; it answers with a draft
or a rewrite for each segment, and a reason.
"""

import re

from dlcodegen.report import Candidate, best
from dlcodegen.syntax_tree import parse
from dlcodegen.writers.answers import code_of, defines_main, tree_of
from dlcodegen.writers.evidence import evidence
from dlcodegen.writers.imports import with_imports
from dlcodegen.writers.pieces import PARTS, UselessAnswerError, with_segment
from dlcodegen.writers.segments import SEGMENTS, SegmentError, join, split
from dlcodegen.writers.tidy import tidy

_SEGMENT_LINE = re.compile(
    r"(?:[-+•]\s*|\d+[.)]\s*)?(?:segment\s+)?(?P<segment>[\w.()]+)\s*:\s*"
    r"(?:from\s+)?(?P<draft>[\w ]{1,60}?)\s*(?:[-–—:,(]\s*(?P<reason>.*))?"
)
_CALLED = {"load_data": "data", "build_model": "model"}
"""Other names of segments that models use."""


def shown(drafts: list[Candidate]) -> dict[str, object]:
    """The variables of `prompts/merge.md`: `drafts`, `same` (segments alike in all) and `different`."""
    told = [{"name": draft["name"], "evidence": evidence(draft["report"])} for draft in drafts]
    try:
        parts = [split(draft["code"]) for draft in drafts]
    except (SegmentError, SyntaxError):  # no segments to compare: whole scripts
        whole = [{"draft": draft["name"], "code": draft["code"]} for draft in drafts]
        return {"drafts": told, "same": {}, "different": {"script": whole}}
    same = {name: parts[0][name] for name in SEGMENTS if all(part[name] == parts[0][name] for part in parts)}
    different = {
        name: [{"draft": draft["name"], "code": part[name]} for draft, part in zip(drafts, parts, strict=True)]
        for name in SEGMENTS
        if name not in same
    }
    return {"drafts": told, "same": same, "different": different}


def merged(answer: str, drafts: list[Candidate]) -> Candidate | None:
    """The script that an answer means: a whole one, or the chosen segments with what it rewrites; None when neither.

    `origin` has one line a segment. A segment that the answer does not name comes from the better draft.
    """
    code = code_of(answer)
    tree = tree_of(code) if code else None
    if tree is not None and defines_main(tree):
        origin = segment_origins(answer, drafts) or ["merged by the model, which named no segments"]
        return Candidate(name="merged", code=code, origin=origin, report=None)
    choices = _choices(answer, drafts)
    if not choices:
        return None
    try:
        return _assembled(choices, code, drafts)
    except (SegmentError, SyntaxError):
        return None


def segment_origins(answer: str, drafts: list[Candidate]) -> list[str]:
    """The `segment: draft - reason` lines of a merge, in that form whatever the bullets and stars around them."""
    return [f"{name}: {source} - {reason}" for name, (source, reason) in _choices(answer, drafts).items()]


def _choices(answer: str, drafts: list[Candidate]) -> dict[str, tuple[str, str]]:
    """Segment -> the draft (or `both`, `rewritten`) and the reason. Drafts may be called A and B in their order."""
    names = {"both": "both", "rewritten": "rewritten", "rewrite": "rewritten"}
    names |= {draft["name"].lower(): draft["name"] for draft in drafts}
    for letter, draft in zip("ab", drafts, strict=False):
        names |= {letter: draft["name"], f"draft {letter}": draft["name"]}
    outside = re.split(r"^\s*(?:`{3,}|~{3,}).*$", answer, flags=re.MULTILINE)[::2]
    choices = {}
    for line in re.sub(r"[*`]", "", "\n".join(outside)).splitlines():
        match = _SEGMENT_LINE.fullmatch(line.strip())
        if match and (source := names.get(match["draft"].lower())):
            choices[match["segment"]] = (source, match["reason"] or "no reason given")
    return choices


def _assembled(choices: dict[str, tuple[str, str]], code: str, drafts: list[Candidate]) -> Candidate:
    """Segments of the chosen drafts, then those that the answer rewrites. Raises SegmentError or SyntaxError."""
    parts = {draft["name"]: split(draft["code"]) for draft in drafts}
    better = best(drafts)["name"]
    by_segment = {_CALLED.get(name.lower(), name.lower()): choice for name, choice in choices.items()}
    chosen, origin = {}, []
    for name in SEGMENTS:
        source, reason = by_segment.get(name, (better, "the better draft, not named by the model"))
        chosen[name] = parts.get(source, parts[better])[name]
        origin.append(f"{name}: {source} - {reason}")
    for other in parts.values():
        chosen["imports"] = with_imports(chosen["imports"], parse(other["imports"]))
    script = tidy(join(chosen))
    for name in [name for name in PARTS if by_segment.get(name, ("", ""))[0] == "rewritten"]:
        try:
            script = with_segment(script, name, f"```python\n{code}\n```")
        except UselessAnswerError as problem:
            origin.append(f"{name}: {better} - {problem}")
    return Candidate(name="merged", code=script, origin=origin, report=None)
