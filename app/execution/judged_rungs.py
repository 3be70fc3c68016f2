"""The rungs above the run: what it left is judged in a second, clean process that never ran its training."""

from dlcodegen.execution.diagnosis import diagnose, fault
from dlcodegen.execution.judgement import verdict
from dlcodegen.execution.judgement.verdict import Judgement
from dlcodegen.execution.sandbox.run import run_script
from dlcodegen.execution.script import SMOKE_ARGUMENTS, WEIGHT_ENDINGS, Script
from dlcodegen.report import Diagnosis


def reload(script: Script) -> Diagnosis | str:
    """The saved weights fit a newly built model, and `predict` gives the plan's output shape."""
    weights = [name for name in script.result.artefacts if name.endswith(WEIGHT_ENDINGS)]
    if not weights:
        refused = "; ".join(reason for name, reason in script.result.refused.items() if name.endswith(WEIGHT_ENDINGS))
        return fault("reload", "no weights", refused or "it saved no trained weights under --out")
    script.judgement = _judge(script)
    if isinstance(script.judgement, dict):
        return script.judgement
    if script.judgement.rung == "reload" and script.judgement.problem:
        return fault("reload", *script.judgement.problem)
    return script.judgement.reloaded


def judged(script: Script) -> Diagnosis | str:
    """The weights score what is claimed, better than untrained ones, and nothing of the test split was trained on."""
    found = script.judgement
    assert isinstance(found, Judgement), "the rung below stands"
    return fault("judgement", *found.problem) if found.problem else found.summary


def _judge(script: Script) -> Judgement | Diagnosis:
    """Replay the script with what it left; a Diagnosis when even that cannot be done."""
    left = script.result.artefacts
    result = run_script(
        script.code,
        SMOKE_ARGUMENTS,
        script.conditions.limits,
        verdict.ARTEFACTS,
        tier=script.tier,
        driver=verdict.driver(),
        beside=verdict.beside(left),
    )
    if verdict.FACTS not in result.artefacts:
        error = diagnose("reload", script.code, result)
        return error or fault("reload", "no record", result.refused.get(verdict.FACTS, "the judge left nothing"))
    seen = script.seen
    losses = (seen["first_loss"], seen["last_loss"]) if "first_loss" in seen and "last_loss" in seen else None
    return verdict.judge_artefacts(result.artefacts, script.metrics, script.plan, losses)
