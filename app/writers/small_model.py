"""The writer for small models: they write one part of a script that runs, several times, and what holds is kept.

A model of 1.5 billion parameters writes no script that runs, but every third function (issue 6). So the syntax writer's
draft is the skeleton; the model is asked for the one segment where that draft falls short of the plan, several answers
are sampled side by side, each is put into the script and checked in the sandbox, and the skeleton stands where none is
better. What is delivered is never worse than without a model.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dlcodegen.corpus.sample import Sample
from dlcodegen.errors import UNANSWERED, UNANSWERED_LATE
from dlcodegen.execution.ladder import check
from dlcodegen.execution.script import Conditions
from dlcodegen.plan import SolutionPlan
from dlcodegen.prompts import render
from dlcodegen.report import Candidate, CheckReport, Conformance, Usage, standing
from dlcodegen.techniques import BY_NAME
from dlcodegen.writers.evidence import evidence
from dlcodegen.writers.framework import framework_of
from dlcodegen.writers.history import same_error_again, unchanged
from dlcodegen.writers.pieces import PARTS, defined, scripts_with, with_parts
from dlcodegen.writers.protocol import Request, Template
from dlcodegen.writers.replacements import failing_segment, last_resort, replacements
from dlcodegen.writers.segment_search import best_segments
from dlcodegen.writers.segments import SegmentError, split
from dlcodegen.writers.syntax import SyntaxWriter, segment_of

if TYPE_CHECKING:
    from dlcodegen.models.asking import Asker

_WARMTH = 0.7
"""Temperature of sampled answers: several that differ are wanted."""
_CHARACTERS_A_TOKEN = 3.0
_ROOM = 500
"""Tokens that a rewritten segment may be longer than before."""
_EXAMPLES = 1
"""Segments of other scripts in a prompt: more than one is more than a small model attends to."""
_ROUND = 2
"""Answers that are asked for, and checked, at a time: more only where none of these is better."""
_OUT_OF_REACH = ("variant", "pretrained", "framework")
"""Stated facts that no rewriting of a segment can honour."""


@dataclass(frozen=True)
class _Wish:
    """A segment to be rewritten, and what is missing in it."""

    segment: str
    missing: list[Conformance]
    error: str = ""

    @property
    def techniques(self) -> list[str]:
        return [row["name"] for row in self.missing if row["name"] in BY_NAME]


class SmallModelWriter:
    """Writes as the syntax writer does, and lets a model rewrite what that leaves undone."""

    name = "llm"

    def __init__(
        self,
        asker: "Asker",
        syntax: SyntaxWriter,
        conditions: Conditions | None,
        answers: int,
        temperature: float | None,
    ) -> None:
        """`conditions`: under which answers are checked; None where the user wants no code executed."""
        self._asker, self._syntax, self._conditions = asker, syntax, conditions
        self._answers, self._temperature = answers, _WARMTH if temperature is None else temperature

    @property
    def usage(self) -> Usage:
        return self._asker.usage

    def abstract(self, plan: SolutionPlan, samples: list[Sample]) -> Template:
        """By the syntax writer."""
        return self._syntax.abstract(plan, samples)

    def draft_from_code(self, request: Request, plan: SolutionPlan, samples: list[Sample]) -> Candidate:
        """The adapted sample, its model rewritten where it falls short of the plan."""
        skeleton = self._syntax.draft_from_code(request, plan, samples)
        return self._improved(skeleton, request, plan, ("model",), [sample.id for sample in samples[:1]])

    def draft_from_template(self, request: Request, plan: SolutionPlan, template: Template) -> Candidate:
        """The filled template, one of its other segments rewritten likewise: the merge takes the best of both."""
        skeleton = self._syntax.draft_from_template(request, plan, template)
        others = tuple(part for part in PARTS if part != "model")
        return self._improved(skeleton, request, plan, others, template["origin"][:1])

    def merge(self, request: Request, plan: SolutionPlan, drafts: list[Candidate]) -> Candidate:
        """Segment by segment on the evidence: it decides better than a small model does."""
        return self._syntax.merge(request, plan, drafts)

    def repair(
        self, request: Request, plan: SolutionPlan, history: list[Candidate], samples: list[Sample], left: int
    ) -> Candidate:
        """The failing segment anew by the model, unless it failed the same way before.

        The last attempt is a whole script that is known to run.
        """
        if left > 1 and not same_error_again(history):
            mended = self._mended(history[-1], request, plan)
            if mended is not None:
                return mended
        ready = last_resort if left <= 1 else replacements
        return next(ready(request, plan, history, samples, self._syntax.seed), unchanged(history[-1]))

    def _mended(self, failed: Candidate, request: Request, plan: SolutionPlan) -> Candidate | None:
        """The failed script with the segment where it broke by the model; None where that climbs no further."""
        try:
            wish = _Wish(failing_segment(failed), [], evidence(failed["report"]))
            tries = self._tries(failed, wish, request, plan, []) if wish.segment in PARTS else []
        except (SegmentError, SyntaxError, *UNANSWERED_LATE):  # no parts of the contract, or no answer
            return None
        found = max(tries, key=lambda item: standing(item["report"]), default=failed)
        return found if standing(found["report"]) > standing(failed["report"]) else None

    def _improved(
        self, skeleton: Candidate, request: Request, plan: SolutionPlan, among: tuple[str, ...], known: list[str]
    ) -> Candidate:
        """The best of the skeleton and the model's answers, with its report; the skeleton where nothing is better."""
        if self._conditions is None:
            return _noted(skeleton, "the model was not asked: without a check, nothing of a small model's is taken")
        report = check(skeleton["code"], plan, request["facts"], self._conditions)
        checked: Candidate = {**skeleton, "report": report}
        wish = _wish(checked, among)
        if wish is None:
            return _noted(checked, f"the model was not asked: nothing is missing in {', '.join(among)}")
        before = int(self.usage["calls"])
        try:
            tries = self._tries(checked, wish, request, plan, known)
        except UNANSWERED as problem:
            return _noted(checked, f"the model was of no help ({problem}): the syntax writer's draft stands")
        found = max(tries, key=lambda item: standing(item["report"]), default=checked)
        ran = sum(item["report"] is not None and item["report"]["status"] == "passed" for item in tries)
        asked = int(self.usage["calls"]) - before
        told = f"{wish.segment}: {asked} answers of the model, {len(tries)} usable, {ran} of them ran"
        if standing(found["report"]) <= standing(report):
            return _noted(checked, f"{told}; none is better than the syntax writer's")
        gained = ", ".join(_gained(report, found["report"])) or "it runs now"
        return Candidate(
            name=skeleton["name"],
            code=found["code"],
            origin=[*skeleton["origin"], f"{told}; the best is taken: {gained}"],
            report=found["report"],
        )

    def _tries(
        self, base: Candidate, wish: _Wish, request: Request, plan: SolutionPlan, known: Sequence[str]
    ) -> list[Candidate]:
        """What the model's usable answers make of the script, each checked."""
        framework = framework_of(base["code"]).name
        script = with_parts(base["code"], wish.segment, wish.techniques)
        parts = split(script)
        segment = parts[wish.segment]
        prompt = render(
            "segment",
            framework=framework,
            part=PARTS[wish.segment],
            requirement=request["requirement"],
            code=segment.strip("\n"),
            settings=parts["config"].strip("\n"),
            missing=[_told(row, framework) for row in wish.missing],
            examples=_examples(wish, plan, framework, known),
            error=wish.error,
            names=[f"`{name}`" for name in defined(segment)[-1:]],
        )
        limit = int(len(segment) / _CHARACTERS_A_TOKEN) + _ROOM
        tries: list[Candidate] = []
        for first in range(0, self._answers, _ROUND):
            count = min(_ROUND, self._answers - first)
            answers = self._asker.several(prompt, count, temperature=self._temperature, limit=limit)
            usable = scripts_with(script, wish.segment, (answer.text for answer in answers))
            codes = usable - {item["code"] for item in tries}
            tries += self._checked(sorted(codes), wish.segment, request, plan)
            if any(standing(item["report"]) > standing(base["report"]) for item in tries):
                break
        return tries

    def _checked(self, codes: list[str], segment: str, request: Request, plan: SolutionPlan) -> list[Candidate]:
        def climb(code: str) -> Candidate:
            report = check(code, plan, request["facts"], self._conditions)
            return Candidate(name="repair", code=code, origin=[f"{segment}: by the model"], report=report)

        with ThreadPoolExecutor(_ROUND) as pool:
            return list(pool.map(climb, codes))


def _examples(wish: _Wish, plan: SolutionPlan, framework: str, known: Sequence[str]) -> list[str]:
    """How other samples do what is missing and no line of ours says how to do in this framework."""
    techniques = [name for name in wish.techniques if not BY_NAME[name].how_in(framework)]
    if not techniques:
        return []
    words = " ".join([*techniques, *plan.layers])
    found = best_segments(wish.segment, words, techniques, framework, _EXAMPLES, known)
    return [excerpt for segment in found if (excerpt := segment.excerpt(techniques))]


def _wish(draft: Candidate, among: tuple[str, ...]) -> _Wish | None:
    """The segment to ask for: where the script broke, else the one `among` these where most is missing, if any is."""
    report = draft["report"]
    if report is None or report["status"] in ("not_executed", "sandbox_error"):
        return None
    try:
        if report["error"] is not None:
            segment = failing_segment(draft)
            return _Wish(segment, [], evidence(report)) if segment in PARTS else None
        split(draft["code"])
        framework = framework_of(draft["code"]).name
    except (SegmentError, SyntaxError):
        return None
    short = [row for row in report["conformance"] if row["verdict"] != "honoured" and row["name"] not in _OUT_OF_REACH]
    by_segment = {part: [row for row in short if segment_of(row["name"], framework) == part] for part in among}
    segment = max(by_segment, key=lambda part: _weight(by_segment[part]))
    return _Wish(segment, by_segment[segment]) if by_segment[segment] else None


def _told(row: Conformance, framework: str) -> str:
    """`group norm: use ...`, or `dropout: 0.3`; a technique that we have no line for by its name alone."""
    name = row["name"].replace("_", " ")
    detail = BY_NAME[row["name"]].how_in(framework) if row["name"] in BY_NAME else row["expected"]
    return f"{name}: {detail}" if detail else name


def _weight(missing: list[Conformance]) -> tuple[bool, int]:
    """A technique that was asked for by name counts more than any number of fields that a plan adds."""
    return any(row["name"] in BY_NAME for row in missing), len(missing)


def _gained(before: CheckReport, after: CheckReport | None) -> list[str]:
    """What the new script honours that the old one did not."""
    known = {row["name"] for row in before["conformance"] if row["verdict"] == "honoured"}
    rows = after["conformance"] if after else []
    return [row["name"] for row in rows if row["verdict"] == "honoured" and row["name"] not in known]


def _noted(candidate: Candidate, note: str) -> Candidate:
    return {**candidate, "origin": [*candidate["origin"], note]}
