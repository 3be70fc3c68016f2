"""`import dlcodegen` is cheap and offers exactly what it says."""

import subprocess
import sys

import dlcodegen


def test_importing_the_package_imports_nothing_heavy() -> None:
    code = "import sys, dlcodegen; print(*sorted({name.split('.')[0] for name in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"torch", "langgraph", "langchain_core", "pydantic", "chromadb"} & set(loaded)


def test_every_public_name_is_there() -> None:
    for name in dlcodegen.__all__:
        assert getattr(dlcodegen, name)
    assert set(dir(dlcodegen)) == set(dlcodegen.__all__)
