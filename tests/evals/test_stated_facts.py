"""The facts of requirements by other hands: how many of them are read."""

from dlcodegen.evals.stated_facts import read_of_others
from dlcodegen.planner.gpt2.planner import shipped_planner


def test_most_facts_are_read_of_sentences_that_no_reader_was_made_with() -> None:
    found = read_of_others("kept", shipped_planner().category_odds)
    assert found["sentences"] >= 50
    assert 0.85 <= found["read"] / found["stated"] <= 1
    assert found["whole"] <= found["sentences"]


def test_without_an_opinion_on_the_task_fewer_are_read_but_none_too_many() -> None:
    by_words = read_of_others("kept", lambda requirement, dataset: {"other": 1.0})
    assert by_words["read"] < by_words["stated"]
