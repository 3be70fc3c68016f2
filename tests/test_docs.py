"""Documentation that cannot go stale: commands, diagram and help are compared with the real ones."""

import re
from pathlib import Path

from typer.testing import CliRunner

from dlcodegen.cli.main import app
from dlcodegen.graph.builder import graph


def test_the_diagram_is_drawn_from_the_graph(repository: Path) -> None:
    drawn = graph.get_graph().draw_mermaid()
    assert f"```mermaid\n{drawn.strip()}\n```" in (repository / "ARCHITECTURE.md").read_text()


def test_the_first_screen_has_the_two_commands(repository: Path) -> None:
    first = "\n".join((repository / "README.md").read_text().splitlines()[:30])
    assert "make demo" in first
    assert "make test" in first
    targets = re.findall(r"^([a-z-]+):.*## ", (repository / "Makefile").read_text(), re.MULTILINE)
    for target in re.findall(r"make ([a-z-]+)", (repository / "README.md").read_text()):
        assert target in targets


def test_every_command_of_the_readme_exists(repository: Path) -> None:
    readme = (repository / "README.md").read_text()
    for line in re.findall(r"^dlcodegen (.*)$", readme, re.MULTILINE):
        command, *rest = line.split()
        group = [command, rest[0]] if command in ("corpus", "planner", "bench") else [command]
        shown = CliRunner().invoke(app, [*group, "--help"], terminal_width=200)
        assert shown.exit_code == 0, line
        help_text = shown.output
        for option in re.findall(r"--[a-z-]+", " ".join(rest)):
            assert option in help_text, f"{command} has no {option}"


def test_ci_runs_the_test_command(repository: Path) -> None:
    assert (repository / ".ci" / "run").read_text().rstrip().endswith("exec make test")
