"""Questions about the model that was put together from the saved weights: a problem, or None where none is seen."""

import re
from collections.abc import Callable

from dlcodegen.execution.judgement.evidence import Evidence, Problem

_SHAPE = re.compile(r"shape \(N((?:, ?\d+)*),?\)")


def finite(evidence: Evidence) -> Problem | None:
    """What is predicted is a number."""
    facts = evidence.facts
    if facts.predict and not facts.predict.finite:
        return "not finite", "predict() gives NaN or infinity with the saved weights"
    if facts.fresh_predict and not facts.fresh_predict.finite:
        return "not finite", "predict() gives NaN or infinity for inputs that are made with another seed"
    return None


def shape(evidence: Evidence) -> Problem | None:
    """Either predict() or the model itself gives what the plan says, class ids and logits being the same.

    Judged where all three shapes are known. Smoke mode caps sizes: where the inputs are not those of the plan, only the
    number of dimensions counts.
    """
    facts, plan = evidence.facts, evidence.plan
    if problem := _rows(evidence):
        return problem
    wanted = _stated_shape(plan.output) if plan else None
    predicted = facts.predict
    if plan is None or wanted is None or not predicted or predicted.kind != "array" or not facts.outputs:
        return None
    capped = _stated_shape(plan.input) != facts.inputs[1:]
    as_predicted = predicted.shape[1:], "int" in predicted.dtype or predicted.dtype == "bool"
    if any(_agree(wanted, sizes, whole, capped) for sizes, whole in (as_predicted, (facts.outputs[1:], False))):
        return None
    shapes = f"predict() gives {_shown(predicted.shape[1:])} and the model {_shown(facts.outputs[1:])}"
    return "wrong shape", f"{shapes}, where the plan's output is {_shown(wanted)}"


RELOAD: tuple[Callable[[Evidence], Problem | None], ...] = (finite, shape)


def _rows(evidence: Evidence) -> Problem | None:
    """A batch gets a row for each of its examples."""
    facts, predicted = evidence.facts, evidence.facts.predict
    if not predicted or predicted.kind != "array" or not facts.inputs or predicted.given[1:] != facts.inputs[1:]:
        return None
    if not predicted.given or predicted.shape[:1] == predicted.given[:1]:
        return None
    return "wrong shape", f"predict() gives an array of shape {tuple(predicted.shape)} for {predicted.given[0]} inputs"


def _stated_shape(text: str) -> list[int] | None:
    """`shape (N, 3, 64, 64)` -> [3, 64, 64]."""
    found = _SHAPE.search(text)
    return [int(size) for size in re.findall(r"\d+", found[1])] if found else None


def _agree(wanted: list[int], sizes: list[int], whole_numbers: bool, capped: bool) -> bool:
    """Equal, up to the axis of the classes, which logits have and class ids have not, and up to an axis of size one."""
    if len(sizes) == len(wanted):
        return capped or sizes == wanted
    longer, shorter = (sizes, wanted) if len(sizes) > len(wanted) else (wanted, sizes)
    if len(longer) != len(shorter) + 1:
        return False
    return any(
        (capped or longer[:axis] + longer[axis + 1 :] == shorter)
        and (longer is sizes or whole_numbers or longer[axis] == 1)
        for axis in range(len(longer))
    )


def _shown(sizes: list[int]) -> str:
    return f"({', '.join(['N', *map(str, sizes)])}{'' if sizes else ','})"
