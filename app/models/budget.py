"""What a run may cost: `Budget(context, spent).grants(prompt)` says before a question how long its answer may be."""

import re
from dataclasses import dataclass
from threading import Lock
from typing import NamedTuple, get_args

from dlcodegen.context import Context, Role
from dlcodegen.errors import BudgetSpent, SettingsError
from dlcodegen.models.reading import ENDLESS, token_estimate
from dlcodegen.report import Usage

_USUAL = 1_500
"""Tokens of an answer for which nobody named a limit: a script of ours has as many."""
_SHORTEST = 200
"""Tokens below which an answer is not worth its prompt, unless a shorter one is asked for."""
_MILLION = 1_000_000
_PRICE = re.compile(r"\$?(\d+\.?\d*|\.\d+)")


class Prices(NamedTuple):
    """Dollars for a million tokens."""

    input: float
    output: float

    def cost(self, input_tokens: float, output_tokens: float) -> float:
        """In dollars."""
        return (input_tokens * self.input + output_tokens * self.output) / _MILLION


def read_prices(context: Context) -> dict[Role, Prices] | None:
    """What each role's model costs, by the settings; None: they state no prices.

    Raises SettingsError when they cannot be read, or when money is bounded and there are none.
    """
    if not context.prices:
        if context.max_cost:
            example = "dollars per million tokens of prompts and of answers, such as --prices 0.15/0.60"
            raise SettingsError(f"--max-cost needs to know what tokens cost: add {example}")
        return None
    everybody, *others = context.prices.split(",")
    prices = dict.fromkeys(get_args(Role), _pair(everybody, context))
    for other in others:
        role, _, pair = other.strip().partition("=")
        if role not in prices:
            raise SettingsError(
                f"--prices {context.prices!r}: after the first pair write ROLE=IN/OUT, of the roles "
                f"{', '.join(get_args(Role))}, such as 0.15/0.60,repair=2.5/10"
            )
        prices[role] = _pair(pair, context)
    return prices


def _pair(text: str, context: Context) -> Prices:
    found = [_PRICE.fullmatch(part.strip()) for part in text.split("/")]
    if len(found) != 2 or found[0] is None or found[1] is None:
        raise SettingsError(
            f"--prices {context.prices!r} is no pair of prices: "
            "write IN/OUT, dollars per million tokens, such as 0.15/0.60"
        )
    return Prices(float(found[0].group(1)), float(found[1].group(1)))


@dataclass(frozen=True)
class Grant:
    """A question that may be asked."""

    limit: int | None
    """The most tokens of its answer; None: no bound."""
    input_tokens: int
    """Set aside for the prompt."""
    output_tokens: int
    """Set aside for the answer."""


class Budget:
    """Keeps account of one stage, on top of what the run spent before. Safe to use from several threads."""

    def __init__(self, context: Context, spent: Usage | None = None, role: Role = "draft", share: float = 1.0) -> None:
        """`share`: of what is left, how much this stage may spend: another one may be at work at the same time.

        Raises SettingsError for prices that cannot be read.
        """
        spent = spent or {}
        prices = read_prices(context)
        self._prices = prices[role] if prices else None
        self._max_tokens, self._max_cost = context.max_tokens, context.max_cost
        used = spent.get("input_tokens", 0.0) + spent.get("output_tokens", 0.0)
        self._tokens = share * (context.max_tokens - used)
        self._money = share * (context.max_cost - spent.get("cost", 0.0))
        self._input = self._output = 0.0
        self._lock = Lock()

    def cost(self, input_tokens: float, output_tokens: float) -> float | None:
        """Dollars for that many tokens; None where no prices are known."""
        return self._prices.cost(input_tokens, output_tokens) if self._prices else None

    def grants(self, prompt: str, limit: int | None = None, count: int = 1) -> list[Grant]:
        """Sets aside what `count` answers to the prompt may cost; give each back by `settle`.

        Where not all can be had at their full length there are fewer, the last one shortened. Raises BudgetSpent when
        not even that can be afforded.
        """
        needed, enough = token_estimate(prompt), limit or _USUAL
        with self._lock:
            lengths = {number: self._affordable(needed, number) for number in range(count, 0, -1)}
            number = next((number for number, length in lengths.items() if length >= enough), 1)
            length = min(lengths[number], limit or ENDLESS)
            if length < min(enough, _SHORTEST):
                raise BudgetSpent(self._spent_up(needed + min(enough, _SHORTEST)))
            self._input += number * needed
            self._output += number * length
        bounded = length if limit is not None or length < ENDLESS else None
        return [Grant(bounded, needed, length)] * number

    def settle(self, grant: Grant, input_tokens: float, output_tokens: float) -> None:
        """What it really cost."""
        with self._lock:
            self._input += input_tokens - grant.input_tokens
            self._output += output_tokens - grant.output_tokens

    def _affordable(self, needed: int, count: int) -> int:
        """Tokens that each of so many answers to such a prompt may have."""
        lengths = [ENDLESS]
        if self._max_tokens:
            lengths.append(int((self._tokens - self._input - self._output) / count) - needed)
        if self._max_cost and self._prices:
            left = self._money_left / count - self._prices.cost(needed, 0)
            if left < 0 or self._prices.output:
                lengths.append(int(left * _MILLION / self._prices.output) if self._prices.output else 0)
        return min(lengths)

    @property
    def _money_left(self) -> float:
        return self._money - (self.cost(self._input, self._output) or 0.0)

    def _spent_up(self, needed: int) -> str:
        left = self._tokens - self._input - self._output
        if self._max_tokens and left < needed:
            return (
                f"{self._max_tokens - left:.0f} of the run's {self._max_tokens} tokens are spent or set aside, and the "
                f"next question needs {needed} or more: raise --max-tokens"
            )
        return (
            f"${self._max_cost - self._money_left:.4f} of the run's ${self._max_cost:.4f} are spent or set aside, and "
            "the rest does not pay for the next question: raise --max-cost"
        )
