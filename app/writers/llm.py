"""The writer that asks a chat model: a prompt for each job (`prompts/`), and whole scripts for answers.

Answers of small models are often unusable. Each job has something to fall back on, and says so in `origin`; whether a
script is any good is for the check to find out.
"""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

from dlcodegen.corpus.sample import Sample
from dlcodegen.errors import UNANSWERED, UNANSWERED_LATE, PromptTooLong
from dlcodegen.plan import SolutionPlan
from dlcodegen.prompts import render
from dlcodegen.report import Candidate, Usage, best
from dlcodegen.writers.answers import code_of
from dlcodegen.writers.edits import edited
from dlcodegen.writers.evidence import contradictions, evidence, excerpt
from dlcodegen.writers.history import repeats, unchanged
from dlcodegen.writers.merging import merged, shown
from dlcodegen.writers.protocol import Request, Template
from dlcodegen.writers.replacements import last_resort, replacements
from dlcodegen.writers.slots import slot_values
from dlcodegen.writers.syntax import SyntaxWriter

if TYPE_CHECKING:
    from dlcodegen.models.asking import Asker

_WARMER = 1.0
"""Temperature after a repair that changed nothing."""


class LLMWriter:
    """Writes by asking for whole scripts. Besides what the protocol says, each job raises SettingsError when the model
    is set up wrongly.

    When the model fails or the budget is spent, the syntax writer does the job, wherever there is a sample to do it on.
    """

    name = "llm"

    def __init__(
        self, asker: "Asker", syntax: SyntaxWriter, temperature: float | None = None, shows_plan: bool = True
    ) -> None:
        """`shows_plan`: whether prompts hold the solution plan; without it, the method is measured without one."""
        self._asker, self._syntax, self._temperature, self._shows_plan = asker, syntax, temperature, shows_plan

    @property
    def usage(self) -> Usage:
        return self._asker.usage

    def abstract(self, plan: SolutionPlan, samples: list[Sample]) -> Template:
        """A template by the model; without slots in its answer, the best sample as it is."""
        try:
            code = code_of(self._ask_with(samples, "abstract_template", plan=_json(plan)))
        except UNANSWERED as problem:
            if not _adaptable(samples):
                raise
            template = self._syntax.abstract(plan, samples)
            return {**template, "origin": [*template["origin"], _instead(problem)]}
        slots = slot_values(code, samples[0].code if samples else "")
        ids = [sample.id for sample in samples]
        if slots:
            return Template(code=code, slots=slots, origin=ids)
        if not samples:
            return Template(code="", slots={}, origin=["no sample, and no template in the model's answer"])
        return Template(
            code=samples[0].code, slots={}, origin=[ids[0], "the model's answer had no slots: the sample as it is"]
        )

    def draft_from_code(self, request: Request, plan: SolutionPlan, samples: list[Sample]) -> Candidate:
        def ask() -> Candidate:
            answer = self._ask_with(samples, "draft_from_code", **self._wanted(request, plan))
            ids = ", ".join(sample.id for sample in samples)
            return _draft("draft_from_code", answer, f"written after {ids}" if ids else "written without a sample")

        return self._or_adapted(ask, lambda: self._syntax.draft_from_code(request, plan, samples), _adaptable(samples))

    def draft_from_template(self, request: Request, plan: SolutionPlan, template: Template) -> Candidate:
        def ask() -> Candidate:
            answer = self._ask("draft_from_template", **self._wanted(request, plan), template=template)
            return _draft("draft_from_template", answer, f"template: {', '.join(template['origin'])}")

        return self._or_adapted(
            ask, lambda: self._syntax.draft_from_template(request, plan, template), bool(template["code"])
        )

    def merge(self, request: Request, plan: SolutionPlan, drafts: list[Candidate]) -> Candidate:
        """The model's choice or rewrite of each segment; the better draft where its answer is of no use."""
        try:
            answer = self._ask("merge", **self._wanted(request, plan), **shown(drafts))
        except UNANSWERED_LATE as problem:
            by_evidence = self._syntax.merge(request, plan, drafts)
            return {**by_evidence, "origin": [*by_evidence["origin"], _instead(problem)]}
        found = merged(answer, drafts)
        if found is not None:
            return found
        kept = best(drafts)
        origin = [f"the model's merge was no Python: {kept['name']} is kept", *kept["origin"]]
        return Candidate(name="merged", code=kept["code"], origin=origin, report=None)

    def repair(
        self, request: Request, plan: SolutionPlan, history: list[Candidate], samples: list[Sample], left: int
    ) -> Candidate:
        """The failed script mended by the model; by what is at hand when asking did not help twice,
        and at the last attempt.
        """
        failed, seed, vain = history[-1], self._syntax.seed, repeats(history)
        others = (last_resort if left <= 1 else replacements)(request, plan, history, samples, seed)
        found = next(others, None) if vain > 1 or left <= 1 else None
        if found is not None:
            return found
        try:
            return self._mended(request, plan, failed, _WARMER if vain else self._temperature)
        except UNANSWERED_LATE as problem:
            found = next(others, unchanged(failed))
            return {**found, "origin": [_instead(problem), *found["origin"]]}

    def _mended(self, request: Request, plan: SolutionPlan, failed: Candidate, temperature: float | None) -> Candidate:
        """By one answer; the other scripts are not shown, they would not fit a small model's context."""
        report = failed["report"]
        error = report["error"] if report else None
        answer = self._ask(
            "repair",
            temperature,
            **self._wanted(request, plan),
            code=failed["code"],
            evidence=evidence(report),
            excerpt=excerpt(failed["code"], error["line"] if error else None),
            contradicted=contradictions(report),
        )
        cause = f" ({error['exception']} at {error['rung']})" if error else ""
        code = edited(failed["code"], answer)
        note = f"{failed['name']} mended by the model{cause}"
        if not code:
            note = f"the model's answer had no code, {failed['name']} as it was"
        return Candidate(name="repair", code=code or failed["code"], origin=[*failed["origin"], note], report=None)

    def _wanted(self, request: Request, plan: SolutionPlan) -> dict[str, object]:
        """The variables of `prompts/request.md` and `prompts/contract.md`. The path of the user's data stays here."""
        return {
            "framework": request["framework"],
            "requirement": request["requirement"],
            "dataset": request["dataset"],
            "facts": request["facts"],
            "plan": _json(plan) if self._shows_plan else "",
        }

    def _or_adapted(self, ask: Callable[[], Candidate], adapt: Callable[[], Candidate], possible: bool) -> Candidate:
        """What the model writes; when it cannot be asked, what the syntax writer makes of the sample, and why."""
        try:
            return ask()
        except UNANSWERED as problem:
            if not possible:
                raise
            draft = adapt()
            return {**draft, "origin": [*draft["origin"], _instead(problem)]}

    def _ask_with(self, samples: list[Sample], prompt: str, **variables: object) -> str:
        """With as many of the samples as the model can read: the least useful, the last, is dropped first."""
        try:
            return self._ask(prompt, **variables, samples=samples)
        except PromptTooLong:
            if len(samples) < 2:
                raise
            return self._ask_with(samples[:-1], prompt, **variables)

    def _ask(self, prompt: str, temperature: float | None = None, /, **variables: object) -> str:
        warmth = self._temperature if temperature is None else temperature
        return self._asker.ask(render(prompt, **variables), temperature=warmth).text


def _adaptable(samples: list[Sample]) -> bool:
    return bool(samples) and samples[0].by_contract


def _instead(problem: Exception) -> str:
    return f"without the model: {problem}"


def _json(plan: SolutionPlan) -> str:
    return json.dumps(plan.to_paper(), indent=2, ensure_ascii=False)


def _draft(name: str, answer: str, source: str) -> Candidate:
    code = code_of(answer)
    origin = [source] if code else [source, "the model's answer had no code"]
    return Candidate(name=name, code=code, origin=origin, report=None)
