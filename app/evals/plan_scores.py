"""How good predicted solution plans are: the twelve columns of the published table, by the same definitions.

Drifted spellings and a missing brace cost no system anything, for all are read by the same tolerant reader; `valid`
alone is strict. A reference without a prediction meets an empty plan.
"""

import importlib.util
import json
import re
from collections.abc import Callable, Sequence
from statistics import fmean
from typing import Any, NamedTuple

from dlcodegen.errors import InputError, SettingsError
from dlcodegen.evals.plan_files import FIELDS, NO_PLAN, Plans, ReadPlan

LOWER_IS_BETTER = frozenset({"layers", "lr", "batch", "epochs"})
"""Columns that hold distances; of all others more is better."""
_DECIMALS = 2
"""What is printed; systems that print alike are equally good."""
_LR_DECIMALS = 4
"""Of learning rates, where whole systems lie within a hundredth."""
_MOST_LR = 1.0
_MOST_COUNT = 1000.0
"""A number that is absent, or further away than this, counts as this far away."""
_LOSSES = {"mse": "meansquarederror", "mae": "meanabsoluteerror", "bce": "binarycrossentropy"}
_Pairs = Sequence[tuple[ReadPlan, ReadPlan]]
"""What was predicted, and the reference plan."""


class PlanScores(NamedTuple):
    """One row of the table: a system's plans compared with the reference plans."""

    valid: float
    """% that are JSON and complete."""
    BLEU: float
    """Corpus BLEU of the plans in one canonical form."""
    category: float
    """% right, as are `loss`, `optimizer` (its name alone) and `metric` (each of several, in any order)."""
    input: float
    """Mean sentence BLEU, as is `output`."""
    output: float
    layers: float
    """Mean edit distance between the sequences of layer names."""
    lr: float
    """Mean distance, as are `batch` and `epochs`."""
    loss: float
    optimizer: float
    batch: float
    epochs: float
    metric: float


def score(references: Plans, predictions: Plans) -> PlanScores:
    """Raises InputError when no prediction is for one of the references, or when these state no number to compare.

    Raises SettingsError when the extra `eval` is not installed.
    """
    check_extra()
    if not references.by_id.keys() & predictions.by_id.keys():
        there, here = (next((repr(key) for key in plans.by_id), "none") for plans in (references, predictions))
        raise InputError(
            f"{predictions.source} has no id of {references.source} (first ids: {here} and {there}): "
            "give predictions for these references"
        )
    pairs = [(predictions.by_id.get(key, NO_PLAN), plan) for key, plan in references.by_id.items()]
    return PlanScores(
        valid=100 * fmean(predicted.valid for predicted, _ in pairs),
        BLEU=_corpus_bleu(pairs),
        category=_percent(pairs, "task category", _words),
        input=_sentence_bleu(pairs, "input"),
        output=_sentence_bleu(pairs, "output"),
        layers=_layer_distance(pairs),
        lr=_distance(pairs, "learning rate", _MOST_LR),
        loss=_percent(pairs, "loss function", _loss),
        optimizer=_percent(pairs, "optimizer", _first_word),
        batch=_distance(pairs, "batch size", _MOST_COUNT),
        epochs=_distance(pairs, "epochs", _MOST_COUNT),
        metric=_percent(pairs, "evaluation metric", _metrics),
    )


def printed(name: str, value: float) -> str:
    """The value of this column as tables show it: at least two decimals, no more of them than it has."""
    return max(f"{value:.{_DECIMALS}f}", str(rounded(name, value)), key=len)


def rounded(name: str, value: float) -> float:
    """As it is printed."""
    return round(value, _LR_DECIMALS if name == "lr" else _DECIMALS)


def best(rows: Sequence[PlanScores]) -> PlanScores:
    """The best value of each column, rounded as it is printed."""
    return PlanScores(
        *(
            (min if name in LOWER_IS_BETTER else max)(rounded(name, value) for value in values)
            for name, values in zip(PlanScores._fields, zip(*rows, strict=True), strict=True)
        )
    )


def check_extra() -> None:
    """Raises SettingsError when what the extra installs is not there."""
    missing = [name for name in ("sacrebleu", "rapidfuzz") if importlib.util.find_spec(name) is None]
    if missing:
        raise SettingsError(f"scoring plans needs {' and '.join(missing)}: pip install 'dlcodegen[eval]'")


def _corpus_bleu(pairs: _Pairs) -> float:
    import sacrebleu

    predicted, right = ([_canonical(plan) for plan in plans] for plans in zip(*pairs, strict=True))
    return sacrebleu.corpus_bleu(predicted, [right]).score


def _sentence_bleu(pairs: _Pairs, field: str) -> float:
    import sacrebleu

    texts = ((_text(predicted.fields.get(field)), _text(right.fields.get(field))) for predicted, right in pairs)
    return fmean(sacrebleu.sentence_bleu(predicted, [right]).score for predicted, right in texts)


def _layer_distance(pairs: _Pairs) -> float:
    from rapidfuzz.distance import Levenshtein

    return fmean(Levenshtein.distance(_layer_names(predicted), _layer_names(right)) for predicted, right in pairs)


def _percent(pairs: _Pairs, field: str, normal: Callable[[Any], object]) -> float:
    """How many have the same in this normal form; nothing equals nothing."""
    return 100 * fmean(
        normal(predicted.fields.get(field)) == normal(right.fields.get(field)) for predicted, right in pairs
    )


def _distance(pairs: _Pairs, field: str, most: float) -> float:
    """Over the references that state a number."""
    numbers = ((_number(predicted.fields.get(field)), _number(right.fields.get(field))) for predicted, right in pairs)
    distances = [
        most if predicted is None else min(most, abs(predicted - right))
        for predicted, right in numbers
        if right is not None
    ]
    if not distances:
        raise InputError(f"no reference plan states its {field} as a number: give other references")
    return fmean(distances)


def _canonical(plan: ReadPlan) -> str:
    return json.dumps({name: plan.fields.get(name, "") for name in FIELDS}, ensure_ascii=False)


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _words(value: Any) -> str:
    """Letters and digits in lower case; whatever else there is separates them."""
    return re.sub(r"[^a-z0-9]+", " ", _text(value).lower()).strip()


def _first_word(value: Any) -> str:
    return _words(value).partition(" ")[0]


def _loss(value: Any) -> str:
    name = _words(value).replace(" ", "")
    return _LOSSES.get(name, name).removesuffix("loss")


def _metrics(value: Any) -> set[str]:
    return {_words(name) for name in re.split(r"[,;&]| and ", _text(value))} - {""}


def _number(value: Any) -> float | None:
    """The first number in it."""
    match = re.search(r"\d+(?:\.\d+)?(?:e-?\d+)?", _text(value).lower())
    return float(match.group()) if match else None


def _layer_names(plan: ReadPlan) -> list[str]:
    """The first name in each layer; layers on one line are divided at commas before a capital letter."""
    layers = plan.fields.get("layers")
    each = layers if isinstance(layers, list) else re.split(r",\s*(?=[A-Z])", _text(layers))
    names = (re.search(r"[A-Za-z_]\w*", _text(layer)) for layer in each)
    return [name.group() for name in names if name]
