"""Import names, distributions, and pinned requirements."""

from importlib import metadata

import pytest

from dlcodegen.execution.packages import import_problem, required_distributions


def test_what_is_imported_is_pinned_and_sorted() -> None:
    code = "import torch.nn as nn\nfrom PIL import Image\nimport json\n\ndef f():\n    import numpy\n"
    lines = required_distributions(code)
    assert [line.split("==")[0] for line in lines] == ["numpy", "pillow", "torch"]
    assert lines[1] == f"pillow=={metadata.version('pillow')}"


def test_the_name_of_a_local_build_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metadata, "version", lambda distribution: "2.6.0+cpu")
    assert required_distributions("import torch") == ["torch==2.6.0"]


def test_what_is_not_installed_has_no_version(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(distribution: str) -> str:
        raise metadata.PackageNotFoundError

    monkeypatch.setattr(metadata, "version", missing)
    assert required_distributions("import timm") == ["timm"]


def test_keras_needs_something_to_compute_with() -> None:
    assert [line.split("==")[0] for line in required_distributions("import keras")] == ["keras", "torch"]


def test_code_that_is_no_python_needs_nothing() -> None:
    assert required_distributions("import torch\n(") == []


@pytest.mark.parametrize("name", ["json", "torch", "PIL", "pandas"])
def test_the_standard_library_and_known_packages_can_be_imported(name: str) -> None:
    assert import_problem(name) == ""


def test_a_known_package_that_is_missing_says_what_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert import_problem("sklearn") == "`sklearn` is not installed: pip install scikit-learn"


def test_a_relative_import_has_no_package() -> None:
    assert "relative import" in import_problem(".model")
