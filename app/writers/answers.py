"""The code in a chat model's answer, however it is wrapped.

Models are asked for one fenced block and give prose, thoughts, several blocks, no fence, or half a script. Reading is
lenient; judging is not done here: an answer without code gives the empty string, and the ladder's parse rung says so.
"""

import ast
import re
import textwrap

from dlcodegen.syntax_tree import parse

_THOUGHT = re.compile(r"^[ \t]*<think(?:ing)?>.*?(?:</think(?:ing)?>|\Z)", re.DOTALL | re.MULTILINE)
_THOUGHT_WITHOUT_START = re.compile(r"\A.*?</think(?:ing)?>[ \t]*$", re.DOTALL | re.MULTILINE)
_OPENING = re.compile(r"(?:^|\s)(?P<fence>`{3,}|~{3,})[ \t]*\{?\.?(?P<language>[\w+#-]*)[^\n`]*$")
_PYTHON = ("", "py", "python", "python3", "python2", "py3")
_FIRST_LINE_OF_CODE = re.compile(r"import [\w.]+|from [\w.]+ import |\"\"\"|'''|#!|@\w|class \w+|def \w+\(")
_SLOT = re.compile(r"\{\{\s*(\w+)\s*\}\}")
_IMPORTS = (ast.Import, ast.ImportFrom)
DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_NO_PYTHON = (SyntaxError, ValueError, RecursionError, MemoryError)  # null bytes; nested thousands of levels deep
_GUARD = 'if __name__ == "__main__":\n    main()\n'


def code_of(answer: str) -> str:
    """The Python script in an answer: the longest block that parses, else the longest; "" when there is none.

    Blocks that only together make a script with a `main` are joined. Of a script that breaks off after its `main`,
    the broken last statement is dropped; text after a script without fences goes the same way.
    """
    text = without_thoughts(answer.replace("\r\n", "\n").replace("\r", "\n").lstrip("\ufeff"))
    candidates = [code for code in map(_tidy, _candidates(text)) if code]
    whole = [code for code in candidates if parses(code)]
    return max(whole or candidates, key=len, default="")


def parses(code: str) -> bool:
    """Whether it is Python; a slot of a template counts as a name."""
    return tree_of(code) is not None


def tree_of(code: str) -> ast.Module | None:
    """The syntax tree, or None when it is no Python; a slot of a template counts as a name."""
    try:
        return parse(_named(code))
    except _NO_PYTHON:
        return None


def defines_main(tree: ast.Module) -> bool:
    return any(isinstance(node, ast.FunctionDef) and node.name == "main" for node in tree.body)


def without_thoughts(text: str) -> str:
    """Without `<think>` parts. Some servers swallow the opening tag; an answer cut off lacks the closing one."""
    return _THOUGHT_WITHOUT_START.sub("", _THOUGHT.sub("", text))


def _candidates(text: str) -> list[str]:
    """Every piece of the answer that may be the script."""
    blocks = _blocks(text)
    if not blocks:
        return [_from_first_line_of_code(text)]
    python = [code for language, code in blocks if language.lower() in _PYTHON] or [code for _, code in blocks]
    if _are_parts(python):
        return ["\n\n\n".join(block.strip("\n") for block in python)]
    outermost = _outermost(text)
    return [outermost] if _is_script(outermost) and not any(map(_is_script, python)) else python


def _are_parts(blocks: list[str]) -> bool:
    """Whether it is one script in pieces: each has imports or definitions, none twice, and `main` comes last."""
    trees = [tree for tree in map(tree_of, blocks) if tree is not None]
    parts = [[node for node in tree.body if isinstance(node, DEFINITIONS + _IMPORTS)] for tree in trees]
    names = [node.name for part in parts for node in part if isinstance(node, DEFINITIONS)]
    complete = len(parts) == len(blocks) and all(parts) and len(set(names)) == len(names)
    return complete and len(parts) > 1 and defines_main(trees[-1])


def _blocks(text: str) -> list[tuple[str, str]]:
    """(language, code) of each fenced block; the last one may lack its closing fence."""
    blocks: list[tuple[str, str]] = []
    fence, language, lines = "", "", list[str]()
    for line in text.split("\n"):
        if not fence and (opening := _OPENING.search(line)):
            fence, language, lines = opening["fence"], opening["language"], []
        elif fence and re.fullmatch(rf"\s*{fence[0]}{{{len(fence)},}}\s*", line):
            blocks.append((language, "\n".join(lines)))
            fence = ""
        elif fence:
            lines.append(line)
    if fence:
        blocks.append((language, "\n".join(lines)))
    return blocks


def _outermost(text: str) -> str:
    """From the first fence to the last: a script whose docstring holds a fenced block of its own."""
    lines = text.split("\n")
    fences = [number for number, line in enumerate(lines) if re.search(r"(?:^|\s)(?:`{3,}|~{3,})", line)]
    return "\n".join(lines[fences[0] + 1 : fences[-1]])


def _from_first_line_of_code(text: str) -> str:
    lines = text.split("\n")
    starts = (number for number, line in enumerate(lines) if _FIRST_LINE_OF_CODE.match(line.lstrip()))
    return "\n".join(lines[next(starts, len(lines)) :])


def _tidy(block: str) -> str:
    """The block without a stray language line, common indentation and a broken end."""
    code = textwrap.dedent(block).strip("\n")
    first, _, rest = code.partition("\n")
    if first.strip().lower() in _PYTHON:
        code = rest.lstrip("\n")
    code = code.rstrip()
    return _without_broken_end(code) + "\n" if code else ""


def _without_broken_end(code: str) -> str:
    """The statements before the one that does not parse, if they define `main`; else the code as it is."""
    lines = code.split("\n")
    for end in range(_broken_line(code) - 1, 0, -1):
        starts_statement = re.match(r"[^\s)\]}#]", lines[end])
        kept = "\n".join(lines[:end]).rstrip()
        if starts_statement and (tree := tree_of(kept)) is not None:
            return _with_guard(kept) if defines_main(tree) else code
    return code


def _broken_line(code: str) -> int:
    """The line (from 1) that the parser stops at; 0 when it does not stop or names none."""
    try:
        parse(_named(code))
    except SyntaxError as error:
        return min(error.lineno or 0, code.count("\n") + 1)
    except _NO_PYTHON:
        return 0
    return 0


def _with_guard(code: str) -> str:
    """With the call of `main`, should it have been in the part that is lost."""
    return code if "__main__" in code else f"{code}\n\n\n{_GUARD.rstrip()}"


def _named(code: str) -> str:
    return _SLOT.sub(r"\1", code)


def _is_script(code: str) -> bool:
    tree = tree_of(code)
    return tree is not None and defines_main(tree)
