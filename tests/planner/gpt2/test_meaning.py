"""Rows are near by what a network makes of them, too: also those that share no word with a request."""

from pathlib import Path

import numpy as np
import pytest

from dlcodegen.errors import InputError, SettingsError
from dlcodegen.planner.gpt2.meaning import WordsAndMeaning, read
from dlcodegen.planner.gpt2.memory import Memory
from dlcodegen.planner.gpt2.rows import PlanRow
from dlcodegen.planner.gpt2.voice import Asked
from tests.plan_rows import tiny_base

ASKED = [
    Asked("outline barnacles on hull photos", "420 photos"),
    Asked("tell moths apart", ""),
    Asked("predict the height of the tide at a pier from the moon, the wind and the pressure of the air", "a table"),
]


def row(requirement: str) -> PlanRow:
    return PlanRow(requirement, "", {"optimizer": requirement}, ["Dense(1)"])


@pytest.fixture
def memory() -> WordsAndMeaning:
    """Vectors by hand: `ships` and `boats` point one way, `moths` and `butterflies` another."""
    ways = {"ships": (5, 1), "boats": (5, 1.2), "moths": (1, 5), "butterflies": (1.2, 5), "rowing boats": (5, 1.1)}
    meanings = {Asked(word, ""): np.array([way, way], dtype=np.float16) for word, way in ways.items()}
    return WordsAndMeaning(Memory([row("boats"), row("moths"), row("butterflies")]), meanings)


@pytest.mark.parametrize("kind", ["gpt2", "qwen2"])
def test_what_is_thought_of_a_request_does_not_depend_on_its_neighbours(kind: str, tmp_path: Path) -> None:
    base = str(tiny_base(tmp_path, kind))
    together = read(base, ASKED)
    apart = np.linalg.norm(together[ASKED[0]] - together[ASKED[1]])
    for each in ASKED:
        assert together[each].shape == (2, 64)
        assert np.linalg.norm(together[each] - read(base, [each])[each]) < 0.1 * apart


def test_a_request_longer_than_any_network_is_cut(tmp_path: Path) -> None:
    endless = Asked("moths " * 5000, "and their wings " * 5000)
    assert np.isfinite(read(str(tiny_base(tmp_path)), [endless, ASKED[0]])[endless]).all()


def test_without_a_shared_word_meaning_has_the_whole_say(memory: WordsAndMeaning) -> None:
    near = memory.nearest("ships", "", 5)
    assert near[0].row.requirement == "boats"
    assert near[0].weight > 0.9
    assert sum(each.weight for each in near) == pytest.approx(1)


def test_words_and_meaning_share_the_say(memory: WordsAndMeaning) -> None:
    near = memory.nearest("rowing boats", "", 5)
    assert sum(each.weight for each in near) == pytest.approx(1)
    assert sum(each.weight for each in near[:1]) == pytest.approx(0.5)
    assert {each.row.requirement for each in near[:2]} == {"boats"}


def test_nobody_is_near_a_request_that_was_not_read(memory: WordsAndMeaning) -> None:
    with pytest.raises(LookupError):
        memory.nearest("tides", "", 5)


def test_a_base_that_is_none_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no network could be loaded from there") as caught:
        read(str(tmp_path), ASKED)
    assert "\n" not in str(caught.value)
    with pytest.raises(SettingsError, match="no local model"):
        read("local:nothing", ASKED)
