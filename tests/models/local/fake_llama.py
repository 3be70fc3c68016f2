"""Takes the place of `xllamacpp` in the child process: a test copies it there under that name.

It answers with what it knows: its settings and its environment. Beside the model's file, a file `broken` makes it fail
at loading, and `dies` makes it die once, in the middle of an answer.
"""

import json
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from types import SimpleNamespace

common_speculative_type = SimpleNamespace(COMMON_SPECULATIVE_TYPE_NGRAM_SIMPLE=6)


class CommonParams:
    def __init__(self) -> None:
        self.model = SimpleNamespace(path="")
        self.port = 0
        self.api_keys: list[str] = []
        self.n_parallel = self.n_ctx = self.cache_ram_mib = 0
        self.kv_unified = self.cache_prompt = self.use_jinja = self.ui = False
        self.cpuparams, self.cpuparams_batch = SimpleNamespace(n_threads=-1), SimpleNamespace(n_threads=-1)
        self.speculative = SimpleNamespace(types=[])
        self.verbosity = 3


class Server:
    def __init__(self, params: CommonParams) -> None:
        folder = Path(params.model.path).parent
        if (folder / "broken").exists():
            raise RuntimeError("failed to load\nthe model")
        self._http = ThreadingHTTPServer(("127.0.0.1", params.port), _Handler)
        self._http.params, self._http.folder = params, folder  # type: ignore[attr-defined]
        Thread(target=self._http.serve_forever, daemon=True).start()

    @property
    def listening_address(self) -> str:
        return f"http://127.0.0.1:{self._http.server_port}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # an answer that breaks off can be told from one that ends

    def do_POST(self) -> None:
        params, folder = self.server.params, self.server.folder  # type: ignore[attr-defined]
        self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers["Authorization"] != f"Bearer {params.api_keys[0]}":
            self.send_error(401)
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self._say({"content": "It "})
        if (folder / "dies").exists():
            (folder / "dies").unlink()
            os._exit(137)
        told = {"environment": sorted(os.environ), "slots": params.n_parallel, "path": params.model.path}
        self._say({"content": json.dumps(told)}, "stop")
        self._write("data: [DONE]\n\n")
        self.wfile.write(b"0\r\n\r\n")

    def _say(self, delta: dict[str, str], finish: str | None = None) -> None:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        chunk = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}
        self._write(f"data: {json.dumps(chunk)}\n\n")

    def _write(self, text: str) -> None:
        self.wfile.write(f"{len(text):x}\r\n{text}\r\n".encode())
        self.wfile.flush()

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""
