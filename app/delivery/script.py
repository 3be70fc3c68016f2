"""What a generated script says about itself: its title, its data format, and how smoke mode differs from a real run."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from dlcodegen.syntax_tree import parse


@dataclass(frozen=True)
class Cap:
    """A Config field that smoke mode lowers."""

    name: str
    default: float
    smoke: float


@dataclass(frozen=True)
class ScriptNotes:
    """Read from the module docstring and from `Config.for_smoke`; empty where the script says nothing."""

    title: str = ""
    about: str = ""
    """What it does and why, between the title and the data format."""
    data_format: str = ""
    """The paragraph behind `Data (--data PATH):`."""
    smoke: str = ""
    """The docstring of `Config.for_smoke`."""
    caps: list[Cap] = field(default_factory=list)

    @property
    def needs_data(self) -> bool:
        """Whether a whole training reads data; an agent brings its environment."""
        return not self.data_format.lower().startswith("none is needed")


def read_script(code: str) -> ScriptNotes:
    """What the script says about itself. A script that is no Python says nothing."""
    try:
        tree = parse(code)
    except (SyntaxError, ValueError):  # ValueError: a null byte
        return ScriptNotes()
    description = ast.get_docstring(tree) or ""
    title, _, body = description.partition("\n")
    about = re.split(r"^(?:Data|Result) \(", body, maxsplit=1, flags=re.MULTILINE)[0]
    data = re.search(r"^Data \(--data PATH\):\s*(.+?)(?=^\s*$|^Result \(|\Z)", body, re.MULTILINE | re.DOTALL)
    config = next((node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "Config"), None)
    for_smoke = _for_smoke(config) if config else None
    return ScriptNotes(
        title=title.strip().rstrip("."),
        about=about.strip(),
        data_format=data[1].strip() if data else "",
        smoke=(ast.get_docstring(for_smoke) or "") if for_smoke else "",
        caps=list(_caps(config, for_smoke)) if config and for_smoke else [],
    )


def _for_smoke(config: ast.ClassDef) -> ast.FunctionDef | None:
    methods = (node for node in config.body if isinstance(node, ast.FunctionDef))
    return next((method for method in methods if method.name == "for_smoke"), None)


def _caps(config: ast.ClassDef, for_smoke: ast.FunctionDef) -> Iterator[Cap]:
    """Every `min(self.<field>, <number>)` that lies below the field's default."""
    defaults = dict(_defaults(config))
    for node in ast.walk(for_smoke):
        match node:
            case ast.Call(func=ast.Name(id="min"), args=[ast.Attribute(value=ast.Name(id="self"), attr=name), limit]):
                smoke = _highest(limit)
                if smoke is not None and name in defaults and smoke < defaults[name]:
                    yield Cap(name, defaults[name], smoke)


def _defaults(config: ast.ClassDef) -> Iterator[tuple[str, float]]:
    """Fields with a number as default."""
    for node in config.body:
        match node:
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.Constant(value=int() | float() as default)):
                yield name, default


def _highest(limit: ast.expr) -> float | None:
    """The number, or the larger one of `a if ... else b`."""
    match limit:
        case ast.Constant(value=int() | float() as number):
            return number
        case ast.IfExp(body=ast.Constant(value=int() as one), orelse=ast.Constant(value=int() as other)):
            return max(one, other)
    return None
