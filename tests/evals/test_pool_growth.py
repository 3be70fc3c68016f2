"""The pool is grown as text grows, the same each time; what is measured is complete and comes from fresh processes."""

import json
from itertools import islice
from pathlib import Path

import pytest

from dlcodegen import categories
from dlcodegen.corpus.sample import all_samples
from dlcodegen.corpus.texts import plan_text, tokens
from dlcodegen.evals import pool_growth
from dlcodegen.plan import SolutionPlan


def words(size: int, seed: int = 0) -> list[list[str]]:
    return [tokens(plan_text(plan)) for plan in pool_growth.grown_plans(size, seed)]


def test_the_same_seed_grows_the_same_pool_and_a_larger_one_begins_with_it() -> None:
    plans = list(pool_growth.grown_plans(50, seed=3))
    assert plans == list(islice(pool_growth.grown_plans(200, seed=3), 50))
    assert plans != list(pool_growth.grown_plans(50, seed=4))


def test_what_is_grown_are_plans() -> None:
    for plan in pool_growth.grown_plans(100, seed=0):
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


@pytest.fixture(scope="module")
def rows() -> list[dict[str, object]]:
    return [{"key": key, **work()} for key, work in pool_growth.steps((60,))]


def test_each_size_is_measured_three_ways(rows: list[dict[str, object]]) -> None:
    assert [row["key"] for row in rows] == ["index / 60", "rank_bm25 / 60", "chroma / 60"]
    for row in rows:
        figures = [value for name, value in row.items() if name not in ("key", "what")]
        assert all(isinstance(value, int | float) and value >= 0 for value in figures), row
    assert json.loads(json.dumps(rows)) == rows


def test_the_summary_puts_them_side_by_side(rows: list[dict[str, object]]) -> None:
    (row,) = pool_growth.summary(rows)
    assert row["size"] == 60
    assert row["whole p95 ms"] == rows[0]["whole p95 ms"]
    assert row["rank_bm25 whole p95 ms"] == rows[1]["whole p95 ms"]
    assert row["chroma ids of both p95 ms"] == rows[2]["ids of both p95 ms"]


def test_a_summary_can_be_made_of_an_unfinished_journal(rows: list[dict[str, object]]) -> None:
    (row,) = pool_growth.summary(rows[:1])
    assert "rank_bm25 start s" not in row
    assert pool_growth.summary([]) == []


def test_the_index_that_is_queried_is_the_one_that_was_built(tmp_path: Path) -> None:
    built = pool_growth.build_index(80, tmp_path)
    assert built["size MiB"] > 0
    assert pool_growth.query_index(80, tmp_path)["start s"] < 2
