"""An OpenAI-compatible server on this computer, whose answers a test sets."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any


class FakeServer(ThreadingHTTPServer):
    """Answers every chat completion with `status` and `body`, and keeps what it was sent.

    With `refusal`, a request for structured output is answered by that status instead.
    """

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status = 200
        self.body = completion("import torch")
        self.refusal: int | None = None
        self.requests: list[dict[str, Any]] = []
        self.authorizations: list[str | None] = []

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"

    def fail(self, status: int, message: str) -> None:
        self.status, self.body = status, json.dumps({"error": {"message": message}})


class _Handler(BaseHTTPRequestHandler):
    server: FakeServer

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        request = json.loads(self.rfile.read(length))
        self.server.requests.append(request)
        self.server.authorizations.append(self.headers["Authorization"])
        status, body = self.server.status, self.server.body
        if self.server.refusal and {"response_format", "tools"} & request.keys():
            status, body = self.server.refusal, json.dumps({"error": {"message": "response_format is unknown here"}})
        self.send_response(status)
        self.send_header("Content-Type", "application/json" if body.startswith("{") else "text/html")
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


def completion(content: object, finish_reason: str = "stop") -> str:
    choice = {"index": 0, "finish_reason": finish_reason, "message": {"role": "assistant", "content": content}}
    usage = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}
    return json.dumps({"id": "1", "object": "chat.completion", "created": 1, "choices": [choice], "usage": usage})


@contextmanager
def running() -> Iterator[FakeServer]:
    """The server, taking requests."""
    with FakeServer() as fake:
        thread = Thread(target=fake.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield fake
        fake.shutdown()
        thread.join()
