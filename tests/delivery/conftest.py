"""One finished run, made of the first sample of the pool: the same in every test of this folder."""

from dataclasses import replace
from typing import Any

import pytest

from dlcodegen.corpus.sample import SAMPLES_FOLDER, Sample, read_sample
from dlcodegen.delivery.outcome import Outcome
from dlcodegen.report import Candidate, CheckReport, Conformance, Fact


def conformance(name: str, verdict: Any, evidence: str, line: int | None, expected: str = "64") -> Conformance:
    return {"name": name, "expected": expected, "verdict": verdict, "evidence": evidence, "line": line}


@pytest.fixture(scope="session")
def sample() -> Sample:
    return read_sample(SAMPLES_FOLDER / "image-segmentation" / "unet-binary")


@pytest.fixture
def check_report() -> CheckReport:
    return {
        "status": "passed",
        "rungs": [{"name": "parse", "passed": True, "seconds": 0.01, "message": ""}],
        "error": None,
        "metrics": {"dice": 0.93125, "iou": 0.88},
        "conformance": [conformance("optimizer", "honoured", "return torch.optim.AdamW(...)", 190, "AdamW")],
        "untrained": {},
        "lint": 0,
        "sandbox": {"tier": "full", "network": "yes (denied)", "not stopped": "faults of the kernel"},
        "seconds": 3.2,
    }


@pytest.fixture
def facts() -> list[Fact]:
    return [{"name": "image_height", "value": 64, "text": "64x64 pixels"}]


@pytest.fixture
def outcome(sample: Sample, check_report: CheckReport, facts: list[Fact]) -> Outcome:
    chosen: Candidate = {
        "name": "merged",
        "code": sample.code,
        "origin": ["build_model: image-segmentation/unet-binary, the better metric"],
        "report": check_report,
    }
    draft: Candidate = {"name": "draft_from_code", "code": "import nothing", "origin": [], "report": None}
    return Outcome(
        request={
            "requirement": "Segment polyps in 64x64 images",
            "dataset": "",
            "data": "",
            "framework": "pytorch",
            "facts": facts,
        },
        plan=sample.plan,
        chosen=chosen,
        candidates=[draft, chosen],
        samples=[sample],
        writer="syntax",
        model="offline",
        planner="nearest",
        confidence=0.87,
        notes=["The learning rate is a guess."],
        usage={"plan": {"seconds": 0.2}},
    )


@pytest.fixture
def failed(outcome: Outcome, check_report: CheckReport) -> Outcome:
    report: CheckReport = {
        **check_report,
        "status": "failed",
        "rungs": [*check_report["rungs"], {"name": "smoke", "passed": False, "seconds": 1.5, "message": "NameError"}],
        "error": {
            "rung": "smoke",
            "exception": "NameError",
            "message": "name 'criterion' is not defined",
            "line": 12,
            "code": "loss = criterion(a | b)",
            "tensors": ["a: 16x10 float32"],
            "hint": "Define it first.",
        },
        "metrics": {"dice": float("nan")},
        "conformance": [
            conformance("dropout", "not found", "no dropout layer", None, "0.3"),
            conformance("image_height", "contradicted", "image_height: int = 128", 35),
            *check_report["conformance"],
        ],
    }
    chosen: Candidate = {**outcome.chosen, "report": report}
    return replace(outcome, chosen=chosen, candidates=[chosen])
