"""The questions that a trained project is asked: each answers with a problem, or with None where none is seen."""

import re
from collections.abc import Callable

from dlcodegen.execution.judgement_evidence import Evidence, direction

Problem = tuple[str, str]
"""What it is called, and a plain sentence."""

_SHAPE = re.compile(r"shape \(N((?:, ?\d+)*),?\)")
_NOT_TOLD_BY_METRICS = {"unconditional-image-generation", "reinforcement-learning"}
"""Tasks whose few steps of smoke mode often make no difference that could be measured."""


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


def trained(evidence: Evidence) -> Problem | None:
    """The saved weights are not the initial ones."""
    same, count = evidence.facts.unchanged
    if count and same == count:
        return "not trained", f"all {count} saved parameters have the values that they had before training"
    return None


def evaluation_mode(evidence: Evidence) -> Problem | None:
    if evidence.facts.train_mode:
        layers = ", ".join(sorted(evidence.facts.train_mode)[:3])
        return "training mode", f"{layers} acts as in training: call model.eval() first"
    return None


def reproduced(evidence: Evidence) -> Problem | None:
    """The saved weights give again what metrics.json claims, as far as chance allows."""
    for name, claim in evidence.claimed.items():
        slack = _slack(name, claim) + 3 * evidence.spread(name) + (0.1 * abs(claim) if evidence.spread(name) else 0.0)
        again = [metrics[name] for metrics in evidence.facts.trained if name in metrics]
        if again and all(abs(value - claim) > slack for value in again):
            reason = "; load_data() gives other data each time" if evidence.facts.same_data is False else ""
            told = f"metrics.json claims {name} {claim:.4g}, the saved weights give {again[0]:.4g}{reason}"
            return "claim not reproduced", told
        returned = [metrics[name] for metrics in evidence.facts.evaluated if name in metrics]
        # A metric in percent is the same metric.
        if returned and all(abs(scale * value - claim) > slack for value in returned for scale in (1, 100)):
            return (
                "claim not reproduced",
                f"metrics.json claims {name} {claim:.4g}, evaluate() gives {returned[-1]:.4g}",
            )
    return None


def looks_at_model(evidence: Evidence) -> Problem | None:
    """The metrics are not the same whatever the weights are."""
    before, after, other = evidence.untrained, evidence.trained, evidence.facts.fresh
    if not before or before != after:
        return None
    telling = any(direction(name) and value % 1 for name, value in after.items())  # all wrong, or all right, may repeat
    if telling and other == after:
        return "constant metrics", "evaluate() gives the same numbers for other weights and for other data"
    scores = evidence.untrained_score, evidence.score
    if scores[0] and scores[1] and "accuracy" in after and "accuracy" in scores[1].metrics:
        gained = scores[1].metrics["accuracy"] - scores[0].metrics["accuracy"]
        if abs(gained) > 0.1:
            told = f"while the accuracy of the outputs changes by {gained:+.2f}"
            return "constant metrics", f"evaluate() gives the same numbers for trained and untrained weights, {told}"
    return None


def varied(evidence: Evidence) -> Problem | None:
    """Different inputs get different outputs."""
    import numpy as np

    outputs = evidence.arrays.get("outputs")
    if outputs is None or len(outputs) < 2:
        return None
    values = outputs.astype(np.float64)
    if not np.isfinite(values).all():
        return "not finite", "the model gives NaN or infinity for held-out inputs"
    if np.ptp(values, axis=0).max() <= 1e-6 * (1 + np.abs(values).max()):
        return "constant outputs", f"the model gives the same output for all {len(values)} held-out inputs"
    return None


def confirmed(evidence: Evidence) -> Problem | None:
    """The raw outputs are worth what is claimed, where the metric's definition is known to be ours.

    It is when both agree on the untrained weights. Accuracy of single-label classification has but one definition.
    """
    before, after, plan = evidence.untrained_score, evidence.score, evidence.plan
    if not (before and after and evidence.facts.whole):
        return None
    for name in evidence.claimed.keys() & evidence.untrained.keys() & after.metrics.keys():
        mine, claim, baseline = after.metrics[name], evidence.claimed[name], evidence.untrained[name]
        share = name == "accuracy"
        certain = share and after.one_of_many and plan is not None and plan.category.endswith("classification")
        tolerated = (0.2 if after.one_of_many else 0.25) if share else 0.2 * max(abs(mine), abs(claim))
        ours = _apart(before.metrics[name], baseline) <= (0.02 if share else 0.02 * abs(baseline))
        if (ours or certain) and _apart(mine, claim) > tolerated:
            return "claim contradicted", f"metrics.json claims {name} {claim:.4g}, its predictions score {mine:.4g}"
        if certain and _apart(before.metrics[name], baseline) > tolerated:
            told = f"{baseline:.4g} for untrained weights, whose predictions score {before.metrics[name]:.4g}"
            return "claim contradicted", f"evaluate() gives {name} {told}"
    return None


def held_out(evidence: Evidence) -> Problem | None:
    """Test and validation examples are not those of training, beyond what repeats by chance."""
    for name, found in (("test", evidence.facts.leak), ("validation", evidence.facts.validation_leak)):
        if found and found[0] > max(0.5, found[1] + 0.3):
            return "data leak", f"{found[0]:.0%} of the {name} examples are training examples"
    return None


def independent(evidence: Evidence) -> Problem | None:
    """What an example gets does not depend on its batch."""
    differing, tried = evidence.facts.alone or (0, 0)
    if tried > 1 and differing == tried:
        cause = "as with a softmax or a normalisation over dimension 0"
        return "batch dependence", f"an example gets another output alone than in its batch, {cause}"
    return None


def learned(evidence: Evidence) -> Problem | None:
    """Something got better: a metric, our score, or at least the training loss."""
    if evidence.plan and evidence.plan.category in _NOT_TOLD_BY_METRICS:
        return None
    if evidence.improved is False and evidence.loss_fell is False and evidence.losses:
        first, last = evidence.losses
        told = f"the training loss did not fall ({first:.3g} to {last:.3g})"
        return "nothing learned", f"no metric is better than with untrained weights, and {told}"
    return None


RELOAD: tuple[Callable[[Evidence], Problem | None], ...] = (finite, shape)
JUDGEMENT: tuple[Callable[[Evidence], Problem | None], ...] = (
    trained,
    evaluation_mode,
    reproduced,
    looks_at_model,
    varied,
    confirmed,
    held_out,
    independent,
    learned,
)
"""What explains most comes first."""


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


def _slack(name: str, claim: float) -> float:
    """Room for another order of additions, and for one example of few that lies on the border."""
    return 0.05 * abs(claim) + (0.01 if direction(name) > 0 else 1e-6)


def _apart(mine: float, theirs: float) -> float:
    """Distance, also when theirs is in percent."""
    return min(abs(mine - theirs), abs(100 * mine - theirs) / 100)
