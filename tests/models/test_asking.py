"""Questions of a run: how they are put, what they cost, and what they may cost."""

import json
import time
from pathlib import Path
from typing import Any

import pytest

from dlcodegen.context import Context
from dlcodegen.errors import BudgetSpent, SettingsError
from dlcodegen.models.asking import Asker
from dlcodegen.models.chat import Answer
from tests.fake_server import SCHEMA, FakeServer, Reply, asker, completion, error


def scripted(folder: Path, *answers: str, **settings: Any) -> Context:
    path = folder / f"{len(list(folder.iterdir()))}.json"
    path.write_text(json.dumps(answers))
    return Context(model=f"scripted:{path}", **settings)


def test_an_answer_and_what_it_cost(server: FakeServer) -> None:
    asked = asker(server, prices="1/10")
    assert asked.ask("Write.") == Answer("import torch", 11, 7)
    assert asked.usage == {"calls": 1, "input_tokens": 11, "output_tokens": 7, "cost": pytest.approx(81e-6)}
    (request,) = server.requests
    assert request["stream"] and request["stream_options"] == {"include_usage": True}
    assert not {"temperature", "stop", "max_completion_tokens"} & request.keys()


def test_how_the_answer_is_wanted_reaches_the_provider(server: FakeServer) -> None:
    asker(server).ask("Write.", temperature=0.3, limit=200, stop=["\n\n\n", "def "])
    (request,) = server.requests
    assert (request["temperature"], request["max_completion_tokens"]) == (0.3, 200)
    assert request["stop"] == ["\n\n\n", "def "]


def test_the_temperature_of_the_settings_is_the_default(server: FakeServer) -> None:
    asked = asker(server, temperature=1.2)
    asked.ask("Write.")
    asked.ask("Write.", temperature=0)
    assert [request["temperature"] for request in server.requests] == [1.2, 0]


def test_each_role_may_have_a_model_of_its_own(tmp_path: Path) -> None:
    other = scripted(tmp_path, "the plan's")
    context = scripted(tmp_path, "everybody's", model_plan=other.model)
    assert Asker(context, "plan").ask("?").text == "the plan's"
    assert Asker(context, "merge").ask("?").text == "everybody's"


@pytest.mark.parametrize("settings", [{"model": "gpt-4o"}, {"model": "openai:m", "prices": "1"}])
def test_what_is_set_up_wrongly_is_said_before_anything_is_asked(settings: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match="write "):
        Asker(Context(**settings), "draft")


def test_an_answer_by_schema(server: FakeServer) -> None:
    server.body = completion('{"size": 3}')
    assert asker(server).ask("How large?", schema=SCHEMA, limit=90, temperature=0) == Answer('{"size": 3}', 11, 7)
    (request,) = server.requests
    assert request["response_format"]["type"] == "json_schema"
    assert (request["max_completion_tokens"], request["temperature"]) == (90, 0)


def test_tokens_that_nobody_counts_are_estimated(server: FakeServer) -> None:
    server.queue.append(Reply(completion("x = 1\n" * 7), counts=False))
    answer = asker(server).ask("x" * 35)
    assert (answer.input_tokens, answer.output_tokens) == (10, 22)


def test_answers_side_by_side_have_seeds_of_their_own(server: FakeServer) -> None:
    asked = asker(server, seed=7)
    answers = asked.several("Write.", 4, temperature=0.8, limit=300)
    assert [answer.text for answer in answers] == ["import torch"] * 4
    assert sorted(request["seed"] for request in server.requests) == [7, 8, 9, 10]
    assert {(request["temperature"], request["max_completion_tokens"]) for request in server.requests} == {(0.8, 300)}
    assert asked.usage == {"calls": 4, "input_tokens": 44, "output_tokens": 28}


def test_of_several_answers_those_that_fail_are_left_out(server: FakeServer) -> None:
    server.queue.extend([Reply(completion("one")), Reply(error("no"), 401), Reply(completion("two"))])
    answers = asker(server).several("Write.", 3, temperature=1)
    assert sorted(answer.text for answer in answers) == ["one", "two"]


def test_when_all_of_them_fail_the_reason_is_raised(server: FakeServer) -> None:
    server.fail(401, "no")
    with pytest.raises(SettingsError, match="refuses the key"):
        asker(server).several("Write.", 3, temperature=1)


def test_the_budget_shortens_answers_and_then_ends_the_asking(server: FakeServer) -> None:
    asked = asker(server, {"input_tokens": 500, "output_tokens": 250}, max_tokens=1_000)
    asked.ask("x" * 35, limit=500)
    asked.ask("x" * 35, limit=500)
    assert [request["max_completion_tokens"] for request in server.requests] == [240, 222]
    server.body = completion("word " * 150).replace('"completion_tokens": 7', '"completion_tokens": 200')
    asked.ask("x" * 35)
    with pytest.raises(BudgetSpent, match=r"^997 of the run's 1000 tokens are spent .*: raise --max-tokens$"):
        asked.ask("x" * 35)
    assert len(server.requests) == 3


def test_a_question_that_failed_gives_its_share_back(server: FakeServer) -> None:
    asked = asker(server, max_tokens=1_000)
    server.queue.append(Reply(error("no"), 401))
    with pytest.raises(SettingsError):
        asked.ask("Write.")
    asked.ask("Write.")
    assert [request["max_completion_tokens"] for request in server.requests] == [998, 998]


def test_a_run_that_is_broke_samples_fewer(server: FakeServer) -> None:
    assert len(asker(server, max_tokens=1_500).several("x" * 350, 8, temperature=1, limit=400)) == 3


def test_people_see_how_many_tokens_there_are(server: FakeServer) -> None:
    seen: list[int] = []
    server.pause, server.body = 0.05, completion(" ".join(["word"] * 14))
    context, began = Context(model="openai:my-model", base_url=server.base_url), time.monotonic()
    Asker(context, "draft", on_tokens=seen.append).ask("Write.")
    assert 2 <= len(seen) <= 1 + 4 * (time.monotonic() - began)
    assert seen == sorted(seen)


def test_callbacks_of_a_run_hear_of_questions_side_by_side(server: FakeServer) -> None:
    from langchain_core.callbacks import BaseCallbackHandler
    from langgraph.graph import START, MessagesState, StateGraph

    heard: list[str] = []

    class Listener(BaseCallbackHandler):
        def on_chat_model_start(self, serialized: object, messages: Any, **more: object) -> None:
            heard.append(messages[0][0].text)

    def node(state: MessagesState) -> dict[str, str]:
        asker(server).several("Write.", 3, temperature=1)
        return {}

    graph = StateGraph(MessagesState).add_node("node", node).add_edge(START, "node").compile()
    streamed = list(graph.stream({"messages": []}, {"callbacks": [Listener()]}, stream_mode="messages"))
    assert (heard, streamed) == (["Write."] * 3, [])
