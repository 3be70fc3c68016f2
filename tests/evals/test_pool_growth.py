"""The pool is grown as text grows, the same each time; what is measured is complete and comes from fresh processes."""

import json
from itertools import combinations, islice
from pathlib import Path

import pytest

from dlcodegen import categories
from dlcodegen.corpus.importing.similarity import fingerprint, likeness_of
from dlcodegen.corpus.sample import all_samples
from dlcodegen.corpus.texts import plan_text, tokens
from dlcodegen.evals import pool_growth
from dlcodegen.evals.grown_pool import grown_plans, grown_samples
from dlcodegen.plan import SolutionPlan


def words(size: int, seed: int = 0) -> list[list[str]]:
    return [tokens(plan_text(plan)) for plan in grown_plans(size, seed)]


def test_the_same_seed_grows_the_same_pool_and_a_larger_one_begins_with_it() -> None:
    plans = list(grown_plans(50, seed=3))
    assert plans == list(islice(grown_plans(200, seed=3), 50))
    assert plans != list(grown_plans(50, seed=4))


def test_what_is_grown_are_plans() -> None:
    for plan in grown_plans(100, seed=0):
        assert plan.category in {sample.category for sample in all_samples().values()} <= set(categories.CATEGORIES)
        assert SolutionPlan.from_text(plan_text(plan)).hyperparameters == plan.hyperparameters


def test_words_become_more_as_in_natural_text() -> None:
    """By a power of the text's length between 0.4 and 0.7, new ones to the last."""
    documents = words(4000)
    small, large = ({word for document in documents[:size] for word in document} for size in (1000, 4000))
    assert 4**0.4 < len(large) / len(small) < 4**0.7


def test_plans_are_as_long_as_the_pool_s() -> None:
    real = [len(tokens(plan_text(sample.plan))) for sample in all_samples().values()]
    grown = [len(document) for document in words(300)]
    assert 0.8 < (sum(grown) / len(grown)) / (sum(real) / len(real)) < 1.3


def test_grown_samples_all_differ_and_are_no_near_duplicates() -> None:
    samples = list(grown_samples(80))
    assert len({fingerprint(sample.code) for sample in samples}) == len(samples)
    assert max(likeness_of(a.sketch, b.sketch) for a, b in combinations(samples, 2)) < 0.8


def test_nothing_of_a_grown_sample_is_read_from_its_code() -> None:
    """What is stored with it is what its code would say, were it not a comment."""
    for sample in grown_samples(5):
        assert {"title", "framework", "config", "sketch"} == set(sample.known)
        assert sample.description.startswith(sample.title)


@pytest.fixture(scope="module")
def rows() -> list[dict[str, object]]:
    """Four processes of their own, of which one indexes with Chroma: half a minute, so those who use it are slow."""
    return [{"key": key, **work()} for key, work in pool_growth.steps((60,))]


@pytest.mark.slow
def test_each_size_is_measured_four_ways(rows: list[dict[str, object]]) -> None:
    assert [row["key"] for row in rows] == ["index / 60", "rank_bm25 / 60", "chroma / 60", "run / 60"]
    for row in rows:
        figures = [value for name, value in row.items() if name not in ("key", "what")]
        assert all(isinstance(value, int | float) and value >= 0 for value in figures), row
    assert json.loads(json.dumps(rows)) == rows


@pytest.mark.slow
def test_the_summary_puts_them_side_by_side(rows: list[dict[str, object]]) -> None:
    (row,) = pool_growth.summary(rows)
    assert row["size"] == 60
    assert row["whole p95 ms"] == rows[0]["whole p95 ms"]
    assert row["rank_bm25 whole p95 ms"] == rows[1]["whole p95 ms"]
    assert row["chroma ids of both p95 ms"] == rows[2]["ids of both p95 ms"]
    assert row["run retrieval p95 ms"] == rows[3]["retrieval p95 ms"]


@pytest.mark.slow
def test_a_summary_can_be_made_of_an_unfinished_journal(rows: list[dict[str, object]]) -> None:
    (row,) = pool_growth.summary(rows[:1])
    assert "rank_bm25 start s" not in row
    assert pool_growth.summary([]) == []


def test_the_index_that_is_queried_is_the_one_that_was_built(tmp_path: Path) -> None:
    built = pool_growth.build_index(80, tmp_path)
    assert built["size MiB"] > 0
    assert pool_growth.query_index(80, tmp_path)["start s"] < 2
