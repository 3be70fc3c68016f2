"""Source text of the model blocks, read from `blocks/*.py` by syntax tree and never imported."""

import ast
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from dlcodegen.corpus.techniques import FOLDER as _TECHNIQUES
from dlcodegen.syntax_tree import parse

_FOLDER = Path(__file__).parent / "blocks"
_IMPORTS = {"F": "from torch.nn import functional as F", "math": "import math"}


@cache
def block_classes(framework: str = "pytorch") -> dict[str, str]:
    """Every block's source by its class name, in the order of files and lines; those of Keras are in `keras_*.py`."""
    found = {}
    for path in sorted(_FOLDER.glob("*.py")):
        if path.name.startswith("keras_") != (framework == "keras"):
            continue
        text = path.read_text(encoding="utf-8")
        for node in parse(text).body:
            if isinstance(node, ast.ClassDef | ast.FunctionDef):
                found[node.name] = ast.get_source_segment(text, node) or ""
    return found


@cache
def technique_source(name: str) -> str:
    """The definitions in the file of a technique's ready part, without its imports, which every script has."""
    text = (_TECHNIQUES / f"{name}.py").read_text(encoding="utf-8")
    nodes = [node for node in parse(text).body if isinstance(node, ast.ClassDef | ast.FunctionDef)]
    return "\n\n\n".join(ast.get_source_segment(text, node) or "" for node in nodes) + "\n"


def used_names(code: str) -> list[str]:
    """The plain names that `code` reads, each once, in their order."""
    names = [node.id for node in ast.walk(parse(code)) if isinstance(node, ast.Name)]
    return list(dict.fromkeys(names))


def blocks_for(code: str, framework: str = "pytorch") -> list[str]:
    """Sources of the blocks that `code` uses, each behind the blocks that it needs itself."""
    ordered: dict[str, str] = {}
    sources = block_classes(framework)

    def add(names: Iterable[str]) -> None:
        for name in names:
            if name in sources and name not in ordered:
                source = sources[name]
                add(other for other in used_names(source) if other != name)
                ordered[name] = source

    add(used_names(code))
    return list(ordered.values())


def imports_for(code: str) -> tuple[str, ...]:
    """Import lines that `code` needs beyond `import torch` and `from torch import Tensor, nn`."""
    return tuple(line for name, line in _IMPORTS.items() if name in used_names(code))
