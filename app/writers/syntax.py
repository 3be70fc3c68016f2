"""The embedded writer: no model, no key, no network. It works on the syntax trees of samples that are known to run."""

from dlcodegen.corpus.sample import Sample
from dlcodegen.errors import DLCodeGenError
from dlcodegen.plan import SolutionPlan
from dlcodegen.report import Candidate, CheckReport, Conformance, Usage
from dlcodegen.syntax_tree import parse
from dlcodegen.techniques import BY_NAME
from dlcodegen.writers import adapt
from dlcodegen.writers.framework import framework_of
from dlcodegen.writers.history import unchanged
from dlcodegen.writers.imports import with_imports
from dlcodegen.writers.protocol import Request, Template
from dlcodegen.writers.replacements import replacements
from dlcodegen.writers.segments import SEGMENTS, SegmentError, join, split
from dlcodegen.writers.template import abstract, fill
from dlcodegen.writers.tidy import tidy

# Which segment answers for a row of conformance: its name -> segment; what is not here is a setting.
_ANSWERS_FOR = {
    "data": "category input preprocess split augmentation",
    "train": (
        "optimizer loss scheduler gradient_clip label_smoothing momentum weight_decay betas early_stopping "
        "class_weights accumulation_steps"
    ),
    "model": (
        "layer architecture variant num_layers hidden_size hidden_units filters kernel_size num_heads dropout "
        "bidirectional attention batch_norm activation embedding_dim patch_size base_width depth dense_layers output"
    ),
    "evaluate": "metric",
}
_AT_A_DRAW = "adapted from a sample that is known to learn"


class SyntaxWriter:
    """Writes by adapting, abstracting and recombining samples of the pool."""

    name = "syntax"

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.usage: Usage = {}

    def abstract(self, plan: SolutionPlan, samples: list[Sample]) -> Template:
        """The best sample with slots for what a project decides. Raises DLCodeGenError without samples."""
        return abstract(_needed(samples))

    def draft_from_code(self, request: Request, plan: SolutionPlan, samples: list[Sample]) -> Candidate:
        """The best sample, adapted to the plan on its syntax tree."""
        best = _needed(samples)[0]
        code = adapt.adapted_script(best.code, plan, request["facts"], self.seed)
        return Candidate(name="draft_from_code", code=code, origin=[f"adapted from {best.id}"], report=None)

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
        framework, reports = framework_of(first["code"]).name, (first["report"], second["report"])
        same = 0, "the same in both"
        choices = {
            name: same if parts[0][name] == parts[1][name] else _choose(name, framework, *reports) for name in SEGMENTS
        }
        if choices["model"][0] == 1:
            choices |= dict.fromkeys(_told_of_the_model(choices), (1, "tells of the model that was chosen"))
        chosen = {name: parts[index][name] for name, (index, _) in choices.items()}
        origin = [f"{name}: {drafts[index]['name']} - {reason}" for name, (index, reason) in choices.items()]
        other = parts[1 - choices["imports"][0]]["imports"]
        chosen["imports"] = with_imports(chosen["imports"], parse(other))
        return Candidate(name="merged", code=tidy(join(chosen)), origin=origin, report=None)

    def repair(
        self, request: Request, plan: SolutionPlan, history: list[Candidate], samples: list[Sample], left: int
    ) -> Candidate:
        """The first replacement that was not tried yet; the failed script as it is when there is none."""
        return next(replacements(request, plan, history, samples, self.seed), unchanged(history[-1]))


def _needed(samples: list[Sample]) -> list[Sample]:
    if not samples:
        raise DLCodeGenError("the syntax writer works on samples, and none was retrieved")
    return samples


def _choose(name: str, framework: str, first: CheckReport | None, second: CheckReport | None) -> tuple[int, str]:
    """Which draft a segment comes from (0 or 1), and why."""
    if first is None or second is None:
        return 0, "nothing was checked"
    if first["status"] != second["status"]:
        return (0, "only this draft ran") if first["status"] == "passed" else (1, "only this draft ran")
    rows = [_rows(report["conformance"], name, framework) for report in (first, second)]
    if rows[0] != rows[1]:
        index = 0 if rows[0] > rows[1] else 1
        return index, f"honours {rows[index][1]:+d} of the plan against {rows[1 - index][1]:+d}"
    return 0, _AT_A_DRAW


def _told_of_the_model(choices: dict[str, tuple[int, str]]) -> list[str]:
    """Title, settings and help, as far as nothing speaks for either draft: they go with the model."""
    return [name for name in ("imports", "config", "main") if choices[name][1] == _AT_A_DRAW]


def _rows(conformance: list[Conformance], segment: str, framework: str) -> tuple[int, int]:
    """Over the rows that this segment answers for: techniques asked for by name that it has, and in all, what is
    honoured less what is contradicted or missing.
    """
    points = {"honoured": 1, "contradicted": -1, "not found": -1}
    rows = [row for row in conformance if segment_of(row["name"], framework) == segment]
    asked = sum(row["verdict"] == "honoured" for row in rows if row["name"] in BY_NAME)
    return asked, sum(points[row["verdict"]] for row in rows)


def segment_of(name: str, framework: str) -> str:
    """The segment that answers for a row of conformance in a script of this framework."""
    if name in BY_NAME:
        return BY_NAME[name].segment_in(framework)
    return next((segment for segment, names in _ANSWERS_FOR.items() if name in names.split()), "config")
