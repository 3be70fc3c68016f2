import json
import signal
import subprocess
import sys
import time
from importlib import metadata

import pytest

from dlcodegen.cli.main import run

HEAVY = ("torch", "langgraph", "langchain_core", "chromadb", "jinja2", "numpy")


def test_help_lists_the_commands_and_teaches_by_example(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0
    shown = capsys.readouterr().out
    assert all(f" {command} " in shown for command in ("new", "plan", "check", "doctor"))
    assert 'dlcodegen new "Segment polyps' in shown


@pytest.mark.parametrize("command", ["new", "plan", "check", "doctor"])
def test_every_command_has_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([command, "--help"]) == 0
    assert f"\n dlcodegen {command} " in capsys.readouterr().out


def test_no_command_is_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([]) == 0
    assert "Usage: dlcodegen" in capsys.readouterr().out


def test_help_imports_nothing_heavy() -> None:
    program = f"""
import sys
from dlcodegen.cli.main import run
run(["new", "--help"])
print([name for name in {HEAVY} if name in sys.modules])
"""
    run_ = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run_.stdout.splitlines()[-1] == "[]"


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"dlcodegen {metadata.version('dlcodegen')}\n"


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["nonsense"], "error: No such command 'nonsense'. (see dlcodegen --help)"),
        (["new"], "error: Missing argument 'REQUIREMENT'. (see dlcodegen new --help)"),
        (["new", "x", "--outt", "y"], "error: No such option: --outt"),
        (["new", "x", "--out", "y", "--samples", "99"], "error: samples lies between 1 and 10, not 99"),
        (["plan", "x", "--framework", "jax"], "error: Invalid value for '--framework'"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    arguments: list[str], line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == 2
    shown = capsys.readouterr()
    assert shown.err.startswith(line)
    assert shown.err.count("\n") == 1
    assert shown.out == ""


def test_bad_input_is_json_where_json_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["new", "--json"]) == 2
    shown = capsys.readouterr()
    assert json.loads(shown.out)["status"] == "error"
    assert "Missing argument" in json.loads(shown.out)["error"]
    assert shown.err == ""


def test_an_unexpected_failure_shows_its_traceback_when_asked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*args: object) -> None:
        raise ZeroDivisionError("oops")

    monkeypatch.setattr("dlcodegen.delivery.folder.ensure_writable", fail)
    assert run(["new", "x", "--out", "y"]) == 1
    assert capsys.readouterr().err.startswith("error: ZeroDivisionError: oops (this is a fault of dlcodegen;")
    monkeypatch.setenv("DLCODEGEN_DEBUG", "1")
    with pytest.raises(ZeroDivisionError):
        run(["new", "x", "--out", "y"])


def test_ctrl_c_ends_at_once_even_while_a_stage_cannot_be_stopped() -> None:
    program = """
import sys, time, types
def stream(*arguments, **settings):
    print("working", file=sys.stderr, flush=True)
    time.sleep(60)
    yield "values", {}
module = types.ModuleType("dlcodegen.graph.builder")
module.graph = types.SimpleNamespace(stream=stream)
sys.modules["dlcodegen.graph.builder"] = module
from dlcodegen.cli.main import main
sys.argv = ["dlcodegen", "new", "x", "--out", "never-made"]
main()
"""
    with subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == "working\n"
        interrupted = time.monotonic()
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130
        assert time.monotonic() - interrupted < 10
        assert process.stderr.read() == "error: interrupted\n"
