"""report.json: the whole run as plain data, for machines."""

import math
from typing import Any

from dlcodegen.delivery.outcome import Outcome
from dlcodegen.delivery.versions import versions
from dlcodegen.report import Candidate


def project_report(outcome: Outcome) -> dict[str, Any]:
    """The content of report.json. Metrics that are not finite are null, since JSON has no word for them."""
    request, chosen = outcome.request, outcome.chosen
    return {
        "status": outcome.status,
        "requirement": request["requirement"],
        "dataset": request["dataset"],
        "framework": request["framework"],
        "writer": outcome.writer,
        "model": outcome.model,
        "planner": {"name": outcome.planner, "confidence": outcome.confidence},
        "facts": request["facts"],
        "notes": outcome.notes,
        "samples": [sample.id for sample in outcome.samples],
        "candidates": [_candidate(candidate) for candidate in outcome.candidates],
        "chosen": chosen["name"],
        "usage": outcome.usage,
        "sandbox": outcome.report["sandbox"] if outcome.report else {},
        "version": versions()["dlcodegen"],
    }


def _candidate(candidate: Candidate) -> dict[str, Any]:
    """A candidate without its code; without evidence when checking was switched off."""
    named = {"name": candidate["name"], "origin": candidate["origin"]}
    report = candidate["report"]
    if report is None:
        return named | {"status": "unchecked"}
    return named | {
        "status": report["status"],
        "rungs": report["rungs"],
        "error": report["error"],
        "conformance": report["conformance"],
        "metrics": {name: value if math.isfinite(value) else None for name, value in report["metrics"].items()},
        "untrained": report["untrained"],
        "seconds": report["seconds"],
        "sandbox": report["sandbox"].get("tier", "none: it was not executed"),
    }
