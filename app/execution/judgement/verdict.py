"""Concludes from what the judge (`judge.py`) found in a clean process whether a project learned what it claims.

Everything that comes from there is a stranger's data. Whatever cannot be judged says so and fails nothing: a project is
condemned on evidence only.
"""

import ast
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal

from dlcodegen import syntax_tree, vocabulary
from dlcodegen.execution.diagnosis import clean
from dlcodegen.execution.judgement.checks import JUDGEMENT
from dlcodegen.execution.judgement.evidence import Evidence, Facts, Problem, direction
from dlcodegen.execution.judgement.outside_score import read_array
from dlcodegen.execution.judgement.reload_checks import RELOAD
from dlcodegen.plan import SolutionPlan

FACTS = "judged/facts.json"
ARRAYS = ("outputs", "targets", "untrained_outputs", "untrained_targets")
ARTEFACTS = (FACTS, *(f"judged/{name}.npy" for name in ARRAYS))
"""What the judge leaves behind."""
_PARTS = ("weights.py", "splits.py", "replay.py", "judge.py")


@dataclass(frozen=True)
class Judgement:
    """The verdict over two rungs. `reload`: the weights can be used again; `judgement`: they are what is claimed."""

    rung: Literal["reload", "judgement"]
    """The one that does not hold, or the last of the two."""
    problem: Problem | None
    reloaded: str = ""
    """Evidence of the first rung, in one line; `not applicable: ...` where there was nothing to look at."""
    summary: str = ""
    """Evidence of the second."""
    untrained: dict[str, float] = field(default_factory=dict)
    """Metrics of the weights before training, on the same test split."""


@cache
def driver() -> str:
    """The script that judges, to be given the arguments of the first run: its parts, joined to one text.

    The sandbox may lack our package, so what the parts import of each other is left out.
    """
    texts = [Path(__file__).with_name(part).read_text(encoding="utf-8") for part in _PARTS]
    trees = [syntax_tree.parse(text) for text in texts]
    return "\n".join(ast.unparse(node) for tree in trees for node in tree.body if not _is_of_ours(node))


def beside(artefacts: Mapping[str, bytes]) -> dict[str, bytes]:
    """The files that the judge needs, from those that the first run left: its weights and its metrics.json."""
    return {f"saved/{Path(name).name}": content for name, content in artefacts.items()}


def judge_artefacts(
    artefacts: Mapping[str, bytes],
    claimed: dict[str, float],
    plan: SolutionPlan | None,
    losses: tuple[float, float] | None = None,
) -> Judgement:
    """The verdict on the files (ARTEFACTS) that the judge left; see `judge_facts`."""
    try:
        facts = json.loads(artefacts.get(FACTS, b""))
    except (ValueError, RecursionError) as error:
        return _unreadable(error)
    left = {name: artefacts.get(f"judged/{name}.npy") for name in ARRAYS}
    return judge_facts(facts, {name: content for name, content in left.items() if content}, claimed, plan, losses)


def judge_facts(
    facts: dict[str, Any],
    arrays: dict[str, bytes],
    claimed: dict[str, float],
    plan: SolutionPlan | None,
    losses: tuple[float, float] | None = None,
) -> Judgement:
    """The verdict on facts.json and on the .npy files beside it, by their names in ARRAYS.

    `claimed` is the metrics.json of the first run, `losses` its training loss at the beginning and at the end. Never
    raises for what the judge left: a record that cannot be read is a problem of the project.
    """
    try:
        read = Facts.model_validate(facts)
        known = {name: read_array(arrays[name]) for name in ARRAYS if name in arrays}
    except ValueError as error:
        return _unreadable(error)
    return _without_replay(read, losses) or _replayed(Evidence(read, known, claimed, plan, losses))


def _without_replay(facts: Facts, losses: tuple[float, float] | None) -> Judgement | None:
    """The verdict where main() could not be replayed."""
    if facts.weights:
        return Judgement("reload", ("weights not loadable", clean(facts.weights, 400)))
    if facts.untrained_main and losses is None:
        return Judgement("judgement", ("not trained", clean(facts.untrained_main, 300)))
    if facts.not_applicable:  # it ran once: what cannot be repeated cannot be believed
        return Judgement("judgement", ("not replayable", clean(facts.not_applicable, 300)))
    if facts.untrained_main:
        told = f"not applicable: {clean(facts.untrained_main, 300)}"
        return Judgement("judgement", None, told, told)
    return None


def _replayed(evidence: Evidence) -> Judgement:
    for check in RELOAD:
        if problem := check(evidence):
            return Judgement("reload", _cleaned(problem))
    reloaded = _reloaded(evidence.facts)
    for check in JUDGEMENT:
        if problem := check(evidence):
            return Judgement("judgement", _cleaned(problem), reloaded, untrained=evidence.untrained)
    return Judgement("judgement", None, reloaded, _summary(evidence), evidence.untrained)


def _is_of_ours(node: ast.stmt) -> bool:
    return isinstance(node, ast.ImportFrom) and (node.module or "").startswith("dlcodegen.")


def _unreadable(error: Exception) -> Judgement:
    reason = clean(" ".join(str(error).split()), 150)
    return Judgement("reload", ("unreadable record", f"the judge's record is unreadable: {reason}"))


def _cleaned(problem: Problem) -> Problem:
    name, sentence = problem
    return name, clean(sentence, 400)


def _reloaded(facts: Facts) -> str:
    loaded = f"{facts.tensors} tensors loaded"
    if facts.predict is None:
        return f"{loaded}; main() does not call predict()"
    shape = f" {tuple(facts.predict.shape)}" if facts.predict.kind == "array" else ""
    return f"{loaded}, predict() gives {clean(facts.predict.dtype or facts.predict.kind, 40)}{shape}"


def _summary(evidence: Evidence) -> str:
    """`dice 0.91 on held-out data (untrained 0.33, other seed 0.90), as claimed`."""
    name = _headline(evidence)
    if name is None:
        return "not applicable: main() reports no metric when it is replayed"
    others = [("untrained", evidence.untrained.get(name)), ("other seed", _on_other_data(evidence, name))]
    compared = ", ".join(f"{label} {value:.3g}" for label, value in others if value is not None)
    text = f"{name} {evidence.trained[name]:.3g} on held-out data" + (f" ({compared})" if compared else "")
    text += ", as claimed" if name in evidence.claimed else ", which metrics.json does not name"
    return clean("; ".join([text, *_remarks(evidence)]), 400)


def _remarks(evidence: Evidence) -> list[str]:
    remarks = []
    same, count = evidence.facts.unchanged
    old, new = evidence.untrained_score, evidence.score
    if evidence.improved is False:
        remarks.append("no better than untrained on held-out data: smoke mode trains too little to tell")
    elif evidence.counts and old and new and new.loss >= old.loss:
        remarks.append(f"the loss on held-out data did not fall ({old.loss:.3g} to {new.loss:.3g})")
    if 2 * same > count:
        remarks.append(f"{same} of {count} parameters were not trained")
    return remarks


def _on_other_data(evidence: Evidence, name: str) -> float | None:
    """The metric on the data of another seed, unless that seed seems to make another task of it."""
    fresh, untrained, trained = (
        metrics.get(name) for metrics in (evidence.facts.fresh or {}, evidence.untrained, evidence.trained)
    )
    if fresh is None or untrained is None or trained is None:
        return fresh
    return fresh if abs(fresh - trained) < abs(fresh - untrained) else None


def _headline(evidence: Evidence) -> str | None:
    """The plan's metric, else the first that is claimed, else any."""
    reported = list(evidence.trained)
    known = [name for name in reported if name in evidence.claimed and direction(name)]
    if evidence.plan:
        wanted = vocabulary.metric_keys(evidence.plan.hyperparameters.evaluation_metric)
        known = [name for name in known if name in wanted] + known
    return next(iter([*known, *reported]), None)
