"""The questions that a trained project is asked: each answers with a problem, or with None where none is seen."""

from collections.abc import Callable

from dlcodegen.execution.judgement.evidence import Evidence, Problem, direction, is_hard, is_smooth

_NOT_TOLD_BY_METRICS = {"unconditional-image-generation", "reinforcement-learning"}
"""Tasks whose few steps of smoke mode often make no difference that could be measured."""


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
        again = [metrics[name] for metrics in evidence.facts.trained if name in metrics]
        if not again or not evidence.is_evaluated(name):
            continue
        # Other data each time is no chance of the evaluation: the seed does not hold what it should.
        scatter = 0.0 if evidence.facts.same_data is False else max(again) - min(again)
        slack = _slack(name, claim) + (3 * scatter + 0.1 * abs(claim) if scatter else 0.0)
        if all(abs(value - claim) > slack for value in again):
            reason = "; load_data() gives other data each time" if evidence.facts.same_data is False else ""
            told = f"metrics.json claims {name} {claim:.4g}, the saved weights give {again[0]:.4g}{reason}"
            return "claim not reproduced", told
    return None


def as_evaluated(evidence: Evidence) -> Problem | None:
    """What main() writes is what evaluate() told it, save for rounding, percent, or the mean of several calls."""
    for name, written in evidence.trained.items():
        told = [metrics[name] for metrics in evidence.facts.evaluated if name in metrics]
        near = 0.01 * abs(written) + 0.006
        if told and not any(
            min(told) * scale - near <= written <= max(told) * scale + near for scale in (1, 100, 0.01)
        ):
            return "metrics made up", f"main() writes {name} {written:.4g}, where evaluate() gives {told[-1]:.4g}"
    return None


def looks_at_model(evidence: Evidence) -> Problem | None:
    """The metrics are not the same whatever the weights are.

    Networks that always answer with the same class score alike, trained or not: counted metrics that repeat prove
    nothing unless the outputs are known to be worth something else.
    """
    before, after = evidence.untrained, evidence.trained
    telling = {name: value for name, value in after.items() if direction(name) and value % 1}  # 0 and 1 may repeat
    if before != after or not telling:
        return None
    if evidence.facts.unused_evaluate:
        return "metrics made up", "main() does not call evaluate(), and writes the same numbers for untrained weights"
    same = f"{', '.join(f'{name} {value:.3g}' for name, value in list(telling.items())[:3])} is reported"
    old, new = evidence.untrained_score, evidence.score
    smooth = any(is_smooth(name) for name in telling)
    if old and new:
        gained = [abs(new.metrics[name] - old.metrics[name]) for name in new.metrics.keys() & {"accuracy"}]
        if any(gain > 0.1 for gain in gained) or (smooth and abs(new.loss - old.loss) > 0.05 * old.loss):
            return "constant metrics", f"{same} for trained and untrained weights, whose outputs differ"
    elif evidence.facts.fresh == after and (smooth or any(is_hard(name) and telling[name] > 0.5 for name in telling)):
        return "constant metrics", f"{same} for trained and untrained weights and for other data"
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
        ours = _apart(name, before.metrics[name], baseline) <= (0.02 if share else 0.02 * abs(baseline))
        if (ours or certain) and _apart(name, mine, claim) > tolerated:
            return "claim contradicted", f"metrics.json claims {name} {claim:.4g}, its predictions score {mine:.4g}"
        if certain and _apart(name, before.metrics[name], baseline) > tolerated:
            told = f"{baseline:.4g} for untrained weights, whose predictions score {before.metrics[name]:.4g}"
            return "claim contradicted", f"evaluate() gives {name} {told}"
    return None


def predicts(evidence: Evidence) -> Problem | None:
    """predict() answers with what the model says, where its answers can be compared with the raw outputs."""
    predicted, outcome = evidence.facts.predict, evidence.score
    comparable = outcome is not None and outcome.variety > 0.2 and evidence.facts.alone is not None
    if not predicted or predicted.kind != "array" or not comparable:
        return None
    if predicted.repeatable is False:
        return "random predictions", "predict() gives something else when it is asked again, the model does not"
    if predicted.rows >= 10 and predicted.distinct == 1:
        return "constant predictions", f"predict() gives the same for all {predicted.rows} inputs, the model does not"
    return None


def held_out(evidence: Evidence) -> Problem | None:
    """No split consists of another's examples, beyond what repeats by chance."""
    facts = evidence.facts
    compared = {
        "test examples are training": facts.leak,
        "validation examples are training": facts.validation_leak,
        "test examples are validation": facts.test_validated,
    }
    for words, found in compared.items():
        if found and found[0] > max(0.5, found[1] + 0.3):
            return "data leak", f"{found[0]:.0%} of the {words} examples"
    return None


def independent(evidence: Evidence) -> Problem | None:
    """What an example gets does not depend on its batch."""
    differing, tried = evidence.facts.alone or (0, 0)
    if tried > 1 and differing == tried:
        cause = "as with a softmax over dimension 0, or a recurrent layer without batch_first"
        return "batch dependence", f"an example gets another output alone than in its batch, {cause}"
    return None


def learned(evidence: Evidence) -> Problem | None:
    """Something got better by training, or at least nothing went astray: smoke mode may be too short to learn."""
    if evidence.improved is not False:
        return None
    old, new = evidence.untrained_score, evidence.score
    if evidence.counts and old and new and new.loss > 5 * old.loss:
        return (
            "worse than untrained",
            f"the loss on held-out data rises from {old.loss:.3g} to {new.loss:.3g} by training",
        )
    untold = evidence.plan is not None and evidence.plan.category in _NOT_TOLD_BY_METRICS
    if evidence.diverged and evidence.losses and not untold:
        first, last = evidence.losses
        told = f"the training loss rose from {first:.3g} to {last:.3g}"
        return "nothing learned", f"no metric is better than with untrained weights, and {told}"
    return None


JUDGEMENT: tuple[Callable[[Evidence], Problem | None], ...] = (
    trained,
    evaluation_mode,
    reproduced,
    as_evaluated,
    looks_at_model,
    varied,
    confirmed,
    predicts,
    held_out,
    independent,
    learned,
)
"""What explains most comes first."""


def _slack(name: str, claim: float) -> float:
    """Room for another order of additions, and for one example of few that lies on the border."""
    return 0.05 * abs(claim) + (0.01 if direction(name) > 0 else 1e-6)


def _apart(name: str, mine: float, theirs: float) -> float:
    """Distance, also when their score is in percent; an error a hundred times as large is in another unit."""
    in_percent = abs(theirs) > 1 and direction(name) > 0
    return min(abs(mine - theirs), abs(mine - theirs / 100)) if in_percent else abs(mine - theirs)
