import json
import subprocess
import sys

import pytest

from dlcodegen.cli.main import run
from dlcodegen.plan import SolutionPlan

REQUIREMENT = "Segment polyps in 256x256 colonoscopy images with a U-Net"


def test_the_plan_and_what_is_stated_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["plan", REQUIREMENT]) == 0
    shown = capsys.readouterr()
    assert shown.out.startswith("Image Segmentation (planned by gpt2, confidence ")
    assert "stated in the requirement" in shown.out
    assert shown.err == ""


def test_json_is_the_papers_plan_with_facts_notes_and_confidence(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["plan", REQUIREMENT, "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert SolutionPlan.from_paper(shown).category == "image-segmentation"
    assert {"name": "image_height", "value": 256, "text": "256x256"} in shown["facts"]
    assert isinstance(shown["notes"], list)
    assert 0 <= shown["confidence"] <= 1


def test_no_requirement_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["plan", "  "]) == 2
    assert capsys.readouterr().err.startswith("error: the requirement is empty")
    assert run(["plan", "  ", "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["error"].startswith("the requirement is empty")


def test_a_long_requirement_comes_through_standard_input() -> None:
    arguments = [sys.executable, "-m", "dlcodegen", "plan", "-"]
    long = subprocess.run(arguments, input="a " * 100_000, capture_output=True, text=True, check=False)
    assert long.returncode == 2
    assert "characters, at most 20,000 can be read" in long.stderr
    binary = subprocess.run(arguments, input=bytes(range(256)), capture_output=True, check=False)
    assert binary.returncode == 2
    assert b"holds bytes that are no text" in binary.stderr
