"""Tokens and money of a run: what a question may still cost, and one line when it may not."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from dlcodegen.context import Context
from dlcodegen.errors import BudgetSpent, SettingsError
from dlcodegen.models.budget import Budget, Prices, read_prices

PROMPT = "x" * 3_500  # 1,000 tokens by estimate


def limits(budget: Budget, limit: int | None = None, count: int = 1) -> list[int | None]:
    return [grant.limit for grant in budget.grants(PROMPT, limit, count)]


@pytest.mark.parametrize(
    ("text", "prices"),
    [("0.15/0.60", (0.15, 0.6)), (" $2 / $8 ", (2, 8)), ("0/0", (0, 0)), (".5/1.", (0.5, 1)), ("", None)],
)
def test_prices_are_a_pair(text: str, prices: tuple[float, float] | None) -> None:
    found = read_prices(Context(prices=text))
    assert (set(found.values()) if found else None) == ({Prices(*prices)} if prices else None)


def test_a_role_may_have_prices_of_its_own() -> None:
    found = read_prices(Context(prices="1/4, repair=2.5/10,plan=0/0"))
    assert found == {"plan": (0, 0), "draft": (1, 4), "merge": (1, 4), "repair": (2.5, 10)}
    context = Context(prices="1/4,repair=2/8", max_cost=0.01)
    spent = {"input_tokens": 1_000.0, "output_tokens": 500.0, "cost": 0.004}  # by the models that wrote them
    assert limits(Budget(context, spent, "draft"), 5_000) == [1_250]
    assert limits(Budget(context, spent, "repair"), 5_000) == [500]


@pytest.mark.parametrize("text", ["1/4,2/8", "1/4,gpt=2/8", "1/4,", "1/4,Repair=2/8"])
def test_prices_of_a_role_name_the_role(text: str) -> None:
    with pytest.raises(SettingsError, match=r"write ROLE=IN/OUT, of the roles plan, draft, merge, repair, such as"):
        read_prices(Context(prices=text))


@pytest.mark.parametrize("text", ["0.15", "0.15/0.6/1", "a/b", "/", "-1/2", "1e3/2", "nan/1", "0,15/0,60", "1/2\n3"])
def test_prices_that_are_none_say_what_to_type(text: str) -> None:
    with pytest.raises(SettingsError) as raised:
        Budget(Context(prices=text))
    assert str(raised.value) == (
        f"--prices {text!r} is no pair of prices: write IN/OUT, dollars per million tokens, such as 0.15/0.60"
    )


def test_money_cannot_be_bounded_without_prices() -> None:
    with pytest.raises(SettingsError, match=r"^--max-cost needs to know .* --prices 0\.15/0\.60$"):
        read_prices(Context(max_cost=1))


def test_without_bounds_everything_is_granted() -> None:
    budget = Budget(Context(), {"input_tokens": 1e9, "output_tokens": 1e9})
    assert limits(budget) == [None]
    assert limits(budget, 700, 4) == [700] * 4
    assert limits(budget, 40_000) == [16_000]


def test_the_answer_is_shortened_to_what_is_left() -> None:
    assert limits(Budget(Context(max_tokens=1_500)), 700) == [500]
    assert limits(Budget(Context(max_tokens=1_500))) == [500]
    assert limits(Budget(Context(max_tokens=9_500), {"input_tokens": 5_000, "output_tokens": 3_000}), 700) == [500]
    assert limits(Budget(Context(max_tokens=9_500), {"seconds": 9_000}), 700) == [700]


def test_a_question_that_cannot_be_afforded_is_not_asked() -> None:
    budget = Budget(Context(max_tokens=5_000), {"input_tokens": 2_900, "output_tokens": 1_000})
    with pytest.raises(BudgetSpent) as raised:
        budget.grants(PROMPT, 700)
    assert str(raised.value) == (
        "3900 of the run's 5000 tokens are spent or set aside, and the next question needs 1200 or more: "
        "raise --max-tokens"
    )
    assert limits(Budget(Context(max_tokens=1_050)), 50) == [50]  # a short answer was wanted


def test_what_is_not_used_is_given_back() -> None:
    budget = Budget(Context(max_tokens=3_000))
    (grant,) = budget.grants(PROMPT)
    with pytest.raises(BudgetSpent):
        budget.grants(PROMPT)
    budget.settle(grant, 900, 100)
    assert limits(budget) == [1_000]


def test_fewer_answers_rather_than_shorter_ones() -> None:
    assert limits(Budget(Context(max_tokens=6_800)), 700, 4) == [700] * 4
    assert limits(Budget(Context(max_tokens=6_799)), 700, 4) == [700] * 3
    assert limits(Budget(Context(max_tokens=1_600)), 700, 4) == [600]
    assert limits(Budget(Context(max_tokens=10_000)), None, 4) == [1_500] * 4


def test_money_is_a_bound_like_tokens() -> None:
    context = Context(prices="1/4", max_cost=0.01)  # 0.001 for the prompt, 0.004 for 1,000 tokens of an answer
    assert limits(Budget(context)) == [2_250]
    assert limits(Budget(context, {"cost": 0.005}), 700) == [700]
    assert limits(Budget(context, {"cost": 0.005}), 5_000) == [1_000]
    with pytest.raises(BudgetSpent) as raised:
        Budget(context, {"cost": 0.0084}).grants(PROMPT, 700)
    assert str(raised.value) == (
        "$0.0084 of the run's $0.0100 are spent or set aside, and the rest does not pay for the next question: "
        "raise --max-cost"
    )


def test_answers_that_cost_nothing_are_not_bounded_by_money() -> None:
    assert limits(Budget(Context(prices="1/0", max_cost=0.001)), 5_000) == [5_000]
    with pytest.raises(BudgetSpent):
        Budget(Context(prices="1/0", max_cost=0.0009)).grants(PROMPT)


def test_the_tighter_bound_counts_and_is_named() -> None:
    context = Context(max_tokens=100_000, prices="1/1", max_cost=0.002)
    assert limits(Budget(context), 5_000) == [1_000]
    with pytest.raises(BudgetSpent, match="raise --max-cost"):
        Budget(context, {"input_tokens": 1_000, "cost": 0.001}).grants(PROMPT)


def test_a_stage_beside_another_has_a_share_of_what_is_left() -> None:
    context = Context(max_tokens=9_000, prices="1/4", max_cost=0.02)
    assert limits(Budget(context, {"input_tokens": 3_000.0}, share=0.5), 5_000) == [2_000]
    assert limits(Budget(context, {"cost": 0.01}, share=0.5), 5_000) == [1_000]
    with pytest.raises(BudgetSpent, match=r"^8000 of the run's 9000 tokens are spent or set aside"):
        Budget(context, {"input_tokens": 7_000.0}, share=0.5).grants(PROMPT)


def test_side_by_side_no_more_is_set_aside_than_there_is() -> None:
    budget = Budget(Context(max_tokens=20_000))

    def granted(_: int) -> int:
        try:
            return len(budget.grants(PROMPT, 1_000))
        except BudgetSpent:
            return 0

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(granted, range(40))) == 10
