"""Every fault of a provider ends in an answer all the same, or in one line that says what to do."""

from types import SimpleNamespace
from typing import Any

import pytest

from dlcodegen.context import Context
from dlcodegen.errors import ModelError, OutageError, PromptTooLong, SettingsError
from dlcodegen.models import chat
from dlcodegen.models.asking import Asker
from dlcodegen.models.chat import Answer
from tests.fake_server import SCHEMA, FakeServer, Reply, asker, completion, error, tool_call

SOON = {"Retry-After": "0.01"}
WORDS = " ".join(f"w{number}" for number in range(100))


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (401, "refuses the key: check OPENAI_API_KEY"),
        (402, "wants to be paid before it answers: top up the account, or take another model"),
    ],
)
def test_what_the_user_can_mend_is_asked_once(server: FakeServer, status: int, expected: str) -> None:
    server.fail(status, "no")
    asked = asker(server)
    with pytest.raises(SettingsError) as raised:
        asked.ask("Write.")
    assert str(raised.value) == f"{server.base_url} {expected}"
    assert len(server.requests) == 1
    assert asked.usage == {"calls": 0, "input_tokens": 0, "output_tokens": 0}


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_failure_that_passes_is_waited_for(server: FakeServer, status: int) -> None:
    server.queue.extend([Reply(error("busy"), status, SOON)] * 2)
    asked = asker(server)
    assert asked.ask("Write.").text == "import torch"
    assert len(server.requests) == 3
    assert asked.usage["calls"] == 1


def test_one_that_lasts_ends_in_one_line(server: FakeServer) -> None:
    server.queue.extend([Reply(error("busy"), 429, SOON)] * 3)
    with pytest.raises(OutageError, match=r"^openai:my-model takes no more requests now \(rate or budget\): wait, or"):
        asker(server).ask("Write.")
    assert len(server.requests) == 3


def test_a_server_that_wants_hours_is_not_waited_for(server: FakeServer) -> None:
    server.queue.append(Reply(error("tomorrow"), 429, {"Retry-After": "86400"}))
    with pytest.raises(OutageError, match="takes no more requests now"):
        asker(server).ask("Write.")
    assert len(server.requests) == 1


def test_a_provider_that_is_down_is_given_up(server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chat, "RETRIES", 0)
    server.fail(503, "down")
    for _ in range(3):
        with pytest.raises(OutageError, match="failed: Error code: 503"):
            asker(server, max_tokens=300).ask("Write.")
    with pytest.raises(OutageError, match=r"^openai:my-model failed 3 times in a row: it is asked again in 60 s$"):
        asker(server, max_tokens=300).ask("Write.")
    assert len(server.requests) == 3


@pytest.mark.parametrize("fault", [{"cut_after": 40}, {"stall_after": 40}])
def test_an_answer_that_breaks_off_is_asked_for_again(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch, fault: dict[str, Any]
) -> None:
    monkeypatch.setattr(chat, "TIMEOUT", 0.2)
    server.queue.append(Reply(completion(WORDS), **fault))
    asked = asker(server)
    assert asked.ask("Write it all.").text == "import torch"
    assert asked.usage == {"calls": 1, "input_tokens": 11 + 4, "output_tokens": 7 + 42}


@pytest.mark.parametrize(("fault", "how"), [({"cut_after": 9}, "broke off"), ({"stall_after": 9}, "fell silent")])
def test_one_that_breaks_off_every_time_is_an_outage(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch, fault: dict[str, Any], how: str
) -> None:
    monkeypatch.setattr(chat, "TIMEOUT", 0.2)
    monkeypatch.setattr(chat, "RETRIES", 1)
    server.queue.extend([Reply(completion(WORDS), **fault)] * 2)
    with pytest.raises(OutageError) as raised:
        asker(server).ask("Write.")
    assert str(raised.value) == f"openai:my-model {how} in the middle of its answer: try again"


def test_a_local_server_that_died_is_started_again(server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeServer() as dead:
        gone = dead.base_url
    places = [gone, server.base_url]

    def local_server(name: str) -> SimpleNamespace:
        return SimpleNamespace(base_url=places.pop(0), key="its own", model=name)

    monkeypatch.setattr("dlcodegen.models.local.server.local_server", local_server)
    monkeypatch.setattr(chat, "RETRIES", 1)
    assert Asker(Context(model="local:small"), "repair").ask("Write.").text == "import torch"
    assert server.authorizations == ["Bearer its own"]


def test_a_slow_stream_is_no_stalled_one(server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chat, "TIMEOUT", 0.3)
    server.pause = 0.05
    server.body = completion("word " * 12)
    assert asker(server).ask("Write.").text == "word " * 12
    assert len(server.requests) == 1


def test_an_error_reported_within_the_stream(server: FakeServer) -> None:
    server.queue.append(Reply(completion(WORDS), break_in=(20, error("overloaded"))))
    assert asker(server).ask("Write.").text == "import torch"


def test_broken_json_within_the_stream(server: FakeServer) -> None:
    server.queue.append(Reply(completion(WORDS), break_in=(20, '{"choices": [{')))
    with pytest.raises(ModelError, match="answered with something else than a chat completion"):
        asker(server).ask("Write.")


def test_an_answer_of_100_000_tokens_ends_at_its_limit(server: FakeServer) -> None:
    server.body = completion("word " * 100_000)
    asked = asker(server)
    answer = asked.ask("Write.", limit=50)
    assert answer.cut_off and answer.text == "word" + " word" * 50
    assert asked.usage["output_tokens"] == 73  # nobody told: by the text's length
    assert server.hung_up.wait(5) and server.sent < 90_000


def test_without_a_limit_it_ends_where_no_script_is_longer(server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dlcodegen.models.reading.ENDLESS", 100)
    server.body = completion("x" * 100_000)
    answer = asker(server).ask("Write.")
    assert answer.cut_off


def test_an_answer_that_the_provider_ended_at_the_limit_says_so(server: FakeServer) -> None:
    server.body = completion("import", finish_reason="length")
    assert asker(server).ask("Write.", limit=1).cut_off


@pytest.mark.parametrize("text", ["", "Sure! First, import torch. Then write the model yourself.", "{not json"])
def test_empty_answers_and_prose_are_the_writers_business(server: FakeServer, text: str) -> None:
    server.body = completion(text)
    assert asker(server).ask("Write.").text == text


def test_a_tool_call_that_nobody_asked_for_is_no_answer(server: FakeServer) -> None:
    server.body = completion(None, "tool_calls", tool_calls=tool_call("run_shell", {"command": "rm -rf /"}))
    assert asker(server).ask("Write.").text == ""
    assert asker(server).ask("How large?", schema=SCHEMA).text == ""


def test_a_prompt_that_the_model_cannot_hold(server: FakeServer) -> None:
    server.context = 100
    asked = asker(server)
    with pytest.raises(PromptTooLong, match=r"^the prompt is longer than openai:my-model can read: set samples to 1"):
        asked.ask("x" * 101)
    assert asked.ask("x" * 99).text == "import torch"


def test_what_a_provider_does_not_take_is_left_out(server: FakeServer) -> None:
    server.refused = {"temperature", "stop", "stream_options", "max_completion_tokens"}
    asked = asker(server)
    answer = asked.ask("Write.", temperature=0.7, limit=50, stop=["def "])
    assert answer == Answer("import torch", 2, 4)  # estimates: the counts come with stream_options
    assert len(server.requests) == 5
    asked.ask("Write.", temperature=0.7, limit=50, stop=["def "])
    assert len(server.requests) == 6, "known by now"


def test_a_limit_that_leaves_no_room_for_the_prompt_is_left_out_once(server: FakeServer) -> None:
    refusal = "max_completion_tokens is too large: 500. This model's maximum context length is 400 tokens"
    server.queue.append(Reply(error(refusal), 400))
    asked = asker(server)
    assert asked.ask("Write.", limit=500).text == "import torch"
    asked.ask("Write.", limit=50)
    assert [request.get("max_completion_tokens") for request in server.requests] == [500, None, 50]


def test_a_server_that_does_not_stream_is_asked_for_all_at_once(server: FakeServer) -> None:
    server.queue.append(Reply(completion("never seen"), streams=False))
    asked = asker(server)
    assert asked.ask("Write.") == Answer("import torch", 11, 7)
    asked.ask("Write.")
    assert [bool(request.get("stream")) for request in server.requests] == [True, False, False]
