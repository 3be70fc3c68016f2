"""What is read of a user's files, and what is said of the rest."""

import json
import os
import stat
from pathlib import Path

import pytest

from dlcodegen.corpus.importing.recognise import framework_of
from dlcodegen.corpus.importing.sources import Skipped, Source, read_sources
from dlcodegen.errors import InputError
from tests.corpus.importing import scripts

MIT = (
    "MIT License\n\nPermission is hereby granted, free of charge, to any person ...\n"
    "The above copyright notice and this permission notice shall be included in all copies\n"
)


def read(path: Path) -> tuple[dict[str, Source], dict[str, str]]:
    found = list(read_sources(path))
    sources = {item.path: item for item in found if isinstance(item, Source)}
    return sources, {item.path: item.reason for item in found if isinstance(item, Skipped)}


def write(path: Path, content: str | bytes = "import torch\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_a_file_and_a_folder(tmp_path: Path) -> None:
    script = write(tmp_path / "project" / "src" / "train.py", scripts.TRANSFER)
    for given, key in ((script, "train.py"), (tmp_path / "project", "src/train.py")):
        sources, skipped = read(given)
        assert list(sources) == [key]
        assert sources[key].code == scripts.TRANSFER
        assert sources[key].licence == "unknown"
        assert skipped == {}


def test_what_is_installed_built_or_hidden_is_left_out_and_counted(tmp_path: Path) -> None:
    write(tmp_path / "train.py")
    for name in (".git", ".venv", "venv", "node_modules", "build", "__pycache__", "my.egg-info"):
        write(tmp_path / name / "inside.py")
    write(tmp_path / "my-python" / "pyvenv.cfg")
    write(tmp_path / "my-python" / "lib" / "inside.py")
    write(tmp_path / "main.js")
    write(tmp_path / "a.cpp")
    write(tmp_path / "b.cpp")
    found = list(read_sources(tmp_path))
    assert [item.path for item in found if isinstance(item, Source)] == ["train.py"]
    reasons = [item.reason for item in found if isinstance(item, Skipped)]
    assert any("3 files that are no Python left out: 2 .cpp, 1 .js" in reason for reason in reasons)
    assert any(reason.startswith("8 folders left out") for reason in reasons)


def test_names_that_no_terminal_should_see(tmp_path: Path) -> None:
    write(tmp_path / "b\x1b[31m\n.py")
    write(tmp_path / "a" / "train.py")
    os.mkdir(os.fsencode(tmp_path) + b"/\xff")  # noqa: PTH102
    sources, _ = read(tmp_path)
    assert list(sources) == ["b?[31m?.py", "a/train.py"]


def test_links_are_not_followed(tmp_path: Path) -> None:
    write(tmp_path / "secret.py", "password = 1")
    write(tmp_path / "given" / "train.py")
    (tmp_path / "given" / "loop").symlink_to(tmp_path / "given")
    (tmp_path / "given" / "out.py").symlink_to(tmp_path / "secret.py")
    sources, skipped = read(tmp_path / "given")
    assert list(sources) == ["train.py"]
    assert skipped == {"loop": "a link, not followed", "out.py": "a link, not followed"}


def test_large_files_are_not_read(tmp_path: Path) -> None:
    with (tmp_path / "large.py").open("wb") as file:
        file.truncate(50_000_000)
    _, skipped = read(tmp_path)
    assert skipped == {"large.py": "cannot be read: too large: 50 MB"}


def test_binary_files_and_encodings(tmp_path: Path) -> None:
    write(tmp_path / "binary.py", b"\x7fELF\0\0")
    write(tmp_path / "latin.py", "name = 'Ä'".encode("latin-1"))
    write(tmp_path / "unknown.py", b"# -*- coding: klingon -*-\n")
    write(tmp_path / "empty.py", b" \n")
    write(tmp_path / "bom.py", b"\xef\xbb\xbfimport torch\r\nx = 1\r\n")
    write(tmp_path / "said.py", "# -*- coding: latin-1 -*-\nname = 'Ä'\n".encode("latin-1"))
    sources, skipped = read(tmp_path)
    assert set(skipped) == {"binary.py", "latin.py", "unknown.py", "empty.py"}
    assert skipped["empty.py"] == "empty"
    assert sources["bom.py"].code == "import torch\nx = 1\n"
    assert "Ä" in sources["said.py"].code


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_unreadable_files_and_folders(tmp_path: Path) -> None:
    closed = write(tmp_path / "closed" / "train.py").parent
    file = write(tmp_path / "file.py")
    closed.chmod(0)
    file.chmod(0)
    _, skipped = read(tmp_path)
    closed.chmod(stat.S_IRWXU)
    assert "Permission denied" in skipped["closed"]
    assert "Permission denied" in skipped["file.py"]


def test_a_pipe_does_not_keep_anybody_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.py")
    _, skipped = read(tmp_path)
    assert skipped == {"pipe.py": "cannot be read: no regular file"}
    with pytest.raises(InputError, match="neither a file nor a folder"):
        read(tmp_path / "pipe.py")


@pytest.mark.parametrize("name", ["missing", "nul\0byte", "x" * 5000])
def test_a_path_that_is_not_there_is_one_line(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError) as raised:
        read(tmp_path / name)
    assert "\n" not in str(raised.value)


def test_another_kind_of_file(tmp_path: Path) -> None:
    _, skipped = read(write(tmp_path / "notes.txt", "torch"))
    assert skipped == {"notes.txt": "neither .py nor .ipynb"}


def test_licences(tmp_path: Path) -> None:
    write(tmp_path / "LICENSE", MIT)
    write(tmp_path / "a.py")
    write(tmp_path / "b.py", "# SPDX-License-Identifier: BSD-2-Clause\nimport torch\n")
    write(tmp_path / "gpl" / "COPYING", "GNU GENERAL PUBLIC LICENSE\n   Version 3, 29 June 2007\n")
    write(tmp_path / "gpl" / "deep" / "c.py")
    write(tmp_path / "project" / "pyproject.toml", '[project]\nlicense = {text = "Apache-2.0"}\n')
    write(tmp_path / "project" / "d.py")
    write(tmp_path / "clone" / ".git" / "HEAD", "")
    write(tmp_path / "clone" / "e.py")
    write(tmp_path / "odd" / "LICENSE.txt", "All rights reserved.")
    write(tmp_path / "odd" / "f.py")
    sources, _ = read(tmp_path)
    assert {path: source.licence for path, source in sources.items()} == {
        "a.py": "MIT",
        "b.py": "BSD-2-Clause",
        "gpl/deep/c.py": "GPL-3.0",
        "project/d.py": "Apache-2.0",
        "clone/e.py": "unknown",  # a checkout inside the folder is somebody else's
        "odd/f.py": "MIT",
    }


def test_the_origin_of_a_checkout_is_told_without_its_secrets(tmp_path: Path) -> None:
    commit = "0123456789abcdef0123456789abcdef01234567"
    git = tmp_path / "clone" / ".git"
    write(git / "HEAD", "ref: refs/heads/main\n")
    write(git / "packed-refs", f"# pack-refs\n{commit} refs/heads/main\n")
    write(
        git / "config",
        '[core]\n\tfsmonitor = touch /tmp/pwned\n[remote "origin"]\n\turl = https://me:token@h.org/a/b.git\n',
    )
    write(tmp_path / "clone" / "src" / "train.py")
    sources, _ = read(tmp_path)
    assert sources["clone/src/train.py"].origin == f"https://h.org/a/b.git (commit {commit})"


@pytest.mark.parametrize("head", ["ref: refs/../../../secret", "ref: /etc/passwd", "not a commit", ""])
def test_a_head_that_points_elsewhere_is_not_followed(tmp_path: Path, head: str) -> None:
    write(tmp_path / "clone" / ".git" / "HEAD", head)
    write(tmp_path / "clone" / "train.py")
    sources, _ = read(tmp_path / "clone")
    assert sources["train.py"].origin == "clone"


def notebook(*cells: str, **more: object) -> str:
    code = [{"cell_type": "code", "source": cell.splitlines(keepends=True)} for cell in cells]
    return json.dumps({"cells": [{"cell_type": "markdown", "source": ["# Title"]}, *code], "metadata": {}, **more})


def test_notebooks(tmp_path: Path) -> None:
    cells = (
        "%matplotlib inline\n!pip install \\\n    torch\nimport torch",
        "%%bash\nls",
        "%%time\nfiles = !ls\nif True:\n    %load_ext autoreload\nx = (5\n     % 2)",
    )
    write(tmp_path / "a.ipynb", notebook(*cells))
    old = {"worksheets": [{"cells": [{"cell_type": "code", "input": "import keras"}]}], "nbformat": 3}
    write(tmp_path / "old.ipynb", json.dumps(old))
    sources, _ = read(tmp_path)
    compile(sources["a.ipynb"].code, "a", "exec")
    assert "import torch" in sources["a.ipynb"].code
    assert "% 2)" in sources["a.ipynb"].code
    assert set(sources["a.ipynb"].notes) == {
        "3 magics left out",
        "2 shell commands left out",
        "1 cells in another language left out",
    }
    assert sources["old.ipynb"].code == "import keras\n"


BROKEN = {
    "cut": '{"cells": [',
    "list": "[]",
    "number": "7",
    "deep": "[" * 100_000,
    "cells": '{"cells": 7, "metadata": 3}',
    "r": notebook("x <- 1", metadata={"kernelspec": {"language": "R"}}),
}


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN.keys())
def test_broken_notebooks_are_skipped(tmp_path: Path, text: str) -> None:
    _, skipped = read(write(tmp_path / "a.ipynb", text))
    assert list(skipped) == ["a.ipynb"]


def recognised(code: str) -> str:
    found = framework_of(Source("a.py", code, "", ""))
    return found.reason if isinstance(found, Skipped) else found


def test_deep_learning_scripts_are_recognised() -> None:
    assert recognised(scripts.ARGPARSE_CNN) == "pytorch"
    assert recognised(scripts.KERAS_SEQUENTIAL) == "keras"
    assert recognised("import tensorflow as tf\nm = tf.keras.Sequential()") == "keras"
    assert recognised("from sklearn.svm import SVC\nSVC().fit(x, y)") == "written with scikit-learn"
    assert recognised("import jax") == "written with JAX"
    assert recognised("import tensorflow as tf\ntf.constant(1)") == "written with TensorFlow without Keras"
    assert recognised("import torch\nprint(torch.__version__)").startswith("imports a framework")
    assert recognised("import os") == "no deep learning in it"
    assert recognised("import torch\nprint 'old'").startswith("no valid Python: line 2")
