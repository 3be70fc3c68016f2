"""The methods that ours is compared with: each asks the model for the whole script at once, in its own words."""

from dlcodegen.context import Method
from dlcodegen.corpus.sample import Sample
from dlcodegen.errors import PromptTooLong
from dlcodegen.models.asking import Asker
from dlcodegen.prompts import render
from dlcodegen.report import Candidate
from dlcodegen.writers.answers import code_of
from dlcodegen.writers.protocol import Request

PROMPTS: dict[Method, str] = {
    "direct": "direct",
    "ps": "plan_and_solve",
    "c-cot": "chain_of_code",
    "cedar": "cedar",
}
"""Method -> its prompt: the task alone; a plan first; the program's structure first; after solved examples."""


def write_directly(asker: Asker, method: Method, request: Request, samples: list[Sample]) -> Candidate:
    """One answer of the model. Only CEDAR is shown `samples`, as many as the model can read, the last dropped first.

    None of them sees a plan, or what our reader took out of the requirement. Raises what asking raises, and KeyError
    for a method that is not one of `PROMPTS`.
    """
    shown = samples if method == "cedar" else []
    answer = _ask(asker, PROMPTS[method], request, shown)
    code = code_of(answer)
    origin = [f"asked directly ({method})", *([] if code else ["the model's answer had no code"])]
    return Candidate(name=method, code=code, origin=origin, report=None)


def _ask(asker: Asker, prompt: str, request: Request, samples: list[Sample]) -> str:
    wanted = {name: request[name] for name in ("framework", "requirement", "dataset")}
    try:
        return asker.ask(render(prompt, **wanted, samples=samples)).text
    except PromptTooLong:
        if not samples:
            raise
        return _ask(asker, prompt, request, samples[:-1])
