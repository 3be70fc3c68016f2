"""A trial that is too much for this computer, made smaller; what the project is trained with stays as it was asked for.

Better than another script: whoever states images of 384 pixels wants them, even if a smoke run of these takes minutes.
"""

import ast

from dlcodegen.report import Candidate
from dlcodegen.syntax_tree import config_defaults, parse
from dlcodegen.writers.script_edit import Edit, apply
from dlcodegen.writers.tidy import tidy

_STOPPED = ("timeout", "out of memory", "MemoryError")
_NO_MEMORY = "can't allocate memory"
"""What PyTorch raises a RuntimeError with."""
_CAPS = {
    "image_height": 96, "image_width": 96, "sequence_length": 64, "window": 96,
    "num_layers": 2, "batch_size": 16, "epochs": 2,
}  # fmt: skip
"""Config field -> the most of it in a smaller trial."""
_MARK = "too much at the sizes above"
_WHY = "config: a smaller trial - it took too much time or memory"


def lighter(failed: Candidate) -> Candidate | None:
    """The candidate with a smaller trial, to be checked anew; None where that is not what it lacks."""
    error = failed["report"]["error"] if failed["report"] else None
    if error is None or (error["exception"] not in _STOPPED and _NO_MEMORY not in error["message"]):
        return None
    code = with_lighter_trial(failed["code"])
    if code == failed["code"]:
        return None
    return {**failed, "code": code, "origin": [*failed["origin"], _WHY], "report": None}


def with_lighter_trial(code: str) -> str:
    """The script whose `Config.for_smoke` caps more; unchanged where it has none, or does so already.

    Raises SyntaxError when the code does not parse.
    """
    tree = parse(code)
    methods = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name == "for_smoke")
    last = next((method.body[-1] for method in methods), None)
    if not isinstance(last, ast.Return) or last.value is None or "import dataclasses" not in code or _MARK in code:
        return code
    caps = {name: cap for name, cap in _CAPS.items() if name in config_defaults(tree)}
    indent = " " * last.col_offset
    lines = (
        f"trial = {ast.get_source_segment(code, last.value)}",
        f"caps = {caps!r}  # {_MARK}",
        "return dataclasses.replace(trial, **{name: min(getattr(trial, name), cap) for name, cap in caps.items()})",
    )
    return tidy(apply(code, [Edit(last, f"\n{indent}".join(lines))]))
