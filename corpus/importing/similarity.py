"""Copies and near-copies among scripts: of what they do, not of how they are laid out or what they call things."""

import ast
from collections.abc import Iterator
from hashlib import blake2b, sha256
from heapq import nsmallest

from dlcodegen.syntax_tree import parse

NEAR_DUPLICATE = 0.95
"""Likeness from which on a script adds nothing to another one.

Scripts of one kind share most of what surrounds their models: two samples of the pool with different models reach 0.93.
"""

Sketch = tuple[int, ...]
_SHINGLE = 6
"""Steps in the syntax tree that are compared together: about a call with two arguments."""
_KEPT = 256
"""Hashes of a sketch: the share of a script that another one holds is told to about 3 percent."""


def fingerprint(code: str) -> str:
    """Equal for scripts that differ in comments, blank lines and formatting alone. Raises what `parse` raises."""
    digest = sha256()
    for node in _nodes(parse(code)):
        digest.update(f"{type(node).__name__}({','.join(_leaves(node))})".encode(errors="surrogatepass"))
    return digest.hexdigest()


def sketch(code: str) -> Sketch:
    """A script in up to 256 numbers, kept to compare it with thousands of others. Raises what `parse` raises.

    The smallest hashes of its shingles (Broder's bottom-k sketch). Names that the script gives itself, numbers and
    texts do not count: a copy with its variables renamed and another learning rate is a copy.
    """
    tree = parse(code)
    own = _own_names(tree)
    steps = [_step(node, own) for node in _nodes(tree) if not isinstance(node, ast.expr_context)]
    shingles = {" ".join(steps[start : start + _SHINGLE]) for start in range(max(1, len(steps) - _SHINGLE + 1))}
    return tuple(nsmallest(_KEPT, {_hash(shingle) for shingle in shingles}))


def likeness(a: str, b: str) -> float:
    """How much of two scripts is common, from 0 to 1. Raises what `parse` raises."""
    return likeness_of(sketch(a), sketch(b))


def likeness_of(a: Sketch, b: Sketch) -> float:
    """The share of common shingles among all of both, as their sketches tell it."""
    kept = min(_KEPT, len(set(a) | set(b)))
    smallest = nsmallest(kept, set(a) | set(b))
    common = set(a) & set(b)
    return sum(value in common for value in smallest) / max(1, kept)


def _nodes(tree: ast.Module) -> Iterator[ast.AST]:
    """Every node before what it holds, docstrings left out in none; no recursion, for trees are as deep as they like.

    A mark follows what a node holds: without it, `f(a)(b)` and `f(a, b)` would be the same.
    """
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, _End):
            waiting.append(_End())
            waiting += reversed(list(ast.iter_child_nodes(node)))


class _End(ast.AST):
    """The mark behind what a node holds."""


def _leaves(node: ast.AST) -> Iterator[str]:
    """What of a node is no node itself: names and constants, and which of its places hold anything."""
    for name, value in ast.iter_fields(node):
        if isinstance(value, list):
            plain = [repr(item) for item in value if not isinstance(item, ast.AST)]
            yield f"{name}[{len(value)}]{'.'.join(plain)}"
        elif not isinstance(value, ast.AST) and name != "kind":
            yield f"{name}={value!r}"


def _own_names(tree: ast.Module) -> frozenset[str]:
    """What the script defines, assigns or takes, `self.x` included; what it imports keeps its name."""
    own: set[str] = set()
    for node in _nodes(tree):
        match node:
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                own.add(name)
            case ast.arg(arg=name) | ast.Name(id=name, ctx=ast.Store()):
                own.add(name)
            case ast.Attribute(attr=name, value=ast.Name(id="self")):
                own.add(name)
    return frozenset(own)


def _step(node: ast.AST, own: frozenset[str]) -> str:
    match node:
        case _End():
            return ")"
        case ast.Name(id=name) | ast.Attribute(attr=name) | ast.keyword(arg=str(name)) | ast.alias(name=name):
            return type(node).__name__ if name in own else f"{type(node).__name__}:{name}"
        case ast.Constant(value=value):
            return type(value).__name__
    return type(node).__name__


def _hash(shingle: str) -> int:
    return int.from_bytes(blake2b(shingle.encode(errors="surrogatepass"), digest_size=8).digest(), "big")
