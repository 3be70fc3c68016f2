"""One script for each rung that fails there, and one that climbs to the top."""

import re

import pytest

from dlcodegen.corpus.sample import all_samples
from dlcodegen.errors import SandboxError
from dlcodegen.execution import rungs
from dlcodegen.execution.ladder import check
from dlcodegen.execution.sandbox import Limits
from dlcodegen.report import CheckReport

PASSING = '''"""A script that runs."""

import json
import sys
from pathlib import Path

out = Path(sys.argv[sys.argv.index("--out") + 1])
out.mkdir()
(out / "metrics.json").write_text(json.dumps({"accuracy": 0.5, "epochs": 2}))
'''


def writes(metrics: str) -> str:
    return f"import os\n\nos.mkdir('outputs')\nopen('outputs/metrics.json', 'w').write({metrics!r})\n"


def climbed(report: CheckReport) -> list[str]:
    return [rung["name"] for rung in report["rungs"]]


def failure(code: str, limits: Limits | None = None) -> tuple[str, str, str, int | None]:
    """Rung, exception, message and line of the failure; the rungs below hold, those above are not tried."""
    report = check(code, None, [], limits)
    error = report["error"]
    assert error is not None
    assert report["status"] == "failed"
    assert [rung["passed"] for rung in report["rungs"]] == [True] * (len(report["rungs"]) - 1) + [False]
    assert climbed(report)[-1] == error["rung"]
    assert report["rungs"][-1]["message"].startswith(error["exception"])
    return error["rung"], error["exception"], error["message"], error["line"]


def test_a_script_that_runs_climbs_to_the_top() -> None:
    report = check(PASSING, None, [])
    assert report["status"] == "passed"
    assert climbed(report) == ["parse", "names", "complete", "imports", "smoke run", "metrics"]
    assert report["error"] is None
    assert report["metrics"] == {"accuracy": 0.5, "epochs": 2.0}
    assert report["lint"] == 0
    assert report["seconds"] > 0
    assert report["sandbox"]["memory"].startswith("yes")


def test_what_was_not_executed_claims_no_protection() -> None:
    assert check("x = (", None, [])["sandbox"] == {}


# --- parse ----------------------------------------------------------------------------------------------------------


def test_a_syntax_error_has_its_line() -> None:
    assert failure("x = 1\nif x\n    pass\n") == ("parse", "SyntaxError", "expected ':'", 2)


def test_a_return_outside_of_a_function_is_a_syntax_error() -> None:
    assert failure("x = 1\nreturn x\n") == ("parse", "SyntaxError", "'return' outside function", 2)


def test_a_null_byte_is_no_python() -> None:
    assert "null bytes" in failure("x = '\0'")[2]


def test_half_a_character_is_no_python() -> None:
    assert failure("x = '\ud800'")[:2] == ("parse", "UnicodeEncodeError")


def test_endless_nesting_does_not_break_the_parser() -> None:
    assert failure("x = " + "-" * 100_000 + "1")[2] == "the code is nested too deeply"


def test_what_is_too_long_for_a_script_is_not_read() -> None:
    assert failure("x = 1\n" * 100_000) == ("parse", "too long", "600000 characters, more than 400000", None)


def test_what_python_only_warns_of_parses() -> None:
    assert check('x = "\\d"\nprint(x is "d")\n', None, [])["rungs"][0]["passed"]


# --- names, complete, imports ---------------------------------------------------------------------------------------


def test_an_undefined_name_is_found_without_running() -> None:
    code = "def main():\n    return modle\n\n\nmain()\n"
    assert failure(code) == ("names", "NameError", "Undefined name `modle`", 2)


def test_a_comment_does_not_silence_the_check() -> None:
    assert failure("print(modle)  # noqa: F821\n")[0] == "names"


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
    assert rungs.complete(rungs.Script(f"text = {value!r}\n", Limits())) is None


@pytest.mark.parametrize("body", ["pass", "...", '"""Train."""'])
def test_an_empty_body_is_refused(body: str) -> None:
    assert failure(f"def train():\n    {body}\n") == ("complete", "placeholder", "the body of `train` is empty", 1)


def test_an_abstract_method_may_be_empty() -> None:
    code = "class A(Protocol):\n    def f(self): ...\nclass B:\n    @abc.abstractmethod\n    def g(self): ...\n"
    assert rungs.complete(rungs.Script(code, Limits())) is None


def test_a_package_that_is_not_on_the_list_is_refused() -> None:
    assert failure("import os\nimport requests\n") == (
        "imports",
        "ModuleNotFoundError",
        "`requests` is not among the packages that a project may use",
        2,
    )


# --- smoke run ------------------------------------------------------------------------------------------------------


def test_an_exception_is_found_where_the_script_raises_it() -> None:
    code = "import json\n\n\ndef main():\n    return json.loads('{')\n\n\nmain()\n"
    report = check(code, None, [])
    assert report["error"] == {
        "rung": "smoke run",
        "exception": "JSONDecodeError",
        "message": "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)",
        "line": 5,
        "code": "return json.loads('{')",
    }


def test_of_chained_exceptions_the_last_counts() -> None:
    code = "try:\n    1 / 0\nexcept ZeroDivisionError as error:\n    raise ValueError('two\\nlines') from error\n"
    assert failure(code) == ("smoke run", "ValueError", "two\nlines", 4)


def test_an_exception_without_a_message() -> None:
    assert failure("raise LookupError\n") == ("smoke run", "LookupError", "", 1)


def test_an_exit_code_comes_with_the_last_words() -> None:
    assert failure("raise SystemExit('no data')\n") == ("smoke run", "exit code 1", "no data", None)


def test_a_crash_in_native_code_has_its_line() -> None:
    rung, exception, _, line = failure("import ctypes\n\nctypes.string_at(0)\n")
    assert (rung, exception, line) == ("smoke run", "SIGSEGV", 3)


def test_a_script_that_does_not_end_is_a_timeout() -> None:
    rung, exception, message, _ = failure("print('epoch 1')\nwhile True:\n    continue\n", Limits(wall=1))
    assert (rung, exception) == ("smoke run", "timeout")
    assert re.fullmatch(r"did not end in time, stopped after \d\.\d s; last output: epoch 1", message)


def test_a_message_cannot_carry_control_characters_or_go_on_for_ever() -> None:
    message = failure("raise ValueError('\\x1b[31mred\\x1b[0m \\x07\\u202e' + 'x' * 5000)\n")[2]
    assert message.startswith("red xxx")
    assert len(message) < 900


def test_a_sandbox_that_fails_is_not_blamed_on_the_script(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", "/nowhere/python")
    with pytest.raises(SandboxError, match="could not be started"):
        check(PASSING, None, [])


# --- metrics --------------------------------------------------------------------------------------------------------


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
    ],
)
def test_metrics_are_finite_numbers(metrics: str, problem: str) -> None:
    assert failure(writes(metrics)) == ("metrics", "metrics.json", problem, None)


def test_metrics_must_be_written() -> None:
    assert failure("print('done')\n")[2] == "outputs/metrics.json was not written"


def test_a_number_that_no_float_can_hold_is_not_finite() -> None:
    assert "`big` is no finite number" in failure(writes('{"big": 1' + "0" * 400 + "}"))[2]


# --- conformance ----------------------------------------------------------------------------------------------------


def test_a_plan_is_compared_although_the_script_fails() -> None:
    plan = all_samples()["image-segmentation/unet-binary"].plan
    names = {row["name"] for row in check("x = undefined_name\n", plan, [])["conformance"]}
    assert "learning_rate" in names


def test_what_does_not_parse_is_not_compared() -> None:
    plan = all_samples()["image-segmentation/unet-binary"].plan
    assert check("x = (", plan, [])["conformance"] == []
