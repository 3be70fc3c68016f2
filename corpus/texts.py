"""What a sample is about, as text and as words: the documents that retrieval compares."""

import json
import re

from dlcodegen.corpus.sample import Sample
from dlcodegen.plan import SolutionPlan


def plan_text(plan: SolutionPlan) -> str:
    """The plan as the paper's JSON on one line."""
    return json.dumps(plan.to_paper(), ensure_ascii=False)


def description(sample: Sample) -> str:
    """What the script says of itself, where it comes from if it is no sample of ours, and its plan."""
    return f"{sample.description} {sample.source} {plan_text(sample.plan)}"


def tokens(text: str) -> list[str]:
    """Lower-case words and numbers; plural endings dropped."""
    return [re.sub(r"(?<=\w{3})s$", "", word) for word in re.findall(r"[a-z]+|\d+", text.lower())]
