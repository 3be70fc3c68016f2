"""One script for each rung that fails there, and one that climbs to the top."""

import re
from pathlib import Path

import pytest

from dlcodegen.corpus.sample import all_samples
from dlcodegen.execution import reading_rungs
from dlcodegen.execution.ladder import RUNGS, check
from dlcodegen.execution.sandbox.limits import MIB, Limits
from dlcodegen.execution.script import Conditions, Script
from dlcodegen.plan import SolutionPlan
from dlcodegen.report import CheckReport, Diagnosis
from tests.small_script import SCRIPT, edited

TRAINING = '"""Fit the model."""'


def climbed(report: CheckReport) -> list[str]:
    return [rung["name"] for rung in report["rungs"]]


def failed(code: str, limits: Limits | None = None, plan: SolutionPlan | None = None) -> Diagnosis:
    """What is wrong; the rungs below hold, those above are not tried."""
    report = check(code, plan, [], Conditions(limits or Limits(wall=30)))
    error = report["error"]
    assert error is not None, report["rungs"]
    assert report["status"] == "failed"
    assert [rung["passed"] for rung in report["rungs"]] == [True] * (len(report["rungs"]) - 1) + [False]
    assert climbed(report)[-1] == error["rung"]
    assert report["rungs"][-1]["message"].startswith(error["exception"])
    return error


def failure(code: str, limits: Limits | None = None) -> tuple[str, str, str, int | None]:
    """Rung, exception, message and line."""
    error = failed(code, limits)
    return error["rung"], error["exception"], error["message"], error["line"]


def in_training(statement: str) -> str:
    """The script, with a statement at the beginning of `train`."""
    return edited((TRAINING, statement))


def line_of(text: str, code: str) -> int:
    return next(number for number, line in enumerate(code.split("\n"), 1) if text in line)


def test_a_script_that_runs_climbs_to_the_top() -> None:
    report = check(SCRIPT, None, [])
    assert report["status"] == "passed", report["error"]
    assert climbed(report) == list(RUNGS)
    assert report["error"] is None
    assert report["metrics"]["accuracy"] > 0.6
    assert report["lint"] == 0
    assert report["sandbox"]["tier"]
    said = {rung["name"]: rung["message"] for rung in report["rungs"]}
    assert said["build"] == "Sequential: 16x2 -> 16x4"
    assert said["step"] == "Adam: loss and weights are finite"
    assert said["smoke run"].startswith("50 steps, training loss 1.")
    assert "accuracy" in said["judgement"]


def test_what_was_not_executed_claims_no_protection() -> None:
    assert check("x = (", None, [])["sandbox"] == {}


# --- parse ----------------------------------------------------------------------------------------------------------


def test_a_syntax_error_has_its_line() -> None:
    assert failure("x = 1\nif x\n    pass\n") == ("parse", "SyntaxError", "expected ':'", 2)


def test_a_return_outside_of_a_function_is_a_syntax_error() -> None:
    assert failure("x = 1\nreturn x\n") == ("parse", "SyntaxError", "'return' outside function", 2)


def test_an_empty_script_says_so() -> None:
    assert failure(" \n")[:3] == ("parse", "empty", "there is no code")


def test_a_null_byte_is_no_python() -> None:
    assert "null bytes" in failure("x = '\0'")[2]


def test_half_a_character_is_no_python() -> None:
    assert failure("x = '\ud800'")[:2] == ("parse", "UnicodeEncodeError")


def test_endless_nesting_does_not_break_the_parser() -> None:
    assert failure("x = " + "-" * 100_000 + "1")[2] == "the code is nested too deeply"


def test_what_is_too_long_for_a_script_is_not_read() -> None:
    assert failure("x = 1\n" * 100_000) == ("parse", "too long", "600000 characters, more than 400000", None)


def test_what_python_only_warns_of_parses() -> None:
    assert check('x = "\\d"\n', None, [])["rungs"][0]["passed"]


# --- names, complete, imports, contract -----------------------------------------------------------------------------


def test_an_undefined_name_is_found_without_running() -> None:
    code = "def main():\n    return modle\n\n\nmain()\n"
    assert failure(code) == ("names", "NameError", "Undefined name `modle`", 2)


def test_a_comment_does_not_silence_the_check() -> None:
    assert failure("print(modle)  # noqa: F821\n")[0] == "names"


@pytest.mark.parametrize("code", ['x = "a"\nx is "b"\n', "'%s %s' % (1,)\n", "import numpy\nnumpy.float_(1)\n"])
def test_what_ruff_is_sure_of_is_an_error(code: str) -> None:
    rung, exception, _, _ = failure(code)
    assert rung == "names"
    assert exception.startswith("ruff ")


def test_other_findings_are_counted() -> None:
    assert check("import os\nimport sys\nmodle\n", None, [])["lint"] >= 2


@pytest.mark.parametrize(
    "value",
    ["/path/to/images", "path/to/data.csv", "/kaggle/input/polyps/train.csv", "/content/drive/x", "your_dataset.csv"],
)
def test_a_placeholder_path_is_refused(value: str) -> None:
    rung, exception, message, line = failure(f"folder = {value!r}\n")
    assert (rung, exception, line) == ("complete", "placeholder", 1)
    assert message == f"{value!r} stands for something that is not there"


@pytest.mark.parametrize("value", ["the path to the images", "put your data there", "outputs/model.pt", "my_model.pt"])
def test_words_about_paths_are_no_placeholder(value: str) -> None:
    assert reading_rungs.complete(Script(f"text = {value!r}\n")) == ""


@pytest.mark.parametrize("body", ["pass", "...", '"""Train."""'])
def test_an_empty_body_is_refused(body: str) -> None:
    assert failure(f"def train():\n    {body}\n") == ("complete", "placeholder", "the body of `train` is empty", 1)


def test_an_abstract_method_may_be_empty() -> None:
    code = "class A(Protocol):\n    def f(self): ...\nclass B:\n    @abc.abstractmethod\n    def g(self): ...\n"
    assert reading_rungs.complete(Script(code)) == ""


def test_a_package_that_is_not_on_the_list_is_refused() -> None:
    assert failure("import os\nimport requests\n") == (
        "imports",
        "ModuleNotFoundError",
        "`requests` is not among the packages that a project may use",
        2,
    )


@pytest.mark.parametrize(
    ("edit", "problem"),
    [
        (("class Config", "class Settings"), "there is no dataclass `Config`"),
        (("    epochs: int = 5\n", ""), "Config has no default for epochs"),
        (("def predict(", "def infer("), "there is no function `predict`"),
        (('if __name__ == "__main__":\n    main()', ""), 'nothing calls main() under `if __name__ == "__main__":`'),
        (('if __name__ == "__main__":\n    main()', "main()"), "main() is called when the script is only imported"),
        (("    torch.manual_seed(config.seed)\n", ""), "the framework's seed is not set"),
        (("    smoke: bool = False\n", ""), "it has no flag --smoke"),
    ],
)
def test_a_part_of_the_contract_that_is_missing_is_named(edit: tuple[str, str], problem: str) -> None:
    edits = [edit, ("Config)", "Settings)")] if edit[1] == "class Settings" else [edit]
    found = failed(edited(*edits).replace("Config(", "Settings(") if len(edits) > 1 else edited(*edits))
    assert (found["rung"], found["exception"]) == ("contract", "missing part")
    assert problem in found["message"]


# --- build, step ----------------------------------------------------------------------------------------------------


def test_a_shape_error_names_the_layer_with_expected_and_got() -> None:
    code = edited(("nn.Linear(32, 4)", "nn.Linear(64, 4)"))
    found = failed(code)
    assert (found["rung"], found["exception"]) == ("build", "RuntimeError")
    assert "2 = Linear(in_features=64, out_features=4, bias=True) expected 64 features" in found["message"]
    assert "got 16x32 (32)" in found["message"]
    assert found["line"] == line_of("cross_entropy(model(inputs)", code)
    assert "inputs: 16x2 float32" in found["tensors"]
    assert found["hint"].startswith("Set the layer's in_features")


def test_a_loss_that_is_nan_stops_the_run_at_once() -> None:
    found = failed(edited(("targets)\n            optimizer", "targets) * float('nan')\n            optimizer")))
    assert (found["rung"], found["exception"]) == ("step", "NonFiniteLoss")


# --- smoke run ------------------------------------------------------------------------------------------------------


def test_an_exception_is_found_where_the_script_raises_it() -> None:
    code = in_training("json.loads('{')")
    found = failed(code)
    assert found["exception"] == "JSONDecodeError"
    assert found["message"] == "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"
    assert (found["rung"], found["code"]) == ("smoke run", "json.loads('{')")
    assert found["line"] == line_of("json.loads('{')", code)


def test_of_chained_exceptions_the_last_counts() -> None:
    code = in_training(
        "try:\n        1 / 0\n    except ZeroDivisionError as e:\n        raise ValueError('a\\nb') from e"
    )
    assert failure(code)[:3] == ("smoke run", "ValueError", "a\nb")


def test_where_packages_lie_stays_out_of_a_report() -> None:
    message = failure(in_training("from torch import no_such_name"))[2]
    assert "no_such_name" in message
    assert "site-packages" not in message


def test_an_exit_code_comes_with_the_last_words() -> None:
    assert failure(in_training("raise SystemExit('no data')")) == ("smoke run", "exit code 1", "no data", None)


def test_leaving_in_the_middle_is_no_success() -> None:
    code = in_training("import os\n    print('accuracy 0.99')\n    os._exit(0)")
    assert failure(code)[:2] == ("smoke run", "ended early")


def test_a_crash_in_native_code_has_its_line() -> None:
    code = in_training("import ctypes\n    ctypes.string_at(0)")
    rung, exception, _, line = failure(code)
    assert (rung, exception, line) == ("smoke run", "SIGSEGV", line_of("ctypes.string_at(0)", code))


def test_a_script_that_does_not_end_is_a_timeout() -> None:
    code = in_training("print('epoch 1')\n    while True:\n        config.epochs += 1")
    rung, exception, message, _ = failure(code, Limits(wall=2))
    assert (rung, exception) == ("smoke run", "timeout")
    assert re.fullmatch(r"did not end in time, stopped after \d\.\d s; last output: epoch 1", message)


def test_memory_without_end_is_stopped() -> None:
    code = in_training("kept = []\n    while True:\n        kept.append(torch.ones(1 << 22))")
    rung, exception, _, _ = failure(code, Limits(memory=700 * MIB))
    assert rung == "smoke run"
    assert exception in ("out of memory", "MemoryError", "RuntimeError")  # torch has a word of its own for it


def test_a_message_cannot_carry_control_characters_or_go_on_for_ever() -> None:
    message = failure(in_training("raise ValueError('\\x1b[31mred\\x1b[0m \\x07\\u202e' + 'x' * 5000)"))[2]
    assert message.startswith("red xxx")
    assert len(message) < 900


def test_a_mistake_that_nobody_notices_is_noticed() -> None:
    code = edited(("            optimizer.zero_grad()\n", ""))
    rung, exception, _, _ = failure(code)
    assert (rung, exception) == ("smoke run", "no zero_grad")


def test_a_call_that_is_about_to_go_is_refused() -> None:
    code = in_training("import warnings\n    warnings.warn('gone in the next release', FutureWarning)")
    assert failure(code)[:3] == ("current API", "FutureWarning", "gone in the next release")


def test_what_is_said_of_this_computer_is_no_misuse() -> None:
    code = edited(("shuffle=number == 0)", "shuffle=number == 0, pin_memory=True)"))
    assert check(code, None, [])["status"] == "passed"


# --- metrics --------------------------------------------------------------------------------------------------------


def writes(metrics: str) -> str:
    return edited(("json.dumps(metrics)", repr(metrics)))


@pytest.mark.parametrize(
    ("metrics", "problem"),
    [
        ("not json", "outputs/metrics.json is no JSON: Expecting value: line 1 column 1 (char 0)"),
        ("[1]", "outputs/metrics.json is no object of 1 to 200 numbers"),
        ("{}", "outputs/metrics.json is no object of 1 to 200 numbers"),
        ('{"loss": NaN}', "outputs/metrics.json: `loss` is no finite number: nan"),
        ('{"loss": 1e999}', "outputs/metrics.json: `loss` is no finite number: inf"),
        ('{"loss": "0.5"}', "outputs/metrics.json: `loss` is no finite number: '0.5'"),
        ('{"done": true}', "outputs/metrics.json: `done` is no finite number: True"),
        ('{"big": 1' + "0" * 400 + "}", "outputs/metrics.json: `big` is no finite number: 1" + "0" * 59),
        ('{"accuracy": -3}', "outputs/metrics.json: `accuracy` is -3, and lies between 0 and 1"),
    ],
)
def test_metrics_are_finite_numbers_in_their_range(metrics: str, problem: str) -> None:
    assert failure(writes(metrics)) == ("metrics", "metrics.json", problem, None)


def test_metrics_must_be_written() -> None:
    code = edited(('    (out / "metrics.json").write_text(json.dumps(metrics))\n', ""))
    assert failure(code)[2] == "outputs/metrics.json was not written"


def test_the_plans_metric_must_be_among_them() -> None:
    plan = all_samples()["image-segmentation/unet-binary"].plan
    assert failed(SCRIPT, plan=plan)["message"].startswith("outputs/metrics.json lacks the plan's metric `dice`")


# --- judgement ------------------------------------------------------------------------------------------------------


def test_weights_must_be_saved() -> None:
    code = edited(('    torch.save(model.state_dict(), out / "model.pt")\n', ""))
    assert failure(code)[0] == "reload"


def test_made_up_metrics_are_found_out() -> None:
    rung, _, message, _ = failure(edited(("json.dumps(metrics)", "json.dumps({'accuracy': 0.01})")))
    assert rung == "judgement"
    assert "accuracy" in message


def test_a_model_that_was_not_trained_is_found_out() -> None:
    assert failure(in_training("return"))[0] in ("reload", "judgement")


def test_a_script_that_hides_from_the_judge_is_not_believed() -> None:
    code = edited(("import torch\n", "import torch\n\nif Path('saved').exists():\n    raise OSError('not here')\n"))
    assert failure(code)[:2] == ("judgement", "not replayable")


# --- conformance ----------------------------------------------------------------------------------------------------


def test_a_plan_is_compared_although_the_script_fails() -> None:
    plan = all_samples()["image-segmentation/unet-binary"].plan
    names = {row["name"] for row in check("x = undefined_name\n", plan, [])["conformance"]}
    assert "learning_rate" in names


def test_what_does_not_parse_is_not_compared() -> None:
    plan = all_samples()["image-segmentation/unet-binary"].plan
    assert check("x = (", plan, [])["conformance"] == []


def test_nothing_is_left_of_a_check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    check(SCRIPT, None, [])
    assert list(tmp_path.iterdir()) == []
