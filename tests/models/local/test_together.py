"""Several answers of the model on this computer: one request, in which the prompt is read once."""

from unittest.mock import patch

from dlcodegen.context import Context
from dlcodegen.models.asking import Asker
from dlcodegen.models.chat import chat_model
from tests.fake_server import running


def test_several_answers_are_one_request() -> None:
    with running() as fake:
        context = Context(model="openai:small", base_url=fake.base_url)
        with patch("dlcodegen.models.asking.chat_model", return_value=chat_model(context)):
            asker = Asker(Context(model="local"), "draft")
        answers = asker.several("Write a function.", 4, temperature=0.7, limit=50)
        (request,) = fake.requests
    assert (request["n"], request["temperature"]) == (4, 0.7)
    assert not request.get("stream")
    assert [answer.text for answer in answers] == ["import torch"]
    assert asker.usage["calls"] == 1
