"""The embedded writer: no model, no key, no network. It works on the syntax trees of samples that are known to run."""

from dlcodegen.corpus.sample import Sample
from dlcodegen.errors import DLCodeGenError
from dlcodegen.plan import SolutionPlan
from dlcodegen.report import Candidate, CheckReport, Conformance
from dlcodegen.writers import adapt
from dlcodegen.writers.protocol import Request, Template
from dlcodegen.writers.segments import SEGMENTS, SegmentError, join, segment_at, split
from dlcodegen.writers.template import abstract, fill
from dlcodegen.writers.tidy import tidy

# Which segment answers for a row of conformance: its name -> segment; what is not here is a setting.
_ANSWERS_FOR = {
    "data": "category input preprocess split augmentation",
    "train": (
        "optimizer loss scheduler gradient_clip label_smoothing momentum weight_decay betas early_stopping "
        "class_weights"
    ),
    "model": (
        "layer architecture variant num_layers hidden_size hidden_units filters kernel_size num_heads dropout "
        "bidirectional attention batch_norm activation embedding_dim patch_size base_width depth dense_layers output"
    ),
    "evaluate": "metric",
}


class SyntaxWriter:
    """Writes by adapting, abstracting and recombining samples of the pool."""

    name = "syntax"

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.usage: dict[str, int] = {}

    def abstract(self, plan: SolutionPlan, samples: list[Sample]) -> Template:
        """The best sample with slots for what a project decides. Raises DLCodeGenError without samples."""
        return abstract(_needed(samples))

    def draft_from_code(self, request: Request, plan: SolutionPlan, samples: list[Sample]) -> Candidate:
        """The best sample, adapted to the plan on its syntax tree."""
        best = _needed(samples)[0]
        code = adapt.adapted(adapt.set_cells(best.code, request["facts"]), plan, request["facts"], self.seed)
        return Candidate(name="draft_from_code", code=tidy(code), origin=[f"adapted from {best.id}"], report=None)

    def draft_from_template(self, request: Request, plan: SolutionPlan, template: Template) -> Candidate:
        """The template with its slots filled from the plan, the model built from the plan's layers."""
        code, notes = fill(template, plan, request["facts"], self.seed)
        return Candidate(name="draft_from_template", code=tidy(code), origin=[*template["origin"], *notes], report=None)

    def merge(self, request: Request, plan: SolutionPlan, drafts: list[Candidate]) -> Candidate:
        """Segment by segment from the draft with the better evidence; what ran counts before what it honours."""
        first, second = drafts
        try:
            parts = [split(draft["code"]) for draft in drafts]
        except (SegmentError, SyntaxError):
            return Candidate(
                name="merged",
                code=first["code"],
                origin=[f"all: {first['name']} - the drafts differ in structure"],
                report=None,
            )
        chosen, origin = {}, []
        for name in SEGMENTS:
            index, reason = _choose(name, parts[0][name] == parts[1][name], first["report"], second["report"])
            chosen[name] = parts[index][name]
            origin.append(f"{name}: {drafts[index]['name']} - {reason}")
        chosen["imports"] = _both_imports(chosen["imports"], parts[1]["imports"])
        return Candidate(name="merged", code=tidy(join(chosen)), origin=origin, report=None)

    def repair(self, request: Request, plan: SolutionPlan, failed: Candidate, drafts: list[Candidate]) -> Candidate:
        """A draft that ran as it was; else the other draft's version of the segment in which the script failed."""
        for draft in drafts:
            if draft["report"] and draft["report"]["status"] == "passed" and draft["code"] != failed["code"]:
                return Candidate(
                    name="repair",
                    code=draft["code"],
                    origin=[f"all: {draft['name']} - it ran, the merge did not"],
                    report=None,
                )
        error = failed["report"]["error"] if failed["report"] else None
        other = next((draft for draft in drafts if draft["code"] != failed["code"]), drafts[0])
        try:
            name = segment_at(failed["code"], error["line"]) if error and error["line"] else "model"
            parts, others = split(failed["code"]), split(other["code"])
        except (SegmentError, SyntaxError):
            return Candidate(name="repair", code=other["code"], origin=[f"all: {other['name']}"], report=None)
        parts[name] = others[name]
        parts["imports"] = _both_imports(parts["imports"], others["imports"])
        return Candidate(
            name="repair",
            code=tidy(join(parts)),
            origin=[f"{name}: {other['name']} - the script failed there"],
            report=None,
        )


def _needed(samples: list[Sample]) -> list[Sample]:
    if not samples:
        raise DLCodeGenError("the syntax writer works on samples, and none was retrieved")
    return samples


def _choose(name: str, same: bool, first: CheckReport | None, second: CheckReport | None) -> tuple[int, str]:
    """Which draft a segment comes from (0 or 1), and why."""
    if same or first is None or second is None:
        return 0, "the same in both" if same else "nothing was checked"
    if first["status"] != second["status"]:
        return (0, "only this draft ran") if first["status"] == "passed" else (1, "only this draft ran")
    rows = [_rows(report["conformance"], name) for report in (first, second)]
    if rows[0] != rows[1]:
        index = 0 if rows[0] > rows[1] else 1
        return index, f"honours {rows[index]:+d} of the plan against {rows[1 - index]:+d}"
    return 0, "adapted from a sample that is known to learn"


def _rows(conformance: list[Conformance], segment: str) -> int:
    """Honoured less contradicted or missing, over the rows that this segment answers for."""
    points = {"honoured": 1, "contradicted": -1, "not found": -1}
    return sum(points[row["verdict"]] for row in conformance if _segment_of(row["name"]) == segment)


def _segment_of(name: str) -> str:
    return next((segment for segment, names in _ANSWERS_FOR.items() if name in names.split()), "config")


def _both_imports(first: str, second: str) -> str:
    """The first draft's imports and those that only the second has; `tidy` drops what is not used."""
    known = set(first.splitlines())
    own = [line for line in second.splitlines() if line.startswith(("import ", "from ")) and line not in known]
    return first + "".join(f"{line}\n" for line in own)
