"""The metrics of the plan, among those that the script reports."""

import ast
from collections.abc import Iterator, Sequence

from dlcodegen import vocabulary
from dlcodegen.execution.code_view import CodeView
from dlcodegen.execution.conformance.terms import KERAS_METRICS, metric_of, plain
from dlcodegen.execution.conformance.verdicts import honoured, judged
from dlcodegen.plan import SolutionPlan
from dlcodegen.report import Conformance, Fact

_REPORTING = ("compute_metrics", "evaluate", "test", "main")
_LONGEST_KEY = 40


def judge_metrics(view: CodeView, plan: SolutionPlan, facts: list[Fact]) -> list[Conformance]:
    """One row for each stated metric, else for the plan's.

    Contradicted when the script reports metrics, and none of the wanted ones.
    """
    wanted = _wanted(plan, facts)
    lines = [_line(view, name) for name in wanted]
    others = [] if any(lines) else list(_reported(view))
    rows = []
    for name, line in zip(wanted, lines, strict=True):
        if line is not None:
            rows.append(honoured(view, "metric", name, line))
        elif others:
            rows.append(judged("metric", name, "contradicted", view.text(others[0][1]), others[0][1]))
        else:
            rows.append(judged("metric", name, "not found", "the code does not report it"))
    return rows


def _wanted(plan: SolutionPlan, facts: list[Fact]) -> list[str]:
    """All stated metrics, else the plan's."""
    stated = next((fact["value"] for fact in facts if fact["name"] == "metric"), None)
    if isinstance(stated, list):
        return [str(name) for name in stated]
    term = vocabulary.find(vocabulary.METRICS, plan.hyperparameters.evaluation_metric)
    return [term.name if term else plan.hyperparameters.evaluation_metric]


def _line(view: CodeView, wanted: str) -> int | None:
    """The line of a key, or of a metric's class in Keras, that is this metric."""
    keys = [(text, line) for text, line in view.strings.items() if len(text) <= _LONGEST_KEY]
    exact = [line for text, line in keys if plain(text) == plain(wanted)]
    named = [line for text, line in keys if " " not in text and metric_of(text) == wanted]
    classes = [call.lineno for name, term in KERAS_METRICS.items() if term == wanted for call in view.calls_of(name)]
    return min(exact or named or classes, default=None)


def _reported(view: CodeView) -> Iterator[tuple[str, int]]:
    """Known metrics that the script reports: keys where it computes them, and what it passes as `metrics=`."""
    for node in view.tree.body:
        if isinstance(node, ast.FunctionDef) and node.name in _REPORTING:
            for inner in view.inside(node):
                if isinstance(inner, ast.Dict):
                    yield from _known(inner.keys)
    for call in view.calls_of("compile"):
        for item in call.keywords:
            if item.arg == "metrics":
                yield from _known(view.inside(item.value))


def _known(nodes: Sequence[ast.AST | None]) -> Iterator[tuple[str, int]]:
    for node in nodes:
        name = getattr(node, "value", None) if isinstance(node, ast.Constant) else getattr(node, "attr", None)
        if isinstance(name, str) and isinstance(node, ast.Constant | ast.Attribute) and metric_of(name):
            yield metric_of(name), node.lineno
