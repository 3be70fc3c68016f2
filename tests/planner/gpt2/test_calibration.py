"""Calibration: a confidence that says how often it is right."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from dlcodegen.planner.gpt2.calibration import Calibration, calibrate, calibration, fit_temperature
from dlcodegen.planner.gpt2.decoding import Decoder
from dlcodegen.planner.gpt2.rows import PlanRow
from dlcodegen.planner.gpt2.weights import Predictor, load


@pytest.fixture(scope="module")
def plain(trained: Predictor) -> Predictor:
    return replace(trained, facts={})


def mislabelled(rows: list[PlanRow], every: int) -> list[PlanRow]:
    """Every so many rows with the category of the next."""
    return [
        replace(row, values={**row.values, "category": rows[(place + 1) % len(rows)].values["category"]})
        if place % every == 0
        else row
        for place, row in enumerate(rows)
    ]


def test_who_is_often_wrong_becomes_less_sure(plain: Predictor, rows: list[PlanRow]) -> None:
    decoder = Decoder(plain)
    honest, doubtful, hopeless = (
        fit_temperature(decoder, labelled) for labelled in (rows, mislabelled(rows, 4), mislabelled(rows, 1))
    )
    assert honest < doubtful < hopeless
    asked = (rows[0].requirement, rows[0].dataset)
    sure = max(Decoder(replace(plain, facts={"temperature": honest})).category_odds(*asked).values())
    unsure = max(Decoder(replace(plain, facts={"temperature": doubtful})).category_odds(*asked).values())
    assert unsure < sure


def test_fitting_makes_confidence_and_accuracy_meet(plain: Predictor, rows: list[PlanRow]) -> None:
    labelled = mislabelled(rows, 4)

    def measured(temperature: float) -> Calibration:
        decoder = Decoder(replace(plain, facts={"temperature": temperature}))
        odds = [decoder.category_odds(row.requirement, row.dataset) for row in labelled]
        best = [max(each, key=each.__getitem__) for each in odds]
        right = [guess == row.values["category"] for guess, row in zip(best, labelled, strict=True)]
        return calibration([max(each.values()) for each in odds], right)

    before, after = measured(1.0), measured(fit_temperature(Decoder(plain), labelled))
    assert before.accuracy == after.accuracy == 0.75
    assert before.confidence > 0.95
    assert after.confidence == pytest.approx(0.75, abs=0.1)
    assert after.error < before.error


def test_rows_of_unknown_categories_have_no_say(plain: Predictor, rows: list[PlanRow]) -> None:
    foreign = [replace(row, values={**row.values, "category": "Foreign"}) for row in rows]
    decoder = Decoder(plain)
    assert fit_temperature(decoder, [*rows[:8], *foreign]) == fit_temperature(decoder, rows[:8])
    assert fit_temperature(decoder, foreign) == fit_temperature(decoder, []) == 1.0


def test_the_temperature_is_kept_with_the_weights(trained_folder: Path, rows: list[PlanRow], tmp_path: Path) -> None:
    folder = shutil.copytree(trained_folder, tmp_path / "weights")
    before = json.loads((folder / "planner.json").read_text())
    found = calibrate(folder, mislabelled(rows, 4))
    assert found > 1
    assert load(folder).facts == {**before, "temperature": round(found, 3)}
    assert calibrate(folder, mislabelled(rows, 4)) == found  # whatever was fitted before


def test_the_error_is_the_mean_gap_over_bins() -> None:
    perfect = calibration([0.75] * 4, [True, True, True, False])
    assert perfect == pytest.approx((0.75, 0.75, 0.0))
    boastful = calibration([1.0, 0.95, 0.15, 0.15], [True, False, False, False])
    assert boastful.accuracy == 0.25
    assert boastful.confidence == pytest.approx(0.5625)
    assert boastful.error == pytest.approx((abs(0.975 - 0.5) + 0.15) / 2)
