"""What can stand in the place of code that fails, without a model: it is there already, or it is known to run."""

from collections.abc import Iterator

from dlcodegen.corpus.sample import Sample
from dlcodegen.plan import SolutionPlan
from dlcodegen.report import Candidate
from dlcodegen.writers import adapt
from dlcodegen.writers.protocol import Request
from dlcodegen.writers.segments import SEGMENTS, SegmentError, join, segment_at, split
from dlcodegen.writers.tidy import tidy


def replacements(
    request: Request, plan: SolutionPlan, history: list[Candidate], samples: list[Sample], seed: int
) -> Iterator[Candidate]:
    """Scripts to try after the last of `history` failed, the smallest change first; none that was tried before.

    The failing segment of another draft, of the sample, of the sample adapted to the plan; that whole
    adapted sample; the sample as it is.
    """
    tried = {candidate["code"] for candidate in history}
    for code, note in _in_order(request, plan, history, samples, seed):
        if code not in tried:
            tried.add(code)
            yield Candidate(name="repair", code=code, origin=[note], report=None)


def last_resort(
    request: Request, plan: SolutionPlan, history: list[Candidate], samples: list[Sample], seed: int
) -> Iterator[Candidate]:
    """Those of `replacements` that are whole scripts."""
    found = replacements(request, plan, history, samples, seed)
    return (candidate for candidate in found if candidate["origin"][0].startswith("all: "))


def failing_segment(failed: Candidate) -> str:
    """The segment where it broke; the model where nobody knows. Raises SegmentError or SyntaxError if it has none."""
    error = failed["report"]["error"] if failed["report"] else None
    split(failed["code"])
    return segment_at(failed["code"], error["line"]) if error and error["line"] else "model"


def both_imports(first: str, second: str) -> str:
    """The first script's imports and those that only the second has; `tidy` drops what is not used."""
    known = set(first.splitlines())
    own = [line for line in second.splitlines() if line.startswith(("import ", "from ")) and line not in known]
    return first + "".join(f"{line}\n" for line in own)


def _in_order(
    request: Request, plan: SolutionPlan, history: list[Candidate], samples: list[Sample], seed: int
) -> Iterator[tuple[str, str]]:
    """Code, and what it is: `SEGMENT: SOURCE - WHY`, or `all: SOURCE - WHY`."""
    *earlier, failed = history
    for candidate in reversed(earlier):
        yield from _exchanged(failed, candidate["code"], candidate["name"])
    for sample in (sample for sample in samples[:1] if sample.by_contract):
        adapted = tidy(adapt.adapted(adapt.set_cells(sample.code, request["facts"]), plan, request["facts"], seed))
        yield from _exchanged(failed, sample.code, sample.id)
        yield from _exchanged(failed, adapted, f"{sample.id}, adapted to the plan")
        yield adapted, f"all: {sample.id}, adapted to the plan - nothing else ran"
        yield sample.code, f"all: {sample.id} - the sample as it is, for nothing else ran"


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
    parts["imports"] = both_imports(parts["imports"], others["imports"])
    yield tidy(join(parts)), f"{name}: {source} - the script failed there"
