"""Versions that a report must name. Read from the packages' metadata: nothing heavy is imported."""

import platform
from importlib import metadata

LIBRARIES = ("dlcodegen", "torch", "numpy", "langgraph", "langchain-core", "chromadb", "rank-bm25", "ruff")


def versions() -> dict[str, str]:
    """Python and the main libraries -> version, or `not installed`."""
    return {"python": platform.python_version()} | {name: _version(name) for name in LIBRARIES}


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not installed"
