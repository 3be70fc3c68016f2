"""A real `langgraph dev` server on loopback, driven by its SDK: chat, form, progress, final files."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from langgraph_sdk import get_client

SENTENCE = "Predict the energy use of buildings from 8 numeric features, batch size 16"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server of this repository; it and all it started end with the module."""
    root = Path(__file__).parents[2]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = tmp_path_factory.mktemp("server") / "log"
    offline = {"LANGGRAPH_NO_VERSION_CHECK": "true", "LANGGRAPH_CLI_NO_ANALYTICS": "1", "LANGSMITH_TRACING": "false"}
    command = [
        sys.executable, "-m", "langgraph_cli", "dev", "--host", "127.0.0.1", "--port", str(port), "--no-browser",
        "--no-reload", "--n-jobs-per-worker", "4", "--config", str(root / "langgraph.json"),
    ]  # fmt: skip
    with log.open("w") as output:
        process = subprocess.Popen(
            command,
            cwd=root, stdout=output, stderr=subprocess.STDOUT, start_new_session=True, env={**os.environ, **offline},
        )  # fmt: skip
    try:
        _wait(f"http://127.0.0.1:{port}/ok", process, log)
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _wait(address: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    for _ in range(240):
        if process.poll() is not None:
            break
        try:
            urllib.request.urlopen(address, timeout=2).close()
        except OSError:
            time.sleep(0.5)
        else:
            return
    pytest.fail(f"the server did not start:\n{log.read_text()[-3000:]}")


async def _run(server: str, given: dict[str, Any]) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Progress events and the final state of one run."""
    events: list[dict[str, Any]] = []
    state: dict[str, Any] = {}
    async with get_client(url=server) as client:
        thread = await client.threads.create()
        stream = client.runs.stream(thread["thread_id"], "dlcodegen", input=given, stream_mode=["custom", "values"])
        async for part in stream:
            if part.event == "custom":
                events.append(part.data)
            elif part.event == "values":
                state = part.data
            assert part.event != "error", part.data
    return events, state


async def test_chat_input_gives_progress_and_a_checked_project(server: str) -> None:
    events, state = await _run(server, {"messages": [{"role": "user", "content": SENTENCE}]})
    assert state["status"] == "passed"
    assert "batch_size: int = 16" in state["files"]["main.py"]
    assert "num_features: int = 8" in state["files"]["main.py"]
    assert state["messages"][-1]["type"] == "ai"
    done = [event["stage"] for event in events if event["status"] == "done"]
    assert {"plan", "retrieve", "check_drafts", "merge", "check", "deliver"} <= set(done)


async def test_form_input_and_context_work(server: str) -> None:
    form = {"requirement": "sentiment of tweets", "dataset": "Classes: 3", "framework": "pytorch"}
    async with get_client(url=server) as client:
        state = await client.runs.wait(None, "dlcodegen", input=form, context={"check": False, "samples": 1})
    assert isinstance(state, dict)
    assert state["status"] == "unchecked"
    assert "num_classes: int = 3" in state["files"]["main.py"]


async def test_nothing_to_work_on_is_an_answer_not_an_error(server: str) -> None:
    _, state = await _run(server, {"messages": [{"role": "user", "content": "hello"}]})
    assert state["status"] == "needs_input"


async def test_studio_gets_its_forms(server: str) -> None:
    async with get_client(url=server) as client:
        assistant = (await client.assistants.search(graph_id="dlcodegen"))[0]
        schemas = await client.assistants.get_schemas(assistant["assistant_id"])
    form = (schemas["input_schema"] or {})["properties"]
    assert {"messages", "requirement", "dataset", "data", "framework"} <= set(form)
    settings = (schemas["context_schema"] or {})["properties"]
    assert settings["model"]["description"].startswith("Chat model")
    assert settings["check"]["default"] is True
