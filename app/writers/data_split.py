"""Stated shares of training, validation and test, put where a script of the pool deals out its examples."""

import ast
import re

from dlcodegen.syntax_tree import parse
from dlcodegen.writers.script_edit import Edit, apply

_USUAL, _USUAL_PARTS = 0.15, [70, 15, 15]
_SAID = re.compile(r"\b70/15/15\b")
_SAID_IN_PERCENT = re.compile(r"\(70%\)(.{1,20}?)\(15%\)(.{1,20}?)\(15%\)")
_IN_TIME = re.compile(r"round\(0\.7 \* len\((\w+)\)\), round\(0\.85 \* len\(\1\)\)")
_BY_SHARES = re.compile(r"\[0\.7, 0\.15, 0\.15\]")
_BY_TURNS = re.compile(r"(\w+)\[turn < 14\], \1\[\(turn >= 14\) & \(turn < 17\)\], \1\[turn >= 17\]")
_LIKE_CARDS = re.compile(r"\[1, 0, 0, 2, 0, 0, 0\]\)\[(.+?) % 20 % 7\]  # of 20 in a row: 14, 3 and 3")
_ROUND = 20
"""Examples of a class that are dealt out in a row."""


def set_split(code: str, stated: object) -> str:
    """The script that splits as stated, such as "80/10/10"; of "80/20" a half of the 20 more is for validation.

    A script that says its shares in another way stays as it is.
    """
    parts = [int(part) for part in re.findall(r"\d+", str(stated))]
    learnt_from = parts[0] if len(parts) == 2 else 0
    if learnt_from:
        parts = [parts[0] - parts[1] // 2, parts[1] // 2, parts[1]]
    if len(parts) != 3 or sum(parts) != 100 or min(parts) <= 0 or parts == _USUAL_PARTS:
        return code
    changed = _dealt_out(code, parts)
    changed = _held_out(code, *(part / 100 for part in parts[1:])) if changed == code else changed
    if changed == code:
        return code
    first, second, third = parts
    changed = _SAID.sub(f"{first}/{second}/{third}", changed)
    beside = f", with validation {learnt_from}%" if learnt_from else ""
    return _SAID_IN_PERCENT.sub(rf"({first}%{beside})\1({second}%)\2({third}%)", changed)


def _dealt_out(code: str, parts: list[int]) -> str:
    """Along time, by shares, or in turns of twenty, which take whole twentieths."""
    train, val, test = (part / 100 for part in parts)
    code = _IN_TIME.sub(rf"round({train:g} * len(\1)), round({train + val:g} * len(\1))", code)
    code = _BY_SHARES.sub(f"[{train:g}, {val:g}, {test:g}]", code)
    turns = [part * _ROUND // 100 for part in parts]
    if any(part * _ROUND % 100 for part in parts):
        return code
    first, second = turns[0], turns[0] + turns[1]
    code = _BY_TURNS.sub(rf"\1[turn < {first}], \1[(turn >= {first}) & (turn < {second})], \1[turn >= {second}]", code)
    return _LIKE_CARDS.sub(rf"{_hand(turns)})[\1 % {_ROUND}]", code)


def _hand(turns: list[int]) -> list[int]:
    """Which split each of twenty examples goes to, spread evenly; the small splits come early, for rare classes."""
    owed = [0.0, 0.9, 0.8]
    hand: list[int] = []
    for _ in range(_ROUND):
        owed = [credit + share / _ROUND for credit, share in zip(owed, turns, strict=True)]
        open_to = [split for split in range(3) if hand.count(split) < turns[split]]
        hand.append(max(open_to, key=lambda split: owed[split]))
        owed[hand[-1]] -= 1
    return hand


def _held_out(code: str, val: float, test: float) -> str:
    """`held_out = max(1, round(0.15 * len(rows)))`, which counts for validation and for test."""
    for function in (node for node in ast.walk(parse(code)) if isinstance(node, ast.FunctionDef)):
        found = next((node for node in ast.walk(function) if _is_share(node)), None)
        if isinstance(found, ast.Assign):
            return _with_shares(code, function, found, val, test)
    return code


def _is_share(node: ast.AST) -> bool:
    return isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "held_out" and bool(_shares(node.value))


def _shares(value: ast.expr) -> list[ast.Constant]:
    return [node for node in ast.walk(value) if isinstance(node, ast.Constant) and node.value == _USUAL]


def _with_shares(code: str, function: ast.FunctionDef, held_out: ast.Assign, val: float, test: float) -> str:
    """Where the two differ, every list of sizes or of cuts names both; a use of another kind leaves all as it is."""
    if val == test:
        return apply(code, [Edit(node, f"{val:g}") for node in _shares(held_out.value)])
    lists = [node for node in ast.walk(function) if isinstance(node, ast.List) and "held_out" in ast.unparse(node)]
    new = [(node, _sizes(ast.unparse(node))) for node in lists]
    used = sum(isinstance(node, ast.Name) and node.id == "held_out" for node in ast.walk(function)) - 1
    if used != sum(ast.unparse(node).count("held_out") for node, text in new if text):
        return code
    for_val, for_test = (re.sub(rf"\b{_USUAL}\b", f"{share:g}", ast.unparse(held_out.value)) for share in (val, test))
    whole = f"held_out = {for_val}\n{' ' * held_out.col_offset}tested = {for_test}"
    return apply(code, [Edit(held_out, whole), *(Edit(node, text) for node, text in new if text)])


def _sizes(written: str) -> str:
    """`[n - 2 * held_out, held_out, held_out]` or `[n - 2 * held_out, n - held_out]` with two sizes; "" for others."""
    if match := re.fullmatch(r"\[(.+) - 2 \* held_out, held_out, held_out\]", written):
        return f"[{match[1]} - held_out - tested, held_out, tested]"
    if match := re.fullmatch(r"\[(.+) - 2 \* held_out, \1 - held_out\]", written):
        return f"[{match[1]} - held_out - tested, {match[1]} - tested]"
    return ""
