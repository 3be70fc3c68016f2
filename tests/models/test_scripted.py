"""The scripted model answers the same way every time, and a file of answers is a model."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from dlcodegen.context import Context
from dlcodegen.errors import ModelError, SettingsError
from dlcodegen.models.chat import ask, chat_model
from dlcodegen.models.scripted import ScriptedChatModel

CONTEXT = Context(model="scripted:answers.json")


def test_answers_come_in_order_and_prompts_are_kept() -> None:
    model = ScriptedChatModel(answers=["first", "second one"])
    assert [ask(model, CONTEXT, prompt).text for prompt in ("a", "b c")] == ["first", "second one"]
    assert model.history == ["a", "b c"]


def test_words_count_as_tokens() -> None:
    answer = ask(ScriptedChatModel(answers=["one two three"]), CONTEXT, "four words are here")
    assert (answer.input_tokens, answer.output_tokens) == (4, 3)


def test_answers_stay_out_of_the_chat_that_langgraph_streams() -> None:
    from langgraph.graph import START, MessagesState, StateGraph

    def node(state: MessagesState) -> dict[str, str]:
        ask(ScriptedChatModel(answers=["a draft"]), CONTEXT, "draft")
        return {}

    graph = StateGraph(MessagesState).add_node("node", node).add_edge(START, "node").compile()
    assert list(graph.stream({"messages": []}, stream_mode="messages")) == []


def test_after_the_last_answer_asking_is_an_error() -> None:
    model = ScriptedChatModel(answers=["only"])
    ask(model, CONTEXT, "first")
    with pytest.raises(ModelError, match="no answer left for the prompt '# Task: merge'"):
        ask(model, CONTEXT, "# Task: merge\nmore")


def test_rules_answer_whatever_the_order_of_the_questions() -> None:
    model = ScriptedChatModel(rules=[("Task: merge", "merged"), ("", "anything")])
    prompts = ["# Task: merge", "# Task: repair"] * 8
    with ThreadPoolExecutor(4) as pool:
        texts = list(pool.map(lambda prompt: ask(model, CONTEXT, prompt).text, prompts))
    assert texts == ["merged", "anything"] * 8
    assert sorted(model.history) == sorted(prompts)


@pytest.mark.parametrize("content", [["hello"], {"answers": ["hello"]}, {"rules": [["hi", "hello"]]}])
def test_a_file_is_a_model(tmp_path: Path, content: object) -> None:
    path = tmp_path / "answers.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    context = Context(model=f"scripted:{path}")
    assert ask(chat_model(context), context, "hi").text == "hello"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("[1", "is no JSON: "),
        ('{"answer": []}', "is no script of answers: write {"),
        ('["a", 1]', "is no script of answers: write {"),
        ("7", "is no script of answers: write {"),
    ],
)
def test_a_file_that_is_no_script(tmp_path: Path, content: str, expected: str) -> None:
    path = tmp_path / "answers.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(SettingsError) as raised:
        chat_model(Context(model=f"scripted:{path}"))
    assert expected in str(raised.value) and "\n" not in str(raised.value)


def test_a_file_that_is_missing() -> None:
    with pytest.raises(SettingsError, match=r"nowhere\.json cannot be read: give --model scripted:FILE\.json"):
        chat_model(Context(model="scripted:nowhere.json"))
