"""Which of the facts that the suite lists does the delivered code honour? Asked of the code, not of what we read."""

from collections.abc import Mapping
from typing import Any

from dlcodegen.evals.suite import Sentence
from dlcodegen.execution.conformance.table import conformance
from dlcodegen.execution.conformance.verdicts import worst
from dlcodegen.plan import Hyperparameters, SolutionPlan
from dlcodegen.report import Conformance, Fact


def judged_facts(sentence: Sentence, code: str, reported: list[Conformance]) -> dict[str, Conformance]:
    """Every stated fact -> its verdict with the evidence.

    The report's row counts where it is about the same value, for it has seen the code run; a row about another value,
    because the sentence was misread, says nothing. Then the code is read for what the sentence really states.
    """
    facts = [Fact(name=name, value=value, text="") for name, value in sentence.facts.items()]
    try:
        own = conformance(code, _as_plan(sentence), facts)
    except SyntaxError:
        own = [
            Conformance(name=name, expected=str(value), verdict="not found", evidence="it does not parse", line=None)
            for name, value in sentence.facts.items()
        ]
    ran = {(row["name"], row["expected"]): row for row in reported}
    rows = [ran.get((row["name"], row["expected"]), row) for row in own]
    return {name: worst([row for row in rows if row["name"] == name]) for name in sentence.facts}


def shows_category(sentence: Sentence, plan: Mapping[str, Any], code: str) -> bool:
    """The plan's category is the right one; where a method makes no plan, the code shows it."""
    if plan:
        return SolutionPlan.from_paper(dict(plan)).category == sentence.category
    try:
        rows = conformance(code, _as_plan(sentence), [])
    except SyntaxError:
        return False
    return any(row["name"] == "category" and row["verdict"] == "honoured" for row in rows)


def _as_plan(sentence: Sentence) -> SolutionPlan:
    """A plan that says what the sentence states; rows about its other fields are never looked at."""
    facts = sentence.facts
    return SolutionPlan(
        category=sentence.category,
        input="not stated",
        output="not stated",
        layers=[],
        hyperparameters=Hyperparameters(
            optimizer=str(facts.get("optimizer", "Adam")),
            loss_function=str(facts.get("loss", "cross-entropy")),
            learning_rate=float(str(facts.get("learning_rate", 0.001))),
            batch_size=int(str(facts.get("batch_size", 32))),
            epochs=int(str(facts.get("epochs", 10))),
            evaluation_metric="accuracy",
        ),
    )
