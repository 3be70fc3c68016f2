"""The loss that the model is trained with: by its names in the code, and by what the running script computes."""

import ast
import re
from collections.abc import Iterator

from dlcodegen import vocabulary
from dlcodegen.execution.code_view import CodeView
from dlcodegen.execution.conformance.names import words_of
from dlcodegen.execution.conformance.terms import SHORT_LOSSES, all_losses, loss_codes, plain
from dlcodegen.execution.conformance.verdicts import honoured, judged
from dlcodegen.report import Conformance, Seen

_CRITERIA = ("criterion", "loss_fn", "loss_function", "loss_func", "objective")
_SUM = re.compile(r"\s*(?:\+|&|,|\bplus\b|\band\b)\s*")


def judge_loss(view: CodeView, expected: str, seen: Seen) -> Conformance:
    """Honoured, contradicted or not found; a sum needs each of its parts, or a name that stands for the whole."""
    term = vocabulary.find(vocabulary.LOSSES, expected)
    if term is None:
        return _by_words(view, expected)
    parts = [part for text in _SUM.split(expected) if (part := _term(text)) is not None]
    computed = [name for name in seen.get("losses", []) if plain(name) in all_losses()]
    if len(parts) > 1:
        codes = loss_codes(term).union(*(loss_codes(part) for part in parts))
        return _contradicted_by_run(view, _sum(view, expected, term, parts), codes, computed)
    row = _single(view, expected, loss_codes(term))
    if row["verdict"] != "honoured" and computed and all(plain(name) in loss_codes(term) for name in computed):
        return judged("loss", expected, "honoured", _sentence(computed))
    return _contradicted_by_run(view, row, loss_codes(term), computed)


def _term(text: str) -> vocabulary.Term | None:
    return vocabulary.find(vocabulary.LOSSES, text) or vocabulary.find(vocabulary.LOSSES, f"{text} loss")


def _single(view: CodeView, expected: str, codes: frozenset[str]) -> Conformance:
    """What is used as the loss decides; where that is a class of the script's own, any loss that the code names."""
    used = dict(reversed([(name, line) for name, line in _used(view) if name in all_losses()])) or _named(view)
    line = min((line for name, line in used.items() if name in codes), default=None)
    if line is not None:
        return honoured(view, "loss", expected, line)
    if used:
        line = min(used.values())
        return judged("loss", expected, "contradicted", view.text(line), line)
    return judged("loss", expected, "not found", "no loss of a known name in the code")


def _sum(view: CodeView, expected: str, term: vocabulary.Term, parts: list[vocabulary.Term]) -> Conformance:
    named = _named(view)
    whole = [line for name, line in named.items() if name in {plain(code) for code in term.code} and "+" in term.name]
    found = [min((line for name, line in named.items() if name in loss_codes(part)), default=None) for part in parts]
    lines = [line for line in found if line is not None]
    spoken = [line is not None or _is_spoken_of(view, part) for part, line in zip(parts, found, strict=True)]
    if whole or (lines and all(spoken)):
        return honoured(view, "loss", expected, (whole or lines)[0])
    if lines:
        missing = next(part.name for part, there in zip(parts, spoken, strict=True) if not there)
        return judged("loss", expected, "not found", f"no {missing} in the code")
    return _single(view, expected, frozenset())


def _named(view: CodeView) -> dict[str, int]:
    """Every loss that the code names anywhere -> its line; short names are those of metrics, too."""
    return {name: line for name, line in view.plain_names.items() if name in all_losses() - SHORT_LOSSES}


def _used(view: CodeView) -> Iterator[tuple[str, int]]:
    """Names in what `build_loss` returns, in `compile(loss=...)`, and in what is assigned to a criterion."""
    build = view.function("build_loss")
    returned = [node.value for node in view.inside(build) if isinstance(node, ast.Return)] if build else []
    passed = [item.value for call in view.calls_of("compile") for item in call.keywords if item.arg == "loss"]
    assigned = [
        node.value
        for node in view.nodes
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id in _CRITERIA
    ]
    for value in (*returned, *passed, *assigned):
        for node in view.inside(value) if value else ():
            name = getattr(node, "attr", getattr(node, "id", getattr(node, "value", None)))
            if isinstance(node, ast.Attribute | ast.Name | ast.Constant) and isinstance(name, str):
                yield plain(name), node.lineno


def _is_spoken_of(view: CodeView, part: vocabulary.Term) -> bool:
    """Whether a loss of the script's own says that it has this part: a formula bears no name."""
    for node in view.tree.body:
        if isinstance(node, ast.ClassDef) and "loss" in words_of(node.name):
            text = ast.get_docstring(node) or ""
            if part.search(text):
                return True
    return False


def _by_words(view: CodeView, expected: str) -> Conformance:
    """A loss that is in no list: its words, joined or not, as names."""
    words = [word for word in re.split(r"[\W_]+", expected) if len(word) > 2]
    line = view.first_name("".join(words), f"{''.join(words)}Loss", *words)
    if line is None:
        return judged("loss", expected, "not found", "nothing in the code bears this name")
    return honoured(view, "loss", expected, line)


def _contradicted_by_run(view: CodeView, row: Conformance, codes: frozenset[str], computed: list[str]) -> Conformance:
    """A loss that the code only names is not what is computed; one of the script's own may use others inside."""
    defined = {plain(node.name) for node in view.nodes if isinstance(node, ast.ClassDef | ast.FunctionDef)}
    if (
        row["verdict"] != "honoured"
        or not computed
        or defined & codes
        or any(plain(name) in codes for name in computed)
    ):
        return row
    return judged("loss", row["expected"], "contradicted", _sentence(computed))


def _sentence(computed: list[str]) -> str:
    return f"the running script computes {' and '.join(computed[:3])}"
