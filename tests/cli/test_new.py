import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dlcodegen.cli.main import run
from dlcodegen.errors import ModelError

REQUIREMENT = "Segment polyps"


@pytest.mark.parametrize(
    ("status", "exit_code"), [("passed", 0), ("unchecked", 0), ("failed", 3), ("not_executed", 3), ("sandbox_error", 1)]
)
def test_the_project_is_written_whatever_its_status(
    ending: Callable[[str], Any], tmp_path: Path, capsys: pytest.CaptureFixture[str], status: str, exit_code: int
) -> None:
    ending(status)
    out = tmp_path / "made"
    assert run(["new", REQUIREMENT, "--out", str(out)]) == exit_code
    assert (out / "main.py").read_text() == "print('made')\n"
    shown = capsys.readouterr()
    assert shown.out.splitlines()[0].startswith({"passed": "✓", "unchecked": "•"}.get(status, "✗"))
    assert "The loss function is a guess." in shown.out
    assert f"cd {out}" in shown.out.replace("\n", "")
    assert shown.err.splitlines() == ["✓ plan                   0.2 s  Image Segmentation"]


def test_people_see_metrics_and_first_what_was_not_honoured(
    ending: Callable[[str], Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ending("failed")
    run(["new", REQUIREMENT, "--out", str(tmp_path / "made"), "--data", "/my data"])
    shown = capsys.readouterr().out
    assert "smoke metrics  dice 0.5 " in shown
    assert "NameError: name 'x' is not defined" in shown
    assert shown.index("\n ?  dropout ") < shown.index("\n ✓  epochs ")
    assert "[red]no[/red]" in shown  # text of others is no markup
    assert "  python main.py --data '/my data'\n" in shown


def test_json_is_the_report_and_nothing_else_on_stdout(
    ending: Callable[[str], Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ending("failed")
    out = tmp_path / "made"
    assert run(["new", REQUIREMENT, "--out", str(out), "--json"]) == 3
    report = json.loads(capsys.readouterr().out)
    assert report["status"] == "failed"
    assert report["out"] == str(out)


def test_options_reach_the_graph(ending: Callable[[str], Any], tmp_path: Path) -> None:
    given = ending("passed")
    options = "--dataset big --data d --framework keras --model openai:x --base-url http://h/v1 --planner nearest"
    numbers = "--decode beam --writer llm --samples 2 --repairs 0 --time-limit 5 --seed 7 --no-check"
    run(["new", REQUIREMENT, "--out", str(tmp_path / "made"), *options.split(), *numbers.split()])
    request, context, modes = given
    assert request == {"requirement": REQUIREMENT, "dataset": "big", "data": "d", "framework": "keras"}
    assert (context.model, context.base_url, context.planner) == ("openai:x", "http://h/v1", "nearest")
    assert (context.plan_decoding, context.writer, context.samples, context.repairs) == ("beam", "llm", 2, 0)
    assert (context.time_limit, context.seed, context.check) == (5, 7, False)
    assert modes == ["custom", "values"]


def test_what_is_told_about_models_reaches_the_graph(ending: Callable[[str], Any], tmp_path: Path) -> None:
    given = ending("passed")
    roles = "--model-plan openai:p --model-draft openai:d --model-merge openai:m --model-repair openai:r"
    bounds = "--max-tokens 9000 --max-cost 0.5 --prices 1/2 --pieces segment --answers 2 --temperature 0.3"
    run(["new", REQUIREMENT, "--out", str(tmp_path / "made"), *roles.split(), *bounds.split()])
    context = given[1]
    asked = [context.model_for(role) for role in ("plan", "draft", "merge", "repair")]
    assert asked == ["openai:p", "openai:d", "openai:m", "openai:r"]
    assert (context.max_tokens, context.max_cost, context.prices) == (9000, 0.5, "1/2")
    assert (context.pieces, context.answers, context.temperature) == ("segment", 2, 0.3)


@pytest.mark.parametrize(
    ("option", "line"),
    [
        (["--temperature", "3"], "error: temperature lies between 0 and 2, not 3.0"),
        (["--answers", "0"], "error: answers lies between 1 and 16, not 0"),
        (["--pieces", "line"], "error: Invalid value for '--pieces'"),
    ],
)
def test_what_cannot_be_is_said_at_once(option: list[str], line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["new", REQUIREMENT, "--out", "never-made", *option]) == 2
    assert capsys.readouterr().err.startswith(line)


def test_a_folder_that_is_not_empty_is_refused_before_the_work(
    ending: Callable[[str], Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ending("passed")
    (tmp_path / "mine").touch()
    assert run(["new", REQUIREMENT, "--out", str(tmp_path)]) == 2
    assert given == []
    assert capsys.readouterr().err.startswith(f"error: {tmp_path} is not empty: replace")
    assert run(["new", REQUIREMENT, "--out", str(tmp_path), "--force"]) == 0


def test_a_requirement_that_is_nothing_to_work_on_is_one_line(
    ending: Callable[[str], Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ending("needs_input")
    assert run(["new", "?", "--out", str(tmp_path / "made")]) == 2
    assert capsys.readouterr().err.splitlines()[-1] == "error: It needs_input."
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize(
    ("error", "exit_code", "line"),
    [
        (ModelError("the model\nis gone"), 1, "the model is gone"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (ZeroDivisionError("oops"), 1, "ZeroDivisionError: oops (this is a fault of dlcodegen; set DLCODEGEN_DEBUG=1"),
    ],
)
def test_a_failure_on_the_way_is_one_line_and_leaves_no_folder(
    use_graph: Callable[..., None],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    error: BaseException,
    exit_code: int,
    line: str,
) -> None:
    def stream(*args: Any, **kwargs: Any) -> Iterator[Any]:
        yield "custom", {"type": "other"}
        raise error

    use_graph(stream)
    command = ["new", REQUIREMENT, "--out", str(tmp_path / "made")]
    assert run(command) == exit_code
    assert capsys.readouterr().err.startswith(f"error: {line}")
    assert run([*command, "--json"]) == exit_code
    answer = json.loads(capsys.readouterr().out)
    assert answer["status"] == "error"
    assert answer["error"].startswith(line)
    assert not (tmp_path / "made").exists()


def test_without_a_folder_there_is_nothing_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["new", REQUIREMENT]) == 2
    assert capsys.readouterr().err == "error: name the folder to make: --out DIR\n"


def test_a_dry_run_prints_prompts_and_writes_nothing(
    use_graph: Callable[..., None], final_state: Callable[[str], Any], capsys: pytest.CaptureFixture[str]
) -> None:
    """The graph asks the model that the context names, as the real one does."""

    def stream(request: Any, config: Any, *, context: Any, stream_mode: Any) -> Iterator[Any]:
        from dlcodegen.models.chat import chat_model

        assert {context.model_for(role) for role in ("plan", "draft", "merge", "repair")} == {context.model}
        answer = chat_model(context).invoke(f"# Task: draft\n{request['requirement']}", config)
        chat_model(context).invoke(f"# Task: merge\n{answer.text}", config)
        yield "values", final_state("unchecked")

    use_graph(stream)
    models = ["--model", "openai:gpt-4o-mini", "--model-draft", "openai:gpt-4o"]
    assert run(["new", REQUIREMENT, *models, "--dry-run"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith(f"===== prompt 1 of 2 =====\n# Task: draft\n{REQUIREMENT}\n")
    assert "# Here the model's answer would stand." in shown
    assert run(["new", REQUIREMENT, "--dry-run", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["prompts"]) == 2
