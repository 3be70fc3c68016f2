"""The writer that asks a chat model: a prompt for each job (`prompts/`), and whole scripts for answers.

Answers of small models are often unusable. Each job has something to fall back on, and says so in `origin`; whether a
script is any good is for the check to find out.
"""

import json
import re
from collections.abc import Callable
from functools import partial

from dlcodegen.context import Context
from dlcodegen.corpus.sample import Sample
from dlcodegen.models.chat import Answer, ask, chat_model
from dlcodegen.plan import SolutionPlan
from dlcodegen.prompts import render
from dlcodegen.report import Candidate, best
from dlcodegen.writers.answers import code_of, parses
from dlcodegen.writers.evidence import contradictions, evidence, excerpt
from dlcodegen.writers.patches import patched
from dlcodegen.writers.protocol import Request, Template
from dlcodegen.writers.slots import slot_values


class LLMWriter:
    """Writes by asking. Besides what the protocol says, each job raises SettingsError when the model is set up wrongly.

    `usage` counts over the writer's life: `calls`, `input_tokens`, `output_tokens`.
    """

    name = "llm"

    def __init__(self, ask: Callable[[str], Answer]) -> None:
        """`ask` sends one prompt and returns the answer."""
        self._send = ask
        self.usage: dict[str, int] = {"calls": 0, "input_tokens": 0, "output_tokens": 0}

    @classmethod
    def from_context(cls, context: Context) -> "LLMWriter":
        """A writer that asks the model of the context. Raises SettingsError when the model cannot be set up."""
        return cls(partial(ask, chat_model(context), context))

    def abstract(self, plan: SolutionPlan, samples: list[Sample]) -> Template:
        """A template by the model; without slots in its answer, the best sample as it is."""
        code = code_of(self._ask("abstract_template", plan=_json(plan), samples=samples))
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
        answer = self._ask("draft_from_code", **_wanted(request, plan), samples=samples)
        ids = ", ".join(sample.id for sample in samples)
        return _draft("draft_from_code", answer, f"written after {ids}" if ids else "written without a sample")

    def draft_from_template(self, request: Request, plan: SolutionPlan, template: Template) -> Candidate:
        answer = self._ask("draft_from_template", **_wanted(request, plan), template=template)
        return _draft("draft_from_template", answer, f"template: {', '.join(template['origin'])}")

    def merge(self, request: Request, plan: SolutionPlan, drafts: list[Candidate]) -> Candidate:
        """The model's merge of the drafts; the better draft when its answer is no Python."""
        shown = [{**draft, "evidence": evidence(draft["report"])} for draft in drafts]
        answer = self._ask("merge", **_wanted(request, plan), drafts=shown)
        code = code_of(answer)
        if code and parses(code):
            origin = segment_origins(answer, drafts) or ["merged by the model, which named no segments"]
            return Candidate(name="merged", code=code, origin=origin, report=None)
        kept = best(drafts)
        origin = [f"the model's merge was no Python: {kept['name']} is kept", *kept["origin"]]
        return Candidate(name="merged", code=kept["code"], origin=origin, report=None)

    def repair(self, request: Request, plan: SolutionPlan, failed: Candidate, drafts: list[Candidate]) -> Candidate:
        """The failed script mended; the drafts are not shown, they would not fit a small model's context."""
        report = failed["report"]
        error = report["error"] if report else None
        answer = self._ask(
            "repair",
            **_wanted(request, plan),
            code=failed["code"],
            evidence=evidence(report),
            excerpt=excerpt(failed["code"], error["line"] if error else None),
            contradicted=contradictions(report),
        )
        name = _next_repair(failed["name"])
        cause = f" ({error['exception']} at {error['rung']})" if error else ""
        code = patched(failed["code"], answer)
        note = f"{name}: {failed['name']} mended by the model{cause}"
        if not code:
            note = f"{name}: the model's answer had no code, {failed['name']} as it was"
        return Candidate(name=name, code=code or failed["code"], origin=[*failed["origin"], note], report=None)

    def _ask(self, prompt: str, **variables: object) -> str:
        answer = self._send(render(prompt, **variables))
        self.usage["calls"] += 1
        self.usage["input_tokens"] += answer.input_tokens
        self.usage["output_tokens"] += answer.output_tokens
        return answer.text


def segment_origins(answer: str, drafts: list[Candidate]) -> list[str]:
    """The `segment: draft - reason` lines beside the code of a merge, in that form whatever the bullets and stars.

    Drafts may be called by their name, or A and B in their order.
    """
    names = {"both": "both"} | {draft["name"].lower(): draft["name"] for draft in drafts}
    for letter, draft in zip("ab", drafts, strict=False):
        names |= {letter: draft["name"], f"draft {letter}": draft["name"]}
    outside = re.split(r"^\s*(?:`{3,}|~{3,}).*$", answer, flags=re.MULTILINE)[::2]
    origins = []
    for line in re.sub(r"[*`]", "", "\n".join(outside)).splitlines():
        match = _SEGMENT.fullmatch(line.strip())
        if match and (source := names.get(match["draft"].lower())):
            origins.append(f"{match['segment']}: {source} - {match['reason'] or 'no reason given'}")
    return origins


_SEGMENT = re.compile(
    r"(?:[-+•]\s*|\d+[.)]\s*)?(?:segment\s+)?(?P<segment>[\w.()]+)\s*:\s*"
    r"(?:from\s+)?(?P<draft>[\w ]{1,60}?)\s*(?:[-–—:,(]\s*(?P<reason>.*))?"
)


def _json(plan: SolutionPlan) -> str:
    return json.dumps(plan.to_paper(), indent=2, ensure_ascii=False)


def _wanted(request: Request, plan: SolutionPlan) -> dict[str, object]:
    """The variables of `prompts/request.md` and `prompts/contract.md`. The path of the user's data stays here."""
    return {
        "framework": request["framework"],
        "requirement": request["requirement"],
        "dataset": request["dataset"],
        "facts": request["facts"],
        "plan": _json(plan),
    }


def _draft(name: str, answer: str, source: str) -> Candidate:
    code = code_of(answer)
    origin = [source] if code else [source, "the model's answer had no code"]
    return Candidate(name=name, code=code, origin=origin, report=None)


def _next_repair(name: str) -> str:
    match = re.fullmatch(r"repair_(\d+)", name)
    return f"repair_{int(match.group(1)) + 1 if match else 1}"
