"""What the nodes of a syntax tree hold and name, and the words of a name."""

import ast
import re
from functools import lru_cache

_LONGEST_KEY = 40
_LONGEST_TERM = 3
"""Words of a name that are looked up together: `mean_average_precision`."""


@lru_cache(maxsize=4096)
def terms_in(name: str) -> tuple[str, ...]:
    """The words of a name, alone and joined with the next ones."""
    words = words_of(name)
    starts = range(len(words))
    return tuple(
        "_".join(words[start:end])
        for start in starts
        for end in range(start + 1, min(start + _LONGEST_TERM, len(words)) + 1)
    )


def words_of(name: str) -> list[str]:
    """The lower-case words of a name: `BCEDiceLoss` -> `bce`, `dice`, `loss`; `conv2d_1` -> `conv2d`, `1`."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name)
    return re.findall(r"[^\W_]+", spaced.lower())


_NO_NODES = (ast.expr_context, ast.operator, ast.unaryop, ast.cmpop, ast.boolop)


def children(node: ast.AST) -> list[ast.AST]:
    """What a node holds, in the order of its fields; operators are one object wherever they stand."""
    found: list[ast.AST] = []
    for name in node._fields:
        value = getattr(node, name, None)
        if isinstance(value, ast.AST):
            found.append(value)
        elif isinstance(value, list):
            found += [item for item in value if isinstance(item, ast.AST)]
    return [child for child in found if not isinstance(child, _NO_NODES)]


def keys_of(node: ast.AST) -> list[str]:
    """A string that is no prose: a key, a file name."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node.value] if len(node.value) <= _LONGEST_KEY and " " not in node.value else []
    return []


def names_of(node: ast.AST) -> list[str]:
    """What a node names."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name) | ast.arg(arg=name):
            return [name]
        case ast.ClassDef(name=name) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
            return [name]
        case ast.Import(names=aliases):
            return [alias.name for alias in aliases]
        case ast.ImportFrom(module=module, names=aliases):
            return [*(module or "").split("."), *(alias.name for alias in aliases)]
        case ast.keyword(arg=str(name)):
            return [name]
    return []


def arguments_of(node: ast.AST) -> list[str]:
    """What a call is told, with its name: `Conv2d(groups`, `mean(dim`; an axis by place is `mean(axis`."""
    if not isinstance(node, ast.Call):
        return []
    called = "".join(names_of(node.func))
    told = [keyword.arg for keyword in node.keywords if keyword.arg]
    if node.args and isinstance(node.args[0], ast.Constant | ast.Tuple | ast.UnaryOp):
        told.append("axis")
    return [f"{called}({name}" for name in told]
