"""A sample of the pool: a script that runs, and the plan that is true of it."""

import ast
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from inspect import cleandoc
from pathlib import Path
from typing import Any

from dlcodegen.plan import SolutionPlan
from dlcodegen.syntax_tree import config_defaults, parse

_LONGEST_TITLE = 200
_DOCSTRING = re.compile(r'"""((?:[^"\\]|"(?!""))*)"""\n')
"""At the beginning of a script, without escapes."""
SAMPLES_FOLDER = Path(__file__).parent / "samples"


@dataclass(frozen=True)
class Sample:
    """One sample. `id` is `<category>/<slug>`, its folder's place in the pool."""

    id: str
    code: str
    plan: SolutionPlan
    licence: str = "Apache-2.0"
    source: str = ""
    """Where it was taken from; empty for those that are ours."""
    by_contract: bool = True
    """Whether it has the named parts of the project contract: only then can the syntax writer work on it."""
    known: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)
    """`title`, `framework`, `config` and `sketch` where they are stored: to read them from code takes milliseconds."""

    @property
    def category(self) -> str:
        return self.id.split("/", maxsplit=1)[0]

    @cached_property
    def framework(self) -> str:
        """`keras` when the script imports it (or TensorFlow, which brings it), else `pytorch`."""
        if "framework" in self.known:
            return str(self.known["framework"])
        return "keras" if {"keras", "tensorflow"} & _imported(self.tree) else "pytorch"

    @cached_property
    def tree(self) -> ast.Module:
        return parse(self.code)

    @cached_property
    def description(self) -> str:
        """The script's docstring; its first line is the title. A plain one is read without parsing."""
        plain = _DOCSTRING.match(self.code)
        return cleandoc(plain.group(1)) if plain else ast.get_docstring(self.tree) or ""

    @property
    def title(self) -> str:
        """The first line of what it says of itself; code of others may say nothing: then where it comes from."""
        if "title" in self.known:
            return str(self.known["title"])
        line = self.description.split("\n", maxsplit=1)[0].rstrip(".") or self.source
        return line.encode(errors="replace").decode()[:_LONGEST_TITLE]  # half a character fits into no file

    @cached_property
    def config(self) -> dict[str, str | int | float | bool]:
        """What can be set in this script: its Config fields and their defaults."""
        if "config" in self.known:
            return dict(self.known["config"])
        return {name: ast.literal_eval(node) for name, node in config_defaults(self.tree).items()}

    @cached_property
    def sketch(self) -> tuple[int, ...]:
        """What near-duplicates are told by (`dlcodegen.corpus.importing.similarity`)."""
        from dlcodegen.corpus.importing.similarity import sketch

        return tuple(self.known["sketch"]) if "sketch" in self.known else sketch(self.code)


def _imported(tree: ast.Module) -> set[str]:
    """Top-level packages that the script imports."""
    nodes = list(ast.walk(tree))
    whole = (alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names)
    parts = (node.module or "" for node in nodes if isinstance(node, ast.ImportFrom))
    return {name.partition(".")[0] for name in (*whole, *parts)}


def read_sample(folder: Path) -> Sample:
    """The sample in `folder` (`<category>/<slug>`). Raises InputError when its plan is not complete."""
    return Sample(
        id=f"{folder.parent.name}/{folder.name}",
        code=(folder / "code.py").read_text(encoding="utf-8"),
        plan=SolutionPlan.from_paper(json.loads((folder / "plan.json").read_text(encoding="utf-8"))),
    )


@lru_cache(maxsize=1)
def all_samples() -> dict[str, Sample]:
    """Every sample of the pool by id, in a fixed order."""
    folders = sorted(path.parent for path in SAMPLES_FOLDER.glob("*/*/plan.json"))
    return {sample.id: sample for sample in map(read_sample, folders)}
