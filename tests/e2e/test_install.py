"""A plain install, as users get it: everything that is needed is in the wheel."""

import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment that holds a plain install; dependencies are borrowed from this one."""
    root, home = Path(__file__).parents[2], tmp_path_factory.mktemp("plain")
    source = home / "source"
    source.mkdir()
    tracked = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=root, capture_output=True, text=True, check=True
    )
    for name in tracked.stdout.splitlines():
        if (root / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes((root / name).read_bytes())
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(home / "lib"), str(source)],
        check=True,
    )
    venv.create(home / "venv", with_pip=False)
    python = home / "venv" / "bin" / "python"
    site = next((home / "venv" / "lib").glob("python*/site-packages"))
    borrowed = next(Path(path) for path in sys.path if path.endswith("site-packages"))
    # The plain install stands before the borrowed packages, and .pth files of those (an editable install) are not read.
    (site / "paths.pth").write_text(f"{home / 'lib'}\n{borrowed}\n")
    return python


def run(python: Path, *arguments: str, cwd: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [str(python), *arguments], cwd=cwd, capture_output=True, text=True, check=False, env={**os.environ}
    )


def test_the_wheel_holds_the_package_and_its_data(installed: Path, tmp_path: Path) -> None:
    code = (
        "import dlcodegen, importlib.util as u; from dlcodegen.corpus.sample import all_samples;"
        "from dlcodegen.writers.block_source import block_classes;"
        "print(dlcodegen.__file__, len(all_samples()), len(block_classes()));"
        "print(u.find_spec('graph'), u.find_spec('nodes'))"
    )
    done = run(installed, "-c", code, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    where, samples, blocks, *others = done.stdout.split()
    assert "/lib/dlcodegen/" in where
    assert int(samples) >= 14
    assert int(blocks) >= 10
    assert others == ["None", "None"]


def test_the_plain_install_does_the_main_job(installed: Path, tmp_path: Path) -> None:
    done = run(
        installed, "-m", "dlcodegen", "new", "Predict wine quality from 11 columns", "--out", "wine",
        "--time-limit", "150", cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "wine" / "main.py").is_file()
