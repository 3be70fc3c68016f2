import re
from dataclasses import replace

from dlcodegen.delivery.answer import answer
from dlcodegen.delivery.outcome import Outcome


def test_the_answer_says_what_was_planned_built_and_how_to_run_it(outcome: Outcome) -> None:
    text = answer(outcome)
    assert text.startswith("**Binary image segmentation with a U-Net**\n\nPassed: ")
    assert "Smoke run: dice 0.931, iou 0.88." in text
    assert "- layers: `UNet(base_width=32, depth=4)`, `Conv2D(1, kernel_size=1)`" in text
    assert "after `image-segmentation/unet-binary`: `merged`, the best of 2 candidates; points honoured: 1." in text
    assert "python main.py --data PATH" in text
    assert "Your data: a folder with images/ and masks/." in text
    assert "Not as asked for" not in text
    assert len(text.splitlines()) <= 40


def test_an_agent_is_trained_without_data(outcome: Outcome) -> None:
    code = outcome.chosen["code"]
    chosen = {
        **outcome.chosen,
        "code": re.sub(r"(?m)^Data \(--data PATH\):.*$", "Data (--data PATH): none is needed.", code),
    }
    text = answer(replace(outcome, chosen=chosen))  # type: ignore[arg-type]
    assert "\npython main.py\n" in text
    assert "main.py --data" not in text


def test_what_was_not_honoured_stands_before_the_plan(failed: Outcome) -> None:
    text = answer(failed)
    assert text.index("Not as asked for") < text.index("**Planned**")
    assert (
        '- `image_height` should be 64 (you wrote "64x64 pixels"); the code has `image_height: int = 128` (line 35)\n'
        "- `dropout` should be 0.3; no dropout layer"
    ) in text
    assert "The step `smoke` failed: it uses a name that is defined nowhere" in text


def test_many_shortfalls_and_layers_are_counted_rather_than_listed(failed: Outcome) -> None:
    report = failed.report
    assert report is not None
    rows = [{**report["conformance"][0], "name": f"field_{number}"} for number in range(30)]
    chosen = {**failed.chosen, "report": {**report, "conformance": rows}}
    plan = failed.plan.model_copy(update={"layers": ["Dense(10)"] * 50})
    text = answer(replace(failed, chosen=chosen, plan=plan))  # type: ignore[arg-type]
    assert "- and 24 more: see `README.md`" in text
    assert "and 44 more" in text
    assert len(text.splitlines()) <= 40


def test_the_users_own_path_is_quoted_for_the_shell(outcome: Outcome) -> None:
    request = {**outcome.request, "data": "/my data/a b"}
    assert "python main.py --data '/my data/a b'\n" in answer(replace(outcome, request=request))  # type: ignore[arg-type]
