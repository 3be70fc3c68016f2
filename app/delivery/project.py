"""The project folder: every file that is handed over, as text."""

import json
from pathlib import Path
from typing import Any

from dlcodegen.delivery import markdown, wording
from dlcodegen.delivery.outcome import Outcome
from dlcodegen.delivery.report import project_report
from dlcodegen.delivery.script import ScriptNotes, read_script
from dlcodegen.delivery.versions import versions
from dlcodegen.plan import SolutionPlan

_SMOKE_TEST = Path(__file__).with_name("project_smoke.py")


def project_files(outcome: Outcome) -> dict[str, str]:
    """Path in the folder -> text, for every file of the project. Writes nothing."""
    return {
        "main.py": outcome.chosen["code"],
        "README.md": _readme(outcome),
        "requirements.txt": _requirements(outcome.chosen["code"]),
        "plan.json": _json(outcome.plan.to_paper()),
        "report.json": _json(project_report(outcome)),
        "PROVENANCE.md": _provenance(outcome),
        "tests/test_smoke.py": _SMOKE_TEST.read_text(encoding="utf-8"),
    }


def title(outcome: Outcome, script: ScriptNotes) -> str:
    """What the project is called: the script's own title, else the plan's category."""
    return script.title or str(outcome.plan.to_paper()["Task Category"])


def plan_rows(plan: SolutionPlan) -> list[tuple[str, str]]:
    """The plan as rows of a table: what, and its value as Markdown."""
    training = plan.hyperparameters
    return [
        ("Input", markdown.inline(plan.input)),
        ("Output", markdown.inline(plan.output)),
        ("Preprocessing", markdown.inline(plan.preprocess) or "none"),
        ("Layers", ", ".join(markdown.code(layer) for layer in plan.layers) or "none"),
        ("Optimizer", markdown.code(training.optimizer)),
        ("Loss function", markdown.inline(training.loss_function)),
        ("Learning rate", f"{training.learning_rate:g}"),
        ("Batch size", str(training.batch_size)),
        ("Epochs", str(training.epochs)),
        ("Evaluation metric", markdown.inline(training.evaluation_metric)),
    ]


def _readme(outcome: Outcome) -> str:
    script = read_script(outcome.chosen["code"])
    facts = outcome.request["facts"]
    return markdown.render(
        "readme.md",
        title=title(outcome, script),
        requirement=outcome.request["requirement"],
        dataset=outcome.request["dataset"],
        category=outcome.plan.to_paper()["Task Category"],
        status=outcome.status,
        status_line=wording.status_line(outcome),
        error=wording.diagnosis(outcome.report["error"]) if outcome.report and outcome.report["error"] else "",
        rungs=outcome.report["rungs"] if outcome.report else [],
        sandbox=outcome.report["sandbox"] if outcome.report else {},
        shortfalls=[wording.shortfall(row, facts) for row in outcome.shortfalls],
        conformance=[(row, wording.evidence(row)) for row in outcome.conformance],
        metrics={name: f"{value:.4g}" for name, value in outcome.metrics.items()},
        plan=plan_rows(outcome.plan),
        notes=outcome.notes,
        script=script,
    )


def _provenance(outcome: Outcome) -> str:
    return markdown.render(
        "provenance.md",
        chosen=outcome.chosen,
        samples=outcome.samples,
        writer=wording.writer_line(outcome),
        planner=outcome.planner,
        confidence=f"{outcome.confidence:.2f}",
        versions=versions(),
    )


def _requirements(code: str) -> str:
    from dlcodegen.execution.packages import required_distributions

    return "".join(f"{line}\n" for line in required_distributions(code))


def _json(value: dict[str, Any]) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
