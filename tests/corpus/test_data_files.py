"""Every sample trains on files of the format that its docstring states, and says in one line that there are none.

A sample of each kind of data is always tried; the others take minutes, and are slow tests.
"""

import json
import math
from pathlib import Path

import pytest

from dlcodegen.corpus.sample import all_samples
from dlcodegen.execution.sandbox.limits import Limits
from dlcodegen.execution.sandbox.run import RunResult, run_script
from dlcodegen.execution.sandbox.tiers import choose
from dlcodegen.execution.script import METRICS
from tests.corpus.data_files.every import every_data_set
from tests.corpus.data_files.files import DataFiles, no_files

DATA_SETS = every_data_set()
ALWAYS = {
    "audio-classification/logmel-cnn",
    "image-classification/keras-small-cnn",
    "image-segmentation/unet-binary",
    "reinforcement-learning/dqn",
    "tabular-classification/keras-mlp",
    "tabular-regression/mlp",
    "text-classification/text-cnn",
    "time-series-forecasting/lstm",
}
EVERY = {name: () if name in ALWAYS else pytest.mark.slow for name in sorted(DATA_SETS)}
TRAINING = [pytest.param(name, marks=marks) for name, marks in EVERY.items()]
READING = [pytest.param(name, marks=marks) for name, marks in EVERY.items() if DATA_SETS[name].make is not no_files]
KEEPS_FOLDER = "data/.keep"  # the sandbox lays files only, and a hidden one keeps a folder as good as empty


def test_every_sample_has_a_data_set_and_every_data_set_a_sample() -> None:
    assert sorted(all_samples().keys() - DATA_SETS.keys()) == []
    assert sorted(DATA_SETS.keys() - all_samples().keys()) == []
    assert sorted(ALWAYS - all_samples().keys()) == []


@pytest.mark.parametrize("sample_id", TRAINING)
def test_it_trains_on_files(sample_id: str, tmp_path: Path) -> None:
    result = run(sample_id, files_in(DATA_SETS[sample_id], tmp_path))
    assert (result.status, result.exit_code) == ("exit", 0), result.stderr
    metrics = json.loads(result.artefacts[METRICS])
    assert metrics
    assert all(math.isfinite(value) for value in metrics.values()), metrics


@pytest.mark.parametrize("sample_id", READING)
def test_it_says_in_one_line_that_there_is_nothing_to_read(sample_id: str) -> None:
    data_set = DATA_SETS[sample_id]
    nothing = KEEPS_FOLDER if data_set.data == "data" else data_set.data
    result = run(sample_id, {nothing: b""})
    assert (result.status, result.exit_code) == ("exit", 1), result.stderr
    assert len(result.stderr.splitlines()) == 1, result.stderr
    assert data_set.data in result.stderr


def files_in(data_set: DataFiles, folder: Path) -> dict[str, bytes]:
    """The files of a data set as they lie beside a script: path -> content."""
    data = folder / "data"
    data.mkdir()
    data_set.make(data)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in data.rglob("*") if path.is_file()}


def run(sample_id: str, files: dict[str, bytes]) -> RunResult:
    data_set = DATA_SETS[sample_id]
    arguments = ["--data", data_set.data, "--epochs", "1", "--out", "outputs", *data_set.flags]
    return run_script(all_samples()[sample_id].code, arguments, Limits(), (METRICS,), tier=choose(), beside=files)
