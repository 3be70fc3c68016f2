"""Generated code is scored as the published table was made."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from dlcodegen.errors import InputError, SettingsError
from dlcodegen.evals.code_files import in_order, published_codes, read_codes, read_tasks
from dlcodegen.evals.code_scores import CodeScores, score
from dlcodegen.evals.code_table import nearest
from dlcodegen.evals.published import published_data

CODE = '''
"""Trains a network."""
import keras


def build(width):
    """Build it."""
    model = keras.Sequential([keras.layers.Dense(width), keras.layers.Dense(1)])  # two layers
    model.compile("adam", "mse")
    return model


net = build(8)
print(net)
'''
SAME_CODE = """```python
!pip install keras
import keras
def build(width):
    model = keras.Sequential([keras.layers.Dense(width),
                              keras.layers.Dense(1)])
    model.compile('adam', 'mse')
    return model
net = build(8)
print(net)
```
"""


def test_the_same_code_has_full_marks_however_it_is_wrapped() -> None:
    whole = score([CODE], [CODE])
    assert whole[:7] == (100.0,) * 7
    assert whole.lines == pytest.approx(12, abs=3)
    wrapped = score([SAME_CODE.replace("!pip install keras\n", "")], [CODE])
    assert wrapped[:7] == (100.0,) * 7


def test_commands_of_a_notebook_are_no_syntax_error() -> None:
    assert score([CODE], [SAME_CODE]).parses == 100


def test_scores_are_of_all_tasks_together() -> None:
    both = score([CODE, CODE], [CODE, ""])
    assert 20 < both.CodeBLEU < 100
    assert both.lines == pytest.approx(score([CODE], [CODE]).lines / 2)


def test_two_runs_give_the_same_scores() -> None:
    other = "x = [a * b for a, b in zip(range(3), range(4)) if a]\ny = sum(x) + len(x)\nprint(x, y)\n"
    assert score([CODE + other], [other]) == score([CODE + other], [other])


SOUND = ["print(1)", "x = '\udc80'", ""]
NO_NAME = ["print(one)", "from os import *\nprint(getcwd())"]
NO_PYTHON = ["def f(:", "a = 1\0", "(" * 5000 + ")" * 5000, "Sorry, I cannot help with that."]


def test_whatever_the_code_is_it_is_scored() -> None:
    codes = [*SOUND, *NO_NAME, *NO_PYTHON]
    found = score([CODE] * len(codes), codes)
    assert found.parses == pytest.approx(100 * 5 / 9)
    assert found.names == pytest.approx(100 * 3 / 9)
    assert 0 < found.CodeBLEU < 100


@pytest.mark.parametrize(("references", "codes"), [([], []), ([CODE], [])])
def test_there_is_one_code_for_each_reference(references: list[str], codes: list[str]) -> None:
    with pytest.raises(InputError, match="one code for each reference"):
        score(references, codes)


@pytest.mark.parametrize("module", ["codebleu", "tree_sitter", "black", "pyflakes"])
def test_without_the_extra_it_is_named(module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(SettingsError, match=rf"{module.replace('_', '-')}: pip install 'dlcodegen\[eval\]'"):
        score([CODE], [CODE])


@pytest.fixture(scope="module")
def tasks_file() -> Path:
    try:
        return published_data() / "tasks" / "tasks.jsonl"
    except SettingsError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def printed(tasks_file: Path) -> dict[str, list[str]]:
    """The rows of the published table on code."""
    lines = (tasks_file.parents[1] / "README.md").read_text(encoding="utf-8").splitlines()
    rows = ([cell.strip() for cell in line.strip("| ").split("|")] for line in lines if line.startswith("|"))
    return {name: cells for name, *cells in rows if len(cells) == 5}


def test_the_copied_neighbour_scores_as_published(tasks_file: Path, printed: dict[str, list[str]]) -> None:
    tasks = read_tasks(tasks_file)
    copied, _ = in_order(tasks, nearest(tasks, tasks))
    found = score([task.reference for task in tasks], copied)
    assert found[:5] == as_printed(printed["the nearest other task's reference, copied unchanged"])


def test_the_papers_system_scores_as_published(tasks_file: Path, printed: dict[str, list[str]]) -> None:
    row = [cell.split(" / ")[1] for cell in printed["DLCodeGen (the paper)"]]
    assert scores_of(tasks_file, "gpt-4o-mini_DLCodeGen")[:5] == as_printed(row)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["Direct, DeepSeek-V2.5 / GPT-4o-mini", "CEDAR", "DLCodeGen (the paper)"])
def test_each_published_row_is_reproduced(name: str, tasks_file: Path, printed: dict[str, list[str]]) -> None:
    system = name.partition(",")[0].partition(" ")[0]
    for place, model in enumerate(("deepseekcoder", "gpt-4o-mini")):
        row = [cell.split(" / ")[place] for cell in printed[name]]
        assert scores_of(tasks_file, f"{model}_{system}")[:5] == as_printed(row)


def as_printed(row: list[str]) -> object:
    """The published table was made with whatever hash seed there was: dataflow differs by it in the first decimal."""
    *exact, dataflow, code_bleu = map(float, row)
    return (*(pytest.approx(value, abs=0.051) for value in exact), *map(_nearly, (dataflow, code_bleu)))


def _nearly(value: float) -> object:
    return pytest.approx(value, abs=0.12)


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_every_published_system_scores_as_with_the_published_scorer(tasks_file: Path) -> None:
    scorer = tasks_file.parents[3] / "tools" / "score_code.py"
    if not scorer.is_file():
        pytest.skip(f"there is no published scorer at {scorer}")
    files = published_codes(tasks_file)
    command = [sys.executable, str(scorer), "--nearest", str(tasks_file), *map(str, files)]
    environment = {**os.environ, "PYTHONHASHSEED": "0"}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    _, floor, *lines = done.stdout.splitlines()
    tasks = read_tasks(tasks_file)
    copied, _ = in_order(tasks, nearest(tasks, tasks))
    assert floor.split()[2:] == two_decimals(score([task.reference for task in tasks], copied))
    assert [line.split()[1:] for line in lines] == [two_decimals(scores_of(tasks_file, path.stem)) for path in files]


def two_decimals(scores: CodeScores) -> list[str]:
    return [f"{value:.2f}" for value in scores]


def scores_of(tasks_file: Path, system: str) -> CodeScores:
    tasks = read_tasks(tasks_file)
    codes, _ = in_order(tasks, read_codes(tasks_file.parent / "published" / f"{system}.jsonl"))
    return score([task.reference for task in tasks], codes)
