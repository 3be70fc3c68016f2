"""Rows of `bench plans` on the published test rows: the scores of predicted plans, and what they took."""

import json
import time
from collections.abc import Callable, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from dlcodegen.evals.journal import Row
from dlcodegen.evals.plan_files import Plans, mismatches, read_plan, read_plans
from dlcodegen.evals.plan_scores import score
from dlcodegen.planner.gpt2.calibration import calibration
from dlcodegen.planner.gpt2.decoding import Decoded
from dlcodegen.planner.gpt2.rows import requests


def scored(folder: Path, predictions: Plans, most: int | None = None) -> Row:
    """The columns of the paper's table on the published test rows, and what was wrong with the files."""
    whole = read_plans(folder / "plans" / "test.jsonl", numbered=True)
    references = Plans(whole.source, dict(islice(whole.by_id.items(), most)))
    row: Row = {name: round(value, 5) for name, value in score(references, predictions)._asdict().items()}
    remarks = [*whole.remarks, *predictions.remarks, *mismatches(references, predictions)]
    return row | ({"remarks": remarks} if remarks else {})


def measured(folder: Path, decode: Callable[[str, str], Decoded], most: int | None = None) -> Row:
    """Scores, and how far the confidence can be believed; on the first `most` rows."""
    started = time.perf_counter()
    asked = islice(requests(folder / "plans" / "test.jsonl"), most)
    plans: dict[Any, Decoded] = {key: decode(requirement, dataset) for key, requirement, dataset in asked}
    seconds = (time.perf_counter() - started) / len(plans)
    row = scored(folder, as_files_have_them(plans), most)
    return {**row, "seconds a plan": round(seconds, 2), **believable(folder, plans)}


def as_files_have_them(plans: Mapping[Any, Decoded]) -> Plans:
    """Predicted plans, read as those of a file are."""
    return Plans("predicted", {key: read_plan(json.dumps(plan.to_paper())) for key, plan in plans.items()})


def believable(folder: Path, plans: Mapping[Any, Decoded]) -> Row:
    """Confidence in the category against how often it was right."""
    references = read_plans(folder / "plans" / "test.jsonl", numbered=True)
    sure = [decoded.odds["category"][decoded.values["category"]] for decoded in plans.values()]
    right = [
        str(references.by_id[key].fields.get("task category")).lower() == decoded.values["category"].lower()
        for key, decoded in plans.items()
    ]
    found = calibration(sure, right)
    return {"confidence": round(found.confidence, 3), "calibration error": round(found.error, 3)}
