"""For all tests: no network beyond loopback, no keys, a cache of their own, and quiet libraries."""

import os
import random
import sys
from pathlib import Path

import numpy as np
import pytest
from pytest_socket import socket_allow_hosts

# Tests run side by side: threads that wait by spinning would starve them. Said before a test module loads torch, which
# reads it once.
os.environ["OMP_NUM_THREADS"] = "1"
KEYS = ("_API_KEY", "_TOKEN", "LANGSMITH_", "LANGCHAIN_")


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Indexes and the user's corpus go to temporary folders; child processes inherit it."""
    os.environ["DLCODEGEN_CACHE"] = str(tmp_path_factory.mktemp("cache"))
    os.environ["DLCODEGEN_DATA"] = str(tmp_path_factory.mktemp("data"))
    os.environ.pop("DLCODEGEN_CHROMA", None)


@pytest.fixture(autouse=True)
def loopback_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test that would leave this computer fails, and no key of the developer's is in reach."""
    socket_allow_hosts(["127.0.0.1", "localhost"], allow_unix_socket=True)
    for name in list(os.environ):
        if any(part in name for part in KEYS):
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def same_draws() -> None:
    """What a test draws at random is the same in every run (Keras takes its seeds from Python's), and in any order."""
    random.seed(1)
    np.random.seed(1)
    if torch := sys.modules.get("torch"):  # never loaded for a test that does without
        torch.manual_seed(1)


@pytest.fixture
def repository() -> Path:
    return Path(__file__).parents[1]
