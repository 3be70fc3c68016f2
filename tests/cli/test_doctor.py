import json

import pytest

from dlcodegen.cli.main import run


def test_keys_are_named_and_never_shown(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret-value")
    assert run(["doctor"]) == 0
    shown = capsys.readouterr().out
    assert "OPENAI_API_KEY is set" in shown
    assert "secret" not in shown


def test_json_has_every_section(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["doctor", "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert set(content) == {"versions", "computer", "sandbox", "dlcodegen", "chat models"}
    assert content["versions"]["torch"].startswith("2.")
    assert content["dlcodegen"]["sample pool"].endswith("categories")
    assert content["sandbox"]
