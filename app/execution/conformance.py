"""What became of the plan in the code: each field and each stated fact honoured, contradicted or not found."""

from dlcodegen import vocabulary
from dlcodegen.execution.code_view import CodeView, Found, Value
from dlcodegen.execution.fact_judges import judge_fact
from dlcodegen.execution.judging import compare, equal, honoured, judged
from dlcodegen.execution.layer_names import LAYER_CODE
from dlcodegen.plan import SolutionPlan, layer_call, layer_name
from dlcodegen.report import Conformance, Fact


def conformance(code: str, plan: SolutionPlan, facts: list[Fact]) -> list[Conformance]:
    """One row for each field of the plan that code can show, then one for each stated fact that has none yet.

    By syntax tree alone, nothing is executed. Raises SyntaxError when the code does not parse.
    """
    view = CodeView(code)
    hyper = plan.hyperparameters
    rows = [
        _number(view, "learning_rate", hyper.learning_rate, "lr"),
        _number(view, "batch_size", hyper.batch_size, "batch_size"),
        _number(view, "epochs", hyper.epochs, "epochs"),
        _optimizer(view, hyper.optimizer),
        _loss(view, hyper.loss_function),
        *(_metric(view, name) for name in _metric_names(plan, facts)),
        *(_layer(view, layer) for layer in plan.layers),
    ]
    covered = {row["name"] for row in rows}
    return rows + [judge_fact(view, fact) for fact in facts if fact["name"] not in covered]


def _number(view: CodeView, name: str, expected: Value, keyword: str) -> Conformance:
    """A Config field, else a keyword argument."""
    field = view.config.get(name)
    passed = [found for found in view.keyword(keyword) if found.value is not None]
    return compare(view, name, expected, [field] if field else passed)


def _optimizer(view: CodeView, expected: str) -> Conformance:
    """The class that is built, and each argument that the plan sets."""
    term = vocabulary.find(vocabulary.OPTIMIZERS, expected)
    known = {name for entry in vocabulary.OPTIMIZERS for name in entry.code}
    used = [Found(name, call.lineno) for name, call in view.calls if name in known]
    verdict = compare(view, "optimizer", term.code[0] if term else layer_name(expected), used)
    call = layer_call(expected)
    if verdict["verdict"] != "honoured" or call is None:
        return verdict
    verdict["expected"] = expected
    for keyword in call.keywords:
        values = [found.value for found in view.keyword(str(keyword.arg))]
        if not any(equal(value, view.literal(keyword.value)) for value in values):
            return judged("optimizer", expected, "contradicted", verdict["evidence"], verdict["line"])
    return verdict


def _loss(view: CodeView, expected: str) -> Conformance:
    term = vocabulary.find(vocabulary.LOSSES, expected)
    if term is None:
        words = [word for word in expected.replace("-", " ").split() if len(word) > 2]
        line = view.first_name(*words, "".join(words), f"{''.join(words)}Loss")
        if line is None:
            return judged("loss", expected, "not found", "nothing in the code bears this name")
        return honoured(view, "loss", expected, line)
    line = view.first_name(*_loss_codes(term))
    if line is not None:
        return honoured(view, "loss", term.name, line)
    others = (name for other in vocabulary.LOSSES for name in _loss_codes(other))
    line = view.first_name(*others)
    if line is not None:
        return judged("loss", term.name, "contradicted", view.text(line), line)
    return judged("loss", term.name, "not found", "no such loss in the code")


def _loss_codes(term: vocabulary.Term) -> tuple[str, ...]:
    """Names that show a loss; for two classes, cross-entropy and its binary form are the same thing."""
    if term.name in ("binary cross-entropy", "cross-entropy"):
        return (*term.code, *vocabulary.BINARY_CROSS_ENTROPY_CODE)
    return term.code


def _metric_names(plan: SolutionPlan, facts: list[Fact]) -> list[str]:
    """All stated metrics, else the plan's."""
    stated = next((fact["value"] for fact in facts if fact["name"] == "metric"), None)
    if isinstance(stated, list):
        return [str(name) for name in stated]
    term = vocabulary.find(vocabulary.METRICS, plan.hyperparameters.evaluation_metric)
    return [term.name if term else plan.hyperparameters.evaluation_metric]


def _metric(view: CodeView, name: str) -> Conformance:
    """A key of the metrics that the code reports."""
    wanted = _plain(name)
    line = next((line for text, line in view.strings.items() if _plain(text) == wanted), None)
    if line is None:
        return judged("metric", name, "not found", "the code does not report it")
    return honoured(view, "metric", name, line)


def _plain(text: str) -> str:
    return text.lower().replace("_", "").replace(" ", "").replace("-", "")


def _layer(view: CodeView, layer: str) -> Conformance:
    """The layer's class is used; among its uses, one with the layer's first number is the best evidence."""
    codes = LAYER_CODE.get(layer_name(layer).lower(), (layer_name(layer),))
    uses = [call for callee, call in view.calls if callee in codes]
    line = uses[0].lineno if uses else view.first_name(*codes)
    if line is None:
        return judged("layer", layer, "not found", f"no {' or '.join(codes)} in the code")
    call = layer_call(layer)
    width = view.literal(call.args[0]) if call and call.args else None
    for use in uses:
        values = [view.literal(argument) for argument in (*use.args, *(keyword.value for keyword in use.keywords))]
        if width is not None and width in values:
            return honoured(view, "layer", layer, use.lineno)
    return honoured(view, "layer", layer, line)
