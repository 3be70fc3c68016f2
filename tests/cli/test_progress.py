import io
from typing import Any

from rich.console import Console

from dlcodegen.cli.progress import Progress


def event(stage: str, status: str, detail: str = "", seconds: float = 0.0) -> dict[str, Any]:
    return {"type": "stage", "stage": stage, "status": status, "detail": detail, "seconds": seconds}


RECORDED = [
    event("plan", "started"),
    event("plan", "done", "Image Segmentation, [bold]5[/bold] classes\nconfidence 0.9", 0.31),
    event("draft_from_code", "started"),
    event("abstract_template", "started"),
    event("abstract_template", "done", "9 slots", 0.2),
    event("draft_from_code", "done", "", 1.04),
    {"type": "tokens", "text": "something else"},
]


def test_off_a_terminal_each_stage_is_one_plain_line_when_it_is_done() -> None:
    stream = io.StringIO()
    with Progress(Console(file=stream, width=20)) as progress:
        for recorded in RECORDED:
            progress.show(recorded)
    assert stream.getvalue().splitlines() == [
        "✓ plan                   0.3 s  Image Segmentation, [bold]5[/bold] classes confidence 0.9",
        "✓ abstract template      0.2 s  9 slots",
        "✓ draft from samples     1.0 s",
    ]


def test_on_a_terminal_stages_at_work_stand_side_by_side() -> None:
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, width=100, color_system=None)
    with Progress(console) as progress:
        for recorded in RECORDED[:4]:
            progress.show(recorded)
        printed = stream.getvalue()
    last_frame = printed[printed.index("confidence 0.9") :]
    assert "draft from samples" in last_frame
    assert "abstract template" in last_frame
    assert "plan" not in last_frame


def test_people_see_that_a_model_is_writing() -> None:
    stream = io.StringIO()
    with Progress(Console(file=stream, force_terminal=True, width=100, color_system=None)) as progress:
        progress.show(event("draft_from_code", "started"))
        progress.show({"type": "tokens", "stage": "draft_from_code", "tokens": 312})
        progress.show({"type": "tokens", "stage": "merge", "tokens": 5})
    assert "draft from samples, 312 tokens" in stream.getvalue()
    assert "5 tokens" not in stream.getvalue()


def test_a_stage_may_come_again() -> None:
    stream = io.StringIO()
    with Progress(Console(file=stream)) as progress:
        for number in (1, 2):
            progress.show(event("repair", "started"))
            progress.show(event("repair", "done", f"repair {number}", 1.0))
    assert [line.split()[-1] for line in stream.getvalue().splitlines()] == ["1", "2"]


def test_an_unknown_stage_is_shown_by_its_own_name() -> None:
    stream = io.StringIO()
    with Progress(Console(file=stream)) as progress:
        progress.show(event("think_again", "done", seconds=2))
    assert stream.getvalue().startswith("✓ think again")
