"""A server whose faults are ours, and nobody waits for long."""

from collections.abc import Iterator

import pytest

from dlcodegen.models import asking
from tests.fake_server import FakeServer, running


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with running() as fake:
        yield fake


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "RETRY_DELAY", 0.01)
