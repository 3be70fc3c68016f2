"""What can stand in the place of code that fails, without a model: it is there already, or it is known to run."""

import itertools
from collections.abc import Iterable, Iterator

from dlcodegen.corpus.sample import Sample
from dlcodegen.plan import SolutionPlan
from dlcodegen.report import Candidate
from dlcodegen.syntax_tree import parse
from dlcodegen.writers import adapt
from dlcodegen.writers.imports import with_imports
from dlcodegen.writers.lighter_trial import lighter
from dlcodegen.writers.protocol import Request
from dlcodegen.writers.segments import SEGMENTS, SegmentError, join, segment_at, split
from dlcodegen.writers.tidy import tidy


def replacements(
    request: Request, plan: SolutionPlan, history: list[Candidate], samples: list[Sample], seed: int
) -> Iterator[Candidate]:
    """Scripts to try after the last of `history` failed, the smallest change first; none that was tried before.

    A smaller trial where it took too much; the failing segment of another draft, of the sample, of the sample adapted
    to the plan; then whole scripts.
    """
    parts, ready = _segments(request, plan, history, samples, seed), _whole(request, plan, samples, seed)
    return _untried(history, itertools.chain(_smaller(history[-1]), parts, ready))


def last_resort(
    request: Request, plan: SolutionPlan, history: list[Candidate], samples: list[Sample], seed: int
) -> Iterator[Candidate]:
    """Those of `replacements` that are whole scripts: the adapted sample, and the sample as it is."""
    return _untried(history, _whole(request, plan, samples, seed))


def failing_segment(failed: Candidate) -> str:
    """The segment where it broke; the model where nobody knows. Raises SegmentError or SyntaxError if it has none."""
    error = failed["report"]["error"] if failed["report"] else None
    split(failed["code"])
    return segment_at(failed["code"], error["line"]) if error and error["line"] else "model"


def _untried(history: list[Candidate], found: Iterable[tuple[str, str]]) -> Iterator[Candidate]:
    tried = {candidate["code"] for candidate in history}
    for code, note in found:
        if code not in tried:
            tried.add(code)
            yield Candidate(name="repair", code=code, origin=[note], report=None)


def _smaller(failed: Candidate) -> Iterator[tuple[str, str]]:
    if mended := lighter(failed):
        yield mended["code"], mended["origin"][-1]


def _segments(
    request: Request, plan: SolutionPlan, history: list[Candidate], samples: list[Sample], seed: int
) -> Iterator[tuple[str, str]]:
    """The failed script with one segment of another, and `SEGMENT: SOURCE - WHY`."""
    *earlier, failed = history
    for candidate in reversed(earlier):
        yield from _exchanged(failed, candidate["code"], candidate["name"])
    for sample in _adaptable(samples):
        yield from _exchanged(failed, sample.code, sample.id)
        adapted = adapt.adapted_script(sample.code, plan, request["facts"], seed)
        yield from _exchanged(failed, adapted, f"{sample.id}, adapted to the plan")


def _whole(request: Request, plan: SolutionPlan, samples: list[Sample], seed: int) -> Iterator[tuple[str, str]]:
    """Whole scripts, and `all: SOURCE - WHY`."""
    for sample in _adaptable(samples):
        adapted = adapt.adapted_script(sample.code, plan, request["facts"], seed)
        yield adapted, f"all: {sample.id}, adapted to the plan - nothing else ran"
        yield sample.code, f"all: {sample.id} - the sample as it is, for nothing else ran"


def _adaptable(samples: list[Sample]) -> list[Sample]:
    """The nearest sample, where it has the parts of the contract."""
    return [sample for sample in samples[:1] if sample.by_contract]


def _exchanged(failed: Candidate, other: str, source: str) -> Iterator[tuple[str, str]]:
    """The failed script with the other's version of the segment in which it broke; nothing where they do not fit."""
    try:
        name = failing_segment(failed)
        parts, others = split(failed["code"]), split(other)
    except (SegmentError, SyntaxError):
        return
    if name not in SEGMENTS or parts[name] == others[name]:
        return
    parts[name] = others[name]
    parts["imports"] = with_imports(parts["imports"], parse(others["imports"]))
    yield tidy(join(parts)), f"{name}: {source} - the script failed there"
