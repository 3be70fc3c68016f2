"""The local model's server: started on demand, reused, started once more when killed, gone with whoever started it."""

import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import platformdirs
import pytest

from dlcodegen.cli.main import run
from dlcodegen.context import Context
from dlcodegen.errors import ModelError, SettingsError
from dlcodegen.models.asking import Asker
from dlcodegen.models.chat import ask, chat_model
from dlcodegen.models.local.catalogue import MODELS
from dlcodegen.models.local.server import LocalServer, check_local_models, local_server, stop_servers
from dlcodegen.models.local.store import models_folder

LOCAL = Context(model="local")


@pytest.fixture(autouse=True)
def pulled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The small model is here, as a file of the right size, and a stand-in runs it. Gives the folder of the models."""
    monkeypatch.setenv("DLCODEGEN_CACHE", str(tmp_path / "cache"))
    (tmp_path / "package").mkdir()
    shutil.copy(Path(__file__).with_name("fake_llama.py"), tmp_path / "package" / "xllamacpp.py")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "package"))
    monkeypatch.syspath_prepend(tmp_path / "package")
    models_folder().mkdir(parents=True)
    with (models_folder() / MODELS[1].file).open("wb") as file:
        file.truncate(MODELS[1].size)
    yield models_folder()
    stop_servers()


def answered(context: Context = LOCAL) -> dict[str, object]:
    """What the stand-in tells of itself."""
    told: dict[str, object] = json.loads(ask(chat_model(context), context, "Hello").text.removeprefix("It "))
    return told


def is_gone(process_id: int) -> bool:
    for _ in range(100):
        try:
            os.kill(process_id, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


def test_it_is_started_on_demand_and_reused(pulled: Path) -> None:
    told = answered()
    server = local_server()
    assert told["path"] == str(pulled / MODELS[1].file)
    assert told["slots"] == 4
    answered(Context(model=f"local:{MODELS[1].name}"))
    assert local_server() is server
    stop_servers()
    assert is_gone(server.process_id)


def test_nothing_but_its_own_key_opens_it() -> None:
    request = urllib.request.Request(f"{local_server().base_url}/chat/completions", b"{}")
    with pytest.raises(urllib.error.HTTPError, match="401") as refused:
        urllib.request.urlopen(request)
    refused.value.close()


def test_no_key_is_handed_to_it_where_others_could_see_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-0123456789abcdef")
    environment = answered()["environment"]
    assert isinstance(environment, list)
    assert "PATH" in environment
    assert "OPENAI_API_KEY" not in environment
    process = Path(f"/proc/{local_server().process_id}")
    if process.exists():  # Linux
        seen = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
        assert local_server().key.encode() not in seen


def test_a_proxy_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    assert answered()


def test_killed_in_the_middle_of_an_answer_it_is_started_once_more(pulled: Path) -> None:
    server = local_server()
    before, address = server.process_id, server.base_url
    (pulled / "dies").touch()
    assert "slots" in Asker(LOCAL, "draft").ask("Hello").text
    assert local_server() is server
    assert server.process_id != before
    assert server.base_url == address
    os.kill(server.process_id, signal.SIGKILL)  # for good; whoever comes next gets another one
    server.wait()
    assert not server.is_alive()
    assert local_server() is not server
    assert answered()


def test_it_dies_with_whoever_started_it() -> None:
    code = """
import os, signal
from dlcodegen.models.local.server import local_server
print(local_server().process_id, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    owner = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert owner.returncode == -signal.SIGKILL
    assert is_gone(int(owner.stdout))


def test_a_model_that_does_not_load_says_why(pulled: Path) -> None:
    (pulled / "broken").touch()
    with pytest.raises(ModelError) as raised:
        chat_model(LOCAL)
    assert str(raised.value).startswith(
        "the local model qwen2.5-coder-0.5b does not start: RuntimeError: failed to load the model; if its file is"
    )


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("local:qwen2.5-coder-1.5b", "the local model qwen2.5-coder-1.5b is not here: type `dlcodegen model pull qwen"),
        ("local:gpt-5", "there is no local model 'gpt-5': take one of qwen2.5-coder-1.5b, qwen2.5-coder-0.5b"),
        ("local:", "--model 'local:' names no model: write PROVIDER:NAME such as 'local:qwen2.5-coder-1.5b'"),
    ],
)
def test_a_model_that_is_not_here_says_what_to_type(name: str, expected: str) -> None:
    with pytest.raises(SettingsError) as raised:
        chat_model(Context(model=name))
    assert str(raised.value).startswith(expected)


def test_without_any_model_it_says_how_to_get_one(pulled: Path) -> None:
    (pulled / MODELS[1].file).unlink()
    with pytest.raises(SettingsError, match="type `dlcodegen model pull qwen2"):
        chat_model(LOCAL)


def test_without_its_package_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "xllamacpp", None)
    with pytest.raises(SettingsError, match=r"pip install 'dlcodegen\[local\]'"):
        chat_model(LOCAL)


def test_serve_keeps_one_until_ctrl_c() -> None:
    command = [sys.executable, "-m", "dlcodegen", "model", "serve"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as serving:
        assert serving.stdout is not None
        address = serving.stdout.readline().split()[-1]
        assert address.startswith("http://127.0.0.1:")
        serving.send_signal(signal.SIGINT)
        _, said = serving.communicate(timeout=30)
    assert serving.returncode == 0
    key = said.split("the key: ")[1].split()[0]
    assert said.count(key) == 1
    assert f"--base-url {address}" in said
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(address)


def test_a_port_that_is_taken_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    taken = LocalServer()
    port = taken.base_url.split(":")[2].split("/")[0]
    assert run(["model", "serve", "--port", port]) == 2
    assert f"port {port} cannot be had (Address already in use): take another one" in capsys.readouterr().err
    taken.stop()


@pytest.mark.slow
def test_the_real_one_writes_python(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DLCODEGEN_CACHE", str(platformdirs.user_cache_path("dlcodegen")))
    monkeypatch.delenv("PYTHONPATH")
    sys.path.pop(0)
    if not any((models_folder() / model.file).exists() for model in MODELS):
        pytest.skip("no local model is here: dlcodegen model pull")
    pytest.importorskip("xllamacpp", reason="pip install 'dlcodegen[local]'")
    answers = Asker(LOCAL, "draft").several(
        "Write a Python function `double(x)`. Code only.", 4, temperature=0.7, limit=60
    )
    assert len(answers) == 4
    assert all("def double" in answer.text for answer in answers)


@pytest.mark.parametrize(
    "context",
    [
        LOCAL,
        Context(model_plan="local"),
        Context(model_draft="local"),
        Context(model="openai:gpt-4o", model_merge="local"),
        Context(model_repair="local"),
    ],
)
def test_a_role_whose_local_model_is_not_here_is_told_before_anything_is_done(context: Context, pulled: Path) -> None:
    check_local_models(context)
    (pulled / MODELS[1].file).unlink()
    with pytest.raises(SettingsError, match="model pull"):
        check_local_models(context)
    check_local_models(Context(model="openai:gpt-4o"))


def test_a_missing_package_is_told_before_anything_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SettingsError, match=r"pip install 'dlcodegen\[local\]'"):
        check_local_models(LOCAL)
