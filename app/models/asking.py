"""How the stages of a run ask their models: `Asker(context, "draft", spent).ask("Write ...").text`."""

import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import count as counter
from typing import TYPE_CHECKING, Any

from dlcodegen.context import Context, Role
from dlcodegen.errors import AnswerLostError, DLCodeGenError
from dlcodegen.models import chat
from dlcodegen.models.breaker import breaker_for
from dlcodegen.models.budget import Budget, Grant
from dlcodegen.models.chat import Answer, ask, chat_model
from dlcodegen.models.decoding import Decoding
from dlcodegen.models.meter import Meter
from dlcodegen.models.reading import Reading
from dlcodegen.models.together import ask_together, shares_prompts
from dlcodegen.report import Usage

if TYPE_CHECKING:
    from concurrent.futures import Future

RETRY_DELAY = 0.5
"""Seconds until a broken answer is asked for again, then twice as many, each with a little chance in it."""


class Asker:
    """Asks the models of one run's stage: counts what it costs, keeps to the budget, and gives up on a provider that
    is down.

    Safe to use from several threads. Every question has a seed of its own, where the model takes one: asked twice, a
    model may answer otherwise.
    """

    def __init__(
        self,
        context: Context,
        role: Role,
        spent: Usage | None = None,
        on_tokens: Callable[[int], None] | None = None,
        share: float = 1.0,
    ) -> None:
        """`spent` is what earlier stages of this run used, `share` as in `Budget`; `on_tokens` is told, at most four
        times a second, how many tokens of answers there are by now, from the threads that read them.

        Raises SettingsError when the model is set up wrongly.
        """
        self._context = replace(context, model=context.model_for(role))
        self._budget = Budget(context, spent, role, share)
        self._model = chat_model(self._context)
        self._breaker = breaker_for(self._context.model, self._context.base_url)
        self._meter = Meter(on_tokens)
        self._questions = counter()

    @property
    def model(self) -> str:
        """The name of the model that is asked."""
        return self._context.model

    @property
    def usage(self) -> Usage:
        """`calls`, `input_tokens`, `output_tokens`, and `cost` in dollars where prices are known."""
        counts = self._meter.usage
        cost = self._budget.cost(counts["input_tokens"], counts["output_tokens"])
        return counts if cost is None else counts | {"cost": cost}

    def ask(
        self,
        prompt: str,
        *,
        schema: Mapping[str, Any] | None = None,
        temperature: float | None = None,
        limit: int | None = None,
        stop: Sequence[str] = (),
    ) -> Answer:
        """One answer of at most `limit` tokens; the budget may shorten it, `Answer.cut_off` says so.

        Without a temperature the context's counts. Raises BudgetSpent before a question that cannot be afforded,
        PromptTooLong, SettingsError for what the user can mend, and ModelError (OutageError at once while the provider
        is known to be down).
        """
        (grant,) = self._budget.grants(prompt, limit)
        return self._answer(prompt, self._decoding(temperature, stop), grant, schema)

    def several(
        self, prompt: str, count: int, *, temperature: float, limit: int | None = None, stop: Sequence[str] = ()
    ) -> list[Answer]:
        """Answers sampled side by side: as many as can be afforded, those that failed left out.

        Raises what `ask` raises, when all failed: the first failure.
        """
        from langchain_core.runnables.config import ContextThreadPoolExecutor  # callbacks of the run go with it

        grants = self._budget.grants(prompt, limit, count)
        if shares_prompts(self._context.model):
            return self._together(prompt, self._decoding(temperature, stop), grants)
        with ContextThreadPoolExecutor(len(grants)) as pool:
            asked = [
                pool.submit(self._answer, prompt, self._decoding(temperature, stop), grant, None) for grant in grants
            ]
        return _answered(asked)

    def _together(self, prompt: str, decoding: Decoding, grants: list[Grant]) -> list[Answer]:
        """By one request; once more when the server of ours died meanwhile."""
        wanted, question = replace(decoding, limit=grants[0].limit), decoding.sample
        answers: list[Answer] = []
        try:
            with self._breaker.question():
                try:
                    answers = ask_together(self._model, self._context, prompt, len(grants), wanted)
                except AnswerLostError:
                    self._model = chat_model(self._context)
                    answers = ask_together(self._model, self._context, prompt, len(grants), wanted)
        finally:
            for grant, answer in zip(grants, answers or [Answer("")] * len(grants), strict=False):
                self._budget.settle(grant, answer.input_tokens, answer.output_tokens)
                self._meter.add(question, answer.input_tokens, answer.output_tokens, bool(answers))
        return answers

    def _decoding(self, temperature: float | None, stop: Sequence[str]) -> Decoding:
        warmth = self._context.temperature if temperature is None else temperature
        return Decoding(warmth, None, tuple(stop), next(self._questions))

    def _answer(self, prompt: str, decoding: Decoding, grant: Grant, schema: Mapping[str, Any] | None) -> Answer:
        admitted = False
        try:
            with self._breaker.question():
                admitted = True
                return self._asked(prompt, decoding, grant, schema, chat.RETRIES)
        finally:
            if not admitted:
                self._budget.settle(grant, 0, 0)

    def _asked(
        self, prompt: str, decoding: Decoding, grant: Grant, schema: Mapping[str, Any] | None, retries: int
    ) -> Answer:
        """Asked again when the answer was lost on the way: the provider's client does so only before it begins."""
        try:
            return self._once(prompt, replace(decoding, limit=grant.limit), grant, schema)
        except AnswerLostError:
            if not retries:
                raise
        time.sleep(RETRY_DELAY * 2 ** (chat.RETRIES - retries) * random.uniform(0.75, 1.25))
        self._model = chat_model(self._context)  # a server of ours that died is started again
        (again,) = self._budget.grants(prompt, grant.limit)
        return self._asked(prompt, decoding, again, schema, retries - 1)

    def _once(self, prompt: str, decoding: Decoding, grant: Grant, schema: Mapping[str, Any] | None) -> Answer:
        """A lost answer costs the prompt and what had come; a refused question costs nothing."""
        question = decoding.sample
        reading = Reading(grant.limit, lambda tokens: self._meter.watch(question, tokens))
        used, answered = (0, 0), False
        try:
            answer = ask(self._model, self._context, prompt, schema, decoding=decoding, reading=reading)
            used, answered = (answer.input_tokens, answer.output_tokens), True
            return answer
        except AnswerLostError:
            used = (grant.input_tokens, reading.tokens)
            raise
        finally:
            self._budget.settle(grant, *used)
            self._meter.add(question, *used, answered)


def _answered(asked: "Sequence[Future[Answer]]") -> list[Answer]:
    """The answers that came; raises the first failure if none did."""
    answers: list[Answer] = []
    failures: list[DLCodeGenError] = []
    for future in asked:
        try:
            answers.append(future.result())
        except DLCodeGenError as failure:
            failures.append(failure)
    if not answers:
        raise failures[0]
    return answers
