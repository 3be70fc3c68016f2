"""What is read back from the scratch folder, and which traps are refused."""

from pathlib import Path

import pytest

from dlcodegen.execution.sandbox.artefacts import ArtefactError, read_artefact
from dlcodegen.execution.sandbox.limits import Limits
from dlcodegen.execution.sandbox.run import run_script

NAME = "outputs/metrics.json"


def read_back(code: str, size: int = 1000) -> str:
    """The content of outputs/metrics.json after the run, or why it was refused.

    Without a sandbox, which forbids to lay most of these traps: reading back must not rely on it.
    """
    head = "import os\nfrom pathlib import Path\nout = Path('outputs')\nmetrics = out / 'metrics.json'\n"
    result = run_script(head + code, [], Limits(artefact=size), (NAME,), tier="unsandboxed")
    assert result.exit_code == 0, result.stderr
    return result.artefacts[NAME].decode() if NAME in result.artefacts else result.refused[NAME]


def test_a_regular_file_is_read() -> None:
    assert read_back("out.mkdir()\nmetrics.write_text('{}')") == "{}"


def test_a_missing_file_is_named() -> None:
    assert read_back("pass") == "outputs/metrics.json was not written"


def test_a_link_to_a_file_outside_is_not_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret")
    assert "no regular file" in read_back(f"out.mkdir()\nmetrics.symlink_to({str(secret)!r})")


def test_a_link_to_a_folder_outside_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "metrics.json").write_text("secret")
    assert "no regular file" in read_back(f"out.symlink_to({str(tmp_path)!r})")


def test_a_second_name_of_another_file_is_refused() -> None:
    assert "no regular file of its own" in read_back("out.mkdir()\nos.link('main.py', metrics)")


def test_a_named_pipe_is_not_waited_for() -> None:
    assert "no regular file of its own" in read_back("out.mkdir()\nos.mkfifo(metrics)")


def test_a_folder_is_refused() -> None:
    assert "no regular file of its own" in read_back("metrics.mkdir(parents=True)")


def test_a_large_file_is_refused() -> None:
    assert read_back("out.mkdir()\nmetrics.write_text('x' * 11)", size=10) == (
        "outputs/metrics.json has 11 bytes, more than 10"
    )


def test_all_files_of_a_kind_are_read_and_no_other() -> None:
    code = "import os\nos.makedirs('o/d.pt')\nfor n in ('a.pt', 'b.pt', 'c.txt'):\n    open(f'o/{n}', 'w').write(n)"
    result = run_script(code, [], Limits(), ("o/*.pt", "none/*.pt"))
    assert result.artefacts == {"o/a.pt": b"a.pt", "o/b.pt": b"b.pt"}
    assert list(result.refused) == ["o/d.pt"]


@pytest.mark.parametrize("trap", ["os.symlink('main.py', metrics)", "os.mkfifo(metrics)", "os.mknod(metrics, 0o20666)"])
def test_in_a_sandbox_the_traps_cannot_even_be_laid(trap: str) -> None:
    code = f"import os\nos.mkdir('outputs')\nmetrics = '{NAME}'\n{trap}"
    result = run_script(code, [], Limits(), (NAME,))
    assert result.record["autopsy"]["exception"] == "PermissionError"
    assert result.refused == {NAME: f"{NAME} was not written"}


def test_a_folder_that_is_gone_is_reported_as_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ArtefactError, match=r"a\.txt was not written"):
        read_artefact(tmp_path / "gone", "a.txt", 10)
