"""`bench derivation`: the plan derived from each sample's code against the sample's true plan, field by field."""

import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from math import isclose

from dlcodegen import vocabulary
from dlcodegen.corpus.importing.derive import Derivation, derive
from dlcodegen.corpus.sample import Sample, all_samples
from dlcodegen.evals.journal import Row
from dlcodegen.execution.conformance.layer_names import ACTIVATIONS
from dlcodegen.execution.conformance.table import conformance
from dlcodegen.execution.conformance.wanted import read_layer
from dlcodegen.plan import SolutionPlan, layer_call, layer_name

EXACT = ("category", "optimizer", "loss", "learning_rate", "batch_size", "epochs", "metric")
_LayerKey = tuple[str, tuple[tuple[str, object], ...]]


def steps() -> Iterator[tuple[str, Callable[[], Row]]]:
    """Key of each measurement, and what makes it."""
    for sample in all_samples().values():
        yield f"derive / {sample.id}", partial(measure, sample)


def measure(sample: Sample) -> Row:
    """Which fields are right, and how many layers were derived, are true, and are both."""
    started = time.perf_counter()
    derived = derive(sample.code)
    milliseconds = round(1000 * (time.perf_counter() - started), 1)
    own, true = _layers(derived.plan), _layers(sample.plan)
    kinds = Counter(kind for kind, _ in own.elements()), Counter(kind for kind, _ in true.elements())
    return {
        "sample": sample.id,
        **_right(derived.plan, sample.plan),
        "derived": own.total(),
        "true": true.total(),
        "common": (own & true).total(),
        "common_kinds": (kinds[0] & kinds[1]).total(),
        "contradicted": _contradicted(sample, derived),
        "ms": milliseconds,
    }


def summary(rows: list[Row]) -> list[Row]:
    """Share of samples whose field is right; precision and recall of layers over all of them; rows contradicted."""
    count = len(rows)
    right: list[Row] = [
        {"field": name, "right": sum(row[name] for row in rows), "of": count, "share": _share(rows, name)}
        for name in EXACT
    ]
    derived, true = (sum(row[name] for row in rows) for name in ("derived", "true"))
    for title, name in (("layers", "common"), ("kinds of layers", "common_kinds")):
        common = sum(row[name] for row in rows)
        right.append({"field": f"{title}, precision", "right": common, "of": derived, "share": common / derived})
        right.append({"field": f"{title}, recall", "right": common, "of": true, "share": common / true})
    contradicted = sum(bool(row["contradicted"]) for row in rows)
    right.append({"field": "plans that their code contradicts", "right": contradicted, "of": count})
    right.append({"field": "median ms", "right": statistics.median(row["ms"] for row in rows), "of": count})
    return right


def _share(rows: list[Row], name: str) -> float:
    return float(sum(row[name] for row in rows) / len(rows))


def _right(derived: SolutionPlan, true: SolutionPlan) -> dict[str, bool]:
    own, wanted = derived.hyperparameters, true.hyperparameters
    return {
        "category": derived.category == true.category,
        "optimizer": layer_name(own.optimizer) == layer_name(wanted.optimizer),
        "loss": _same_loss(own.loss_function, wanted.loss_function),
        "learning_rate": isclose(own.learning_rate, wanted.learning_rate),
        "batch_size": own.batch_size == wanted.batch_size,
        "epochs": own.epochs == wanted.epochs,
        "metric": _term(vocabulary.METRICS, own.evaluation_metric)
        == _term(vocabulary.METRICS, wanted.evaluation_metric),
    }


def _same_loss(own: str, wanted: str) -> bool:
    """The family of the loss, or of one of its parts where it is a sum; Huber and smooth L1 are one family."""
    a, b = ({name for part in [text, *text.split(" + ")] for name in _family(part)} for text in (own, wanted))
    return bool(a & b)


def _family(text: str) -> tuple[str, ...]:
    name = _term(vocabulary.LOSSES, text)
    term = vocabulary.term(vocabulary.LOSSES, name)
    return (name, *term.code) if term else (name.removesuffix("_loss"),)


def _term(table: tuple[vocabulary.Term, ...], text: str) -> str:
    words = text.replace("_", " ")
    found = vocabulary.find(table, words) or vocabulary.find(table, f"{words} loss")
    return found.name if found else text.lower().replace(" ", "_")


def _layers(plan: SolutionPlan) -> Counter[_LayerKey]:
    """Kind and compared numbers of each layer; `Dense(64, activation='relu')` is a layer and its activation."""
    found: Counter[_LayerKey] = Counter()
    for text in plan.layers:
        wanted = read_layer(text)
        loose = {str(place): value for place, value in enumerate(wanted.loose)}
        found[wanted.kind, tuple(sorted((wanted.numbers | wanted.named | loose).items()))] += 1
        call = layer_call(text)
        for item in call.keywords if call else []:
            activation = getattr(item.value, "value", None)
            if item.arg == "activation" and activation in ACTIVATIONS:
                found[str(activation), ()] += 1
    return found


def _contradicted(sample: Sample, derived: Derivation) -> list[str]:
    """What of the derived plan the code itself contradicts, as a generated script would be judged."""
    rows = conformance(sample.code, derived.plan, [])
    return [f"{row['name']}: {row['expected']}" for row in rows if row["verdict"] == "contradicted"]
