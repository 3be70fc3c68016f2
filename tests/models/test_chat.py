"""Names, keys and addresses become a model or one line that says what to type; failures of a server likewise."""

import sys
from typing import Any

import pytest
from langchain_core.messages import AIMessage
from langchain_core.runnables import RunnableLambda

from dlcodegen.context import Context
from dlcodegen.errors import DLCodeGenError, ModelError, SettingsError
from dlcodegen.models import chat
from dlcodegen.models.chat import Answer, ask, chat_model
from dlcodegen.models.scripted import ScriptedChatModel
from tests.fake_server import SCHEMA, FakeServer, completion

KEY = "sk-test-0123456789abcdefghijkl"


@pytest.fixture(autouse=True)
def no_keys_and_no_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    for names in chat.KEYS.values():
        for name in names:
            monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(chat, "RETRIES", 0)


def asked(context: Context, prompt: str = "Write a script.") -> Answer:
    return ask(chat_model(context), context, prompt)


def own_server(server: FakeServer, **settings: Any) -> Context:
    return Context(model="openai:my-model", base_url=server.base_url, **settings)


def one_line(error: DLCodeGenError) -> str:
    assert "\n" not in str(error)
    return str(error)


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("gpt-4o", "--model 'gpt-4o' names no provider: write 'openai:gpt-4o'"),
        ("openai/gpt-4o", "--model 'openai/gpt-4o' names no provider: write 'openai:gpt-4o'"),
        ("claude-opus", "--model 'claude-opus' names no provider: write 'anthropic:claude-opus'"),
        ("openai:", "--model 'openai:' names no model: write PROVIDER:NAME such as 'openai:gpt-4o-mini'"),
        ("scripted:", "--model 'scripted:' names no model: write PROVIDER:NAME such as 'scripted:FILE.json'"),
        ("openai:gpt-4o", "openai needs a key: set OPENAI_API_KEY"),
        ("local", "no local model is here: type `dlcodegen model pull qwen2.5-coder-1.5b`"),
    ],
)
def test_a_model_that_cannot_work_says_what_to_type(model: str, expected: str) -> None:
    with pytest.raises(SettingsError) as raised:
        chat_model(Context(model=model))
    assert one_line(raised.value) == expected


def test_an_unknown_provider_gets_a_list_and_a_way_out() -> None:
    with pytest.raises(SettingsError) as raised:
        chat_model(Context(model="llama3:8b"))
    message = one_line(raised.value)
    assert message.startswith("unknown provider 'llama3': take one of openai, anthropic, ")
    assert message.endswith("for a server of your own write --model openai:NAME --base-url URL")


def test_a_provider_whose_package_is_not_installed_is_one_pip_install_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "langchain_cohere", None)
    with pytest.raises(SettingsError) as raised:
        chat_model(Context(model="cohere:command-r"))
    assert one_line(raised.value) == "cohere models need one more package: pip install langchain-cohere"


@pytest.mark.parametrize(
    "address", ["localhost:8080", "ftp://host/v1", "http://", "http://[::1/v1", "http://h:port/v1", "http://a b/v1"]
)
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(SettingsError) as raised:
        chat_model(Context(model="openai:x", base_url=address))
    assert one_line(raised.value) == "--base-url is no web address: write one such as http://localhost:8080/v1"


def test_a_server_of_ones_own_needs_no_key(server: FakeServer) -> None:
    assert asked(own_server(server, seed=7)) == Answer("import torch", input_tokens=11, output_tokens=7)
    (request,) = server.requests
    assert request["messages"] == [{"role": "user", "content": "Write a script."}]
    assert (request["model"], request["seed"], request["stream"]) == ("my-model", 7, True)


def test_the_key_in_the_environment_is_used_but_never_shown(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    asked(own_server(server), f"My key is {KEY}.")
    assert server.authorizations == [f"Bearer {KEY}"]
    assert server.requests[0]["messages"][0]["content"] == "My key is [OPENAI_API_KEY]."
    assert KEY not in repr(chat_model(own_server(server)))


@pytest.mark.parametrize(("content", "text"), [(None, ""), ("", ""), ([{"type": "text", "text": "a"}], "a")])
def test_empty_answers_and_parts_are_text(server: FakeServer, content: object, text: str) -> None:
    server.body = completion(content)
    assert asked(own_server(server)).text == text


def test_no_server_at_the_address(server: FakeServer) -> None:
    server.server_close()
    port = server.server_port
    context = Context(model="openai:x", base_url=f"http://me:secret@127.0.0.1:{port}/v1?token=secret")
    with pytest.raises(SettingsError) as raised:
        asked(context)
    assert one_line(raised.value) == (
        f"no answer from http://127.0.0.1:{port}/v1: check that the server runs and that --base-url is right"
    )


@pytest.mark.parametrize(
    ("status", "kind", "expected"),
    [
        (401, SettingsError, "{url} refuses the key: check OPENAI_API_KEY"),
        (
            403,
            SettingsError,
            "{url} does not let this key use the model 'my-model': check OPENAI_API_KEY, or take another model",
        ),
        (
            404,
            SettingsError,
            "{url} has no model 'my-model': check --model, and that --base-url ends as the server wants it (/v1)",
        ),
        (
            429,
            ModelError,
            "openai:my-model takes no more requests now (rate or budget): wait, or take another model",
        ),
        (500, ModelError, "openai:my-model failed: Error code: 500 - no [key] here"),
    ],
)
def test_what_the_server_refuses_becomes_one_line(
    server: FakeServer, status: int, kind: type[DLCodeGenError], expected: str
) -> None:
    server.fail(status, f"no\n {KEY} here")
    with pytest.raises(kind) as raised:
        asked(own_server(server))
    assert one_line(raised.value) == expected.format(url=server.base_url)


def test_a_prompt_that_is_too_long_is_something_the_user_can_mend(server: FakeServer) -> None:
    server.fail(400, "the request exceeds the available context size")
    with pytest.raises(SettingsError) as raised:
        asked(own_server(server))
    assert one_line(raised.value) == (
        "the prompt is longer than openai:my-model can read: set samples to 1, or take a model with a longer context"
    )


@pytest.mark.parametrize("body", ["<html>It works!</html>", '{"choices": []}', "{"])
def test_an_answer_that_is_no_completion(server: FakeServer, body: str) -> None:
    server.body = body
    with pytest.raises(ModelError, match=r"openai:my-model answered with something else than .* ends as .* \(/v1\)"):
        asked(own_server(server))


def test_a_server_that_takes_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chat, "TIMEOUT", 0.05)
    with FakeServer() as silent, pytest.raises(ModelError) as raised:  # takes the connection, and nobody answers
        asked(own_server(silent))
    assert one_line(raised.value) == ("openai:my-model gave no answer in time: try again, or take a smaller model")


def test_an_answer_by_schema_is_asked_for_as_the_provider_has_it(server: FakeServer) -> None:
    server.body = completion('{"size": 3}')
    context = own_server(server)
    answer = ask(chat_model(context), context, "How large?", SCHEMA)
    assert answer == Answer('{"size": 3}', input_tokens=11, output_tokens=7)
    (request,) = server.requests
    wanted = request["response_format"]
    assert (wanted["type"], wanted["json_schema"]["name"]) == ("json_schema", "size")
    assert wanted["json_schema"]["schema"]["properties"] == SCHEMA["properties"]


@pytest.mark.parametrize("status", [400, 422, 500, 501])
def test_a_server_that_refuses_the_schema_is_asked_plainly(server: FakeServer, status: int) -> None:
    server.refusal, context = status, own_server(server)
    assert ask(chat_model(context), context, "How large?", SCHEMA).text == "import torch"
    assert ["response_format" in request for request in server.requests] == [True, False]


def test_a_server_that_ignores_the_schema_gives_its_text(server: FakeServer) -> None:
    server.body, context = completion("About three."), own_server(server)
    assert ask(chat_model(context), context, "How large?", SCHEMA).text == "About three."
    assert len(server.requests) == 1


def test_an_answer_by_schema_that_breaks_off_is_asked_for_plainly(server: FakeServer) -> None:
    server.body, context = completion('{"size": 3', finish_reason="length"), own_server(server)
    assert ask(chat_model(context), context, "How large?", SCHEMA).text == '{"size": 3'


@pytest.mark.parametrize(("status", "kind"), [(401, SettingsError), (404, SettingsError), (429, ModelError)])
def test_what_no_plain_question_would_mend_is_said_at_once(
    server: FakeServer, status: int, kind: type[DLCodeGenError]
) -> None:
    server.fail(status, "no")
    context = own_server(server)
    with pytest.raises(kind):
        ask(chat_model(context), context, "How large?", SCHEMA)
    assert len(server.requests) == 1


def test_what_a_tool_was_called_with_is_the_answer() -> None:
    class ByTool(ScriptedChatModel):
        """Knows structured output by tools alone, as some providers do."""

        def bind_tools(self, tools: Any, **kwargs: Any) -> Any:
            call = {"name": "size", "args": {"size": 3}, "id": "1"}
            return RunnableLambda(lambda _: AIMessage(content="Here it is.", tool_calls=[call]))

    assert ask(ByTool(), Context(model="scripted:x"), "How large?", SCHEMA).text == '{"size": 3}'


def test_an_answer_by_schema_stays_out_of_the_chat_that_langgraph_streams(server: FakeServer) -> None:
    from langgraph.graph import START, MessagesState, StateGraph

    context = own_server(server)

    def node(state: MessagesState) -> dict[str, str]:
        ask(chat_model(context), context, "How large?", SCHEMA)
        return {}

    graph = StateGraph(MessagesState).add_node("node", node).add_edge(START, "node").compile()
    assert list(graph.stream({"messages": []}, stream_mode="messages")) == []
    assert len(server.requests) == 1
