"""The optional second opinion: vectors of an embedding model behind a real HTTP server, kept in a real Chroma store."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from dlcodegen.context import Context
from dlcodegen.corpus.dense import DenseOpinion, fused
from dlcodegen.corpus.pool import shipped_pool
from dlcodegen.corpus.texts import tokens
from dlcodegen.errors import SettingsError
from dlcodegen.models.embeddings import embedder
from dlcodegen.nodes.retrieve import retrieve
from dlcodegen.state import State

IDS = ["translation/seq2seq-attention", "summarization/transformer", "image-segmentation/unet-binary"]


class EmbeddingServer(ThreadingHTTPServer):
    """Answers /v1/embeddings with vectors of hashed words: texts with common words are near each other."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.texts: list[str] = []
        self.status = 200

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"


class _Handler(BaseHTTPRequestHandler):
    server: EmbeddingServer

    def do_POST(self) -> None:
        given = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["input"]
        self.server.texts += given
        data = [{"object": "embedding", "index": n, "embedding": _vector(text)} for n, text in enumerate(given)]
        body = json.dumps({"object": "list", "data": data, "model": "words", "usage": {"prompt_tokens": 1}}).encode()
        self.send_response(self.server.status)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


def _vector(text: str) -> list[float]:
    vector = [0.0] * 512
    for word in tokens(text):
        vector[sum(map(ord, word)) * 31 % 512] += 1.0
    return vector


@pytest.fixture
def server() -> Iterator[EmbeddingServer]:
    with EmbeddingServer() as running:
        Thread(target=running.serve_forever, daemon=True).start()
        yield running
        running.shutdown()


def test_the_nearest_text_comes_first_and_vectors_are_made_once(server: EmbeddingServer, tmp_path: Path) -> None:
    opinion = DenseOpinion("words", embedder("openai:words", server.url), tmp_path)
    order = opinion.order("segment polyps with a binary U-Net mask", IDS, shipped_pool())
    assert order[0] == "image-segmentation/unet-binary"
    assert sorted(order) == sorted(IDS)
    assert len(server.texts) == len(IDS) + 1
    again = DenseOpinion("words", embedder("openai:words", server.url), tmp_path)
    assert again.order("translate sentences", IDS, shipped_pool())[0] == "translation/seq2seq-attention"
    assert len(server.texts) == len(IDS) + 2, "only the query is embedded"
    assert opinion.order("anything", [], shipped_pool()) == []


def test_a_run_asks_for_it_only_when_a_model_is_named(
    server: EmbeddingServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DLCODEGEN_CACHE", str(tmp_path))
    plan = shipped_pool().shipped["translation/seq2seq-attention"].plan
    request = {"requirement": "translate sentences", "framework": "pytorch", "facts": []}
    state: State = {"request": request, "plan": plan.to_paper(), "category_samples": IDS[:1]}  # type: ignore[typeddict-item]
    assert retrieve(state, Context())["samples"][0] == IDS[0]
    assert server.texts == []
    with_model = Context(embeddings="openai:words", embeddings_url=server.url)
    assert retrieve(state, with_model)["samples"][0] == IDS[0]
    assert "translate sentences" in server.texts


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("words", "names no model: write PROVIDER:NAME"),
        ("openai:", "names no model: write PROVIDER:NAME"),
        ("nobody:x", "embeddings nobody:x cannot be set up"),
        ("cohere:x", "cohere embeddings need one more package: pip install langchain-cohere"),
    ],
)
def test_a_name_that_cannot_work_is_one_line(name: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        embedder(name, "http://127.0.0.1:9/v1")


def test_a_server_that_is_down_is_one_line() -> None:
    with pytest.raises(SettingsError, match=r"the embedding model openai:x at http://127.0.0.1:9\S* does not answer"):
        embedder("openai:x", "http://127.0.0.1:9/v1")(["text"])


def test_fusion_prefers_what_stands_high_in_both() -> None:
    scores = fused(["a", "b", "c"], ["b", "a", "d"])
    assert scores["a"] == scores["b"] > scores["c"] == scores["d"] > 0
