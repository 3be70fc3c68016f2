"""Confidence that means something: of the categories given 0.8, four of five should be right."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from dlcodegen.planner.gpt2.decoding import Decoder
from dlcodegen.planner.gpt2.rows import PlanRow
from dlcodegen.planner.gpt2.weights import load, save_facts

_TEMPERATURES = tuple(1.1**step for step in range(-8, 22))
_BINS = 10


class Calibration(NamedTuple):
    """How sure the predictor was of the category, and how often it was right."""

    accuracy: float
    confidence: float
    """Mean over the rows."""
    error: float
    """Expected calibration error: mean gap between confidence and accuracy over ten bins of confidence."""


def calibrate(folder: Path, dev: Sequence[PlanRow]) -> float:
    """Fit the temperature of the weights in `folder` to the dev rows, and keep it there."""
    predictor = load(folder)
    temperature = fit_temperature(Decoder(replace(predictor, facts={})), dev)
    save_facts({**predictor.facts, "temperature": round(temperature, 3)}, folder)
    return temperature


def fit_temperature(decoder: Decoder, dev: Sequence[PlanRow]) -> float:
    """The temperature under which the dev rows' right categories are most likely (temperature scaling).

    Rows with a category that the predictor does not know are left out.
    """
    import numpy as np

    asked = [
        (decoder.category_odds(row.requirement, row.dataset, row.framework), row.values["category"]) for row in dev
    ]
    known = [(odds, category) for odds, category in asked if category in odds]
    if not known:
        return 1.0
    logits = np.log(np.array([list(odds.values()) for odds, _ in known]) + 1e-9)
    right = np.array([list(odds).index(category) for odds, category in known])

    def surprise(temperature: float) -> float:
        scaled = logits / temperature
        likely = scaled - np.log(np.exp(scaled - scaled.max(1, keepdims=True)).sum(1, keepdims=True))
        return -float((likely - scaled.max(1, keepdims=True))[np.arange(len(right)), right].mean())

    return min(_TEMPERATURES, key=surprise)


def calibration(sure: Sequence[float], right: Sequence[bool]) -> Calibration:
    """Of predictions with these confidences, which were right."""
    import numpy as np

    confidences, hits = np.array(sure), np.array(right, float)
    bins = np.minimum((confidences * _BINS).astype(int), _BINS - 1)
    gaps = [
        abs(confidences[bins == place].mean() - hits[bins == place].mean()) * (bins == place).mean()
        for place in np.unique(bins)
    ]
    return Calibration(float(hits.mean()), float(confidences.mean()), float(sum(gaps)))
