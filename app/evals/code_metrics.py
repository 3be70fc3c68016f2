"""The columns of `dlcodegen.evals.code_scores`, computed in a process of its own: texts on stdin, scores on stdout.

Its own process because the dataflow part of CodeBLEU depends on the order of Python's sets: only with a fixed hash seed
are two runs alike. Code is parsed here, never executed.
"""

import ast
import io
import json
import logging
import re
import sys
import tokenize
from collections.abc import Sequence

_FENCE = re.compile(r"^\s*```\w*\s*$", re.MULTILINE)
_NOTEBOOK_COMMAND = re.compile(r"^(\s*)[!%].*$", re.MULTILINE)
_COMMENT = re.compile(r"#.*$", re.MULTILINE)
_LONGEST_LINE = 210
_NO_PYTHON = (SyntaxError, ValueError, RecursionError, MemoryError)
_LAYOUT = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENDMARKER,
}


def metrics(references: Sequence[str], codes: Sequence[str]) -> dict[str, float]:
    """The scores of these codes, one for each reference, both already cleaned."""
    from codebleu import calc_codebleu

    found = calc_codebleu(
        [[reference] for reference in references], [code or "pass" for code in codes], "python", tokenizer=words
    )
    shares = {
        "ngram": found["ngram_match_score"],
        "w-ngram": found["weighted_ngram_match_score"],
        "syntax": found["syntax_match_score"],
        "dataflow": found["dataflow_match_score"],
        "CodeBLEU": found["codebleu"],
        "parses": sum(map(_parses, codes)) / len(codes),
        "names": sum(map(_names_are_defined, codes)) / len(codes),
    }
    return {name: 100 * share for name, share in shares.items()} | {
        "lines": sum(code.count("\n") for code in codes) / len(codes)
    }


def clean(code: str) -> str:
    """Without what costs or gains nobody anything: fences, comments, docstrings, layout; what is no Python stays."""
    import black
    from black.parsing import InvalidInput

    text = _NOTEBOOK_COMMAND.sub(r"\1pass", _FENCE.sub("", code))
    try:
        tree = ast.parse(text)
        _drop_docstrings(tree)
        return black.format_str(ast.unparse(tree), mode=black.Mode(line_length=_LONGEST_LINE))
    except (*_NO_PYTHON, InvalidInput):
        return _COMMENT.sub("", text)


def words(code: str) -> list[str]:
    """Python's tokens; of what is no Python, words and signs."""
    try:
        found = list(tokenize.generate_tokens(io.StringIO(code).readline))
    except (tokenize.TokenError, SyntaxError):
        return re.findall(r"\w+|[^\w\s]", code)
    return [token.string for token in found if token.type not in _LAYOUT]


def _drop_docstrings(tree: ast.Module) -> None:
    """A text that opens any block goes, be it a function's or an `if`'s."""
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(node, ast.AST) and isinstance(body, list) and body and _is_text(body[0]):
            body[:] = body[1:] or [ast.Pass()]


def _is_text(statement: ast.stmt) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


def _parses(code: str) -> bool:
    try:
        ast.parse(code)
    except _NO_PYTHON:
        return False
    return True


def _names_are_defined(code: str) -> bool:
    """It parses, pyflakes finds no undefined name, and no `import *` keeps it from looking for some."""
    from pyflakes.checker import Checker
    from pyflakes.messages import ImportStarUsed, UndefinedExport, UndefinedName

    try:
        found = Checker(ast.parse(code)).messages
    except _NO_PYTHON:
        return False
    return not any(isinstance(message, ImportStarUsed | UndefinedExport | UndefinedName) for message in found)


def main() -> None:
    logging.disable(logging.WARNING)  # codebleu says for each code without dataflow that it has none
    given = json.load(sys.stdin)
    references, codes = ([clean(text) for text in given[name]] for name in ("references", "codes"))
    json.dump(metrics(references, codes), sys.stdout)


if __name__ == "__main__":
    main()
