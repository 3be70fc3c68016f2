"""An OpenAI-compatible server on this computer, whose answers, and whose faults, a test sets."""

import json
import re
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from typing import Any

from dlcodegen.context import Context
from dlcodegen.models.asking import Asker
from dlcodegen.report import Usage

OVERFLOW = "the request exceeds the available context size"
SCHEMA = {
    "title": "size",
    "type": "object",
    "properties": {"size": {"type": "integer"}},
    "required": ["size"],
    "additionalProperties": False,
}
"""Something to be answered by."""


@dataclass(frozen=True)
class Reply:
    """What one request gets."""

    body: str
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    streams: bool = True
    """Whether a request for a stream gets one, where the body is a completion."""
    counts: bool = True
    """Whether the stream ends with its token counts, for those who ask."""
    cut_after: int | None = None
    """Pieces of the stream after which the connection is cut."""
    stall_after: int | None = None
    """Pieces of the stream after which nothing more comes."""
    break_in: tuple[int, str] | None = None
    """A piece of the stream, and what comes in its place."""


class FakeServer(ThreadingHTTPServer):
    """Answers chat completions by the next of `queue`, and when that is empty always by `status` and `body`. Keeps what
    it was sent.

    Whoever asks for a stream gets the words of the completion one by one. With `refusal`, a request for structured
    output is answered by that status instead; one with a parameter of `refused` by a 400 that names it; one whose
    prompt is longer than `context` characters by what llama.cpp says then.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.queue: deque[Reply] = deque()
        self.status = 200
        self.body = completion("import torch")
        self.refusal: int | None = None
        self.refused: set[str] = set()
        self.context: int | None = None
        self.requests: list[dict[str, Any]] = []
        self.authorizations: list[str | None] = []
        self.pause = 0.0
        """Seconds before each piece of a stream."""
        self.sent = 0
        """Pieces of streams that went out."""
        self.hung_up = Event()
        """Somebody closed a connection before the end of a stream."""
        self.closing = Event()
        self._lock = Lock()

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"

    def fail(self, status: int, message: str) -> None:
        self.status, self.body = status, error(message)

    def reply_to(self, request: dict[str, Any]) -> Reply:
        prompt = "".join(str(message["content"]) for message in request["messages"])
        named = sorted(self.refused & request.keys())
        if self.refusal and {"response_format", "tools"} & request.keys():
            return Reply(error("response_format is unknown here"), self.refusal)
        if named:
            return Reply(error(f"Unsupported parameter: '{named[0]}'"), 400)
        if self.context is not None and len(prompt) > self.context:
            return Reply(error(OVERFLOW), 400)
        with self._lock:
            return self.queue.popleft() if self.queue else Reply(self.body, self.status)


class _Handler(BaseHTTPRequestHandler):
    server: FakeServer
    protocol_version = "HTTP/1.1"  # with chunks: a connection that is cut is no answer that has ended

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.requests.append(request)
        self.server.authorizations.append(self.headers["Authorization"])
        reply = self.server.reply_to(request)
        pieces = _pieces(reply, request) if request.get("stream") and reply.streams else None
        self.send_response(reply.status)
        for name, value in {"Connection": "close", **reply.headers}.items():
            self.send_header(name, value)
        if pieces is None:
            self.send_header("Content-Type", "application/json" if reply.body.startswith("{") else "text/html")
            self.send_header("Content-Length", str(len(reply.body.encode())))
            self.end_headers()
            self.wfile.write(reply.body.encode())
            return
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        try:
            self._stream(pieces, reply)
        except OSError:
            self.server.hung_up.set()

    def _stream(self, pieces: Iterator[str], reply: Reply) -> None:
        for number, piece in enumerate(pieces):
            if number == reply.cut_after:
                return
            if number == reply.stall_after:
                self.server.closing.wait()
                return
            if reply.break_in and number == reply.break_in[0]:
                piece = reply.break_in[1]  # noqa: PLW2901
            self.server.closing.wait(self.server.pause)
            event = f"data: {piece}\n\n".encode()
            self.wfile.write(b"%x\r\n%s\r\n" % (len(event), event))
            self.server.sent += 1
        self.wfile.write(b"0\r\n\r\n")

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


def completion(content: object, finish_reason: str = "stop", **message: object) -> str:
    choice = {
        "index": 0,
        "finish_reason": finish_reason,
        "message": {"role": "assistant", "content": content, **message},
    }
    usage = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}
    return json.dumps({"id": "1", "object": "chat.completion", "created": 1, "choices": [choice], "usage": usage})


def tool_call(name: str, arguments: dict[str, Any]) -> list[dict[str, Any]]:
    """The `tool_calls` of a message."""
    function = {"name": name, "arguments": json.dumps(arguments)}
    return [{"index": 0, "id": "call-1", "type": "function", "function": function}]


def error(message: str) -> str:
    return json.dumps({"error": {"message": message}})


def _pieces(reply: Reply, request: dict[str, Any]) -> Iterator[str] | None:
    """The events of the stream; None where the body is no completion of text, which is then sent in one piece."""
    try:
        whole = json.loads(reply.body)
        choice = whole["choices"][0]
    except (json.JSONDecodeError, KeyError, IndexError):
        return None
    if isinstance(choice["message"]["content"], list):
        return None
    with_counts = reply.counts and request.get("stream_options", {}).get("include_usage")
    return _events(whole, choice, bool(with_counts))


def _events(whole: dict[str, Any], choice: dict[str, Any], with_counts: bool) -> Iterator[str]:
    def event(choices: list[dict[str, Any]], **more: object) -> str:
        return json.dumps({"id": "1", "object": "chat.completion.chunk", "created": 1, "choices": choices, **more})

    def delta(finish_reason: str | None = None, **parts: object) -> str:
        return event([{"index": 0, "delta": parts, "finish_reason": finish_reason}])

    message = dict(choice["message"])
    content = message.pop("content") or ""
    yield delta(**message, content="")
    for word in re.finditer(r"\s*\S+|\s+$", content):
        yield delta(content=word.group())
    yield delta(finish_reason=choice["finish_reason"])
    if with_counts:
        yield event([], usage=whole["usage"])
    yield "[DONE]"


def asker(server: FakeServer, spent: Usage | None = None, **settings: Any) -> Asker:
    """Who asks it, as a stage would."""
    return Asker(Context(model="openai:my-model", base_url=server.base_url, **settings), "draft", spent)


@contextmanager
def running() -> Iterator[FakeServer]:
    """The server, taking requests."""
    with FakeServer() as fake:
        thread = Thread(target=fake.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield fake
        fake.closing.set()
        fake.shutdown()
        thread.join()
