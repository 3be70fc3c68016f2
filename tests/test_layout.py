"""The house rules: every package is installed, and imports go one way."""

import ast
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = {"app": "dlcodegen", **{name: f"dlcodegen.{name}" for name in ("graph", "nodes", "prompts", "corpus")}}
# Who may import whom (design, "The house"): package -> packages it must not know.
FORBIDDEN = {
    # These two look at code as the ladder does; what finds samples does not.
    "dlcodegen.corpus.importing": ("dlcodegen.graph", "dlcodegen.nodes", "dlcodegen.cli", "dlcodegen.delivery"),
    "dlcodegen.corpus.verify": ("dlcodegen.graph", "dlcodegen.nodes", "dlcodegen.cli", "dlcodegen.delivery"),
    "dlcodegen.nodes": ("dlcodegen.graph", "dlcodegen.cli", "dlcodegen.nodes"),
    "dlcodegen.corpus": (
        "dlcodegen.graph",
        "dlcodegen.nodes",
        "dlcodegen.cli",
        "dlcodegen.delivery",
        "dlcodegen.execution",
    ),
    "dlcodegen.prompts": ("dlcodegen.graph", "dlcodegen.nodes", "dlcodegen.cli", "dlcodegen.corpus"),
    "dlcodegen.planner": (
        "dlcodegen.graph",
        "dlcodegen.nodes",
        "dlcodegen.cli",
        "dlcodegen.delivery",
        "dlcodegen.execution",
    ),
    "dlcodegen.writers": (
        "dlcodegen.graph",
        "dlcodegen.nodes",
        "dlcodegen.cli",
        "dlcodegen.delivery",
        "dlcodegen.planner",
    ),
    "dlcodegen.execution": (
        "dlcodegen.graph",
        "dlcodegen.nodes",
        "dlcodegen.cli",
        "dlcodegen.writers",
        "dlcodegen.planner",
    ),
    "dlcodegen.models": (
        "dlcodegen.graph",
        "dlcodegen.nodes",
        "dlcodegen.cli",
        "dlcodegen.writers",
        "dlcodegen.planner",
    ),
    "dlcodegen.delivery": ("dlcodegen.graph", "dlcodegen.nodes", "dlcodegen.cli", "dlcodegen.models"),
    "dlcodegen.graph": ("dlcodegen.cli",),
}


def modules() -> list[tuple[str, Path]]:
    """(dotted name, file) of every module that is installed."""
    found = []
    for folder, package in FOLDERS.items():
        for path in sorted((ROOT / folder).rglob("*.py")):
            inner = path.relative_to(ROOT / folder).with_suffix("").parts
            if inner[0] != "samples":
                found.append((".".join([package, *inner]).removesuffix(".__init__"), path))
    return found


def test_every_package_is_installed() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    have = {name for name, path in modules() if path.name == "__init__.py"}
    assert have == set(settings["packages"]) - {"dlcodegen.corpus.samples"}
    assert set(settings["package-dir"]) == set(settings["packages"])


@pytest.mark.parametrize(("name", "path"), modules(), ids=[name for name, _ in modules()])
def test_imports_go_one_way(name: str, path: Path) -> None:
    home = next((package for package in FORBIDDEN if f"{name}.".startswith(f"{package}.")), None)
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and home:
            barred = [other for other in FORBIDDEN[home] if node.module == other or node.module.startswith(f"{other}.")]
            assert not barred, f"{name} imports {node.module}"


@pytest.mark.parametrize(("name", "path"), modules(), ids=[name for name, _ in modules()])
def test_nothing_heavy_is_imported_at_the_top(name: str, path: Path) -> None:
    """Blocks and techniques are source text of what is generated, never imported; the graph needs LangGraph."""
    if name.startswith(("dlcodegen.writers.blocks.", "dlcodegen.corpus.techniques.")):
        return
    top = {
        alias.name.split(".")[0]
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.Import)
        for alias in node.names
    }
    top |= {
        (node.module or "").split(".")[0]
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.ImportFrom)
    }
    assert not top & {"torch", "numpy", "pandas", "chromadb", "transformers", "openai", "langchain", "keras"}
