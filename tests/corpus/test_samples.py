"""Every sample keeps the contract; the slow tests execute each in the sandbox."""

import ast
import json
from collections import Counter
from dataclasses import replace

import pytest

from dlcodegen import categories
from dlcodegen.corpus.sample import SAMPLES_FOLDER, Sample, all_samples
from dlcodegen.corpus.verify import prove
from dlcodegen.execution.conformance.table import conformance
from dlcodegen.execution.sandbox.limits import Limits
from dlcodegen.execution.script import Conditions
from dlcodegen.writers.segments import SEGMENTS, join, split

every_sample = pytest.mark.parametrize("sample", all_samples().values(), ids=list(all_samples()))


def test_the_pool_is_wide() -> None:
    by_framework = Counter(sample.framework for sample in all_samples().values())
    assert by_framework.total() >= 72
    assert by_framework["pytorch"] >= 56
    assert by_framework["keras"] >= 16
    assert len({sample.category for sample in all_samples().values()}) >= 24
    titles = [sample.title for sample in all_samples().values()]
    assert len(set(titles)) == len(titles)


@every_sample
def test_its_description_is_its_docstring(sample: Sample) -> None:
    assert sample.description == ast.get_docstring(ast.parse(sample.code))


@pytest.mark.parametrize(
    "code", ['"a"\n', '"""a\\tb"""\n', '"""a""" "b"\n', "x = 1\n", '# by hand\n"""a"""\n', '"""a "quoted" word"""\n']
)
def test_a_docstring_is_found_however_it_is_written(code: str) -> None:
    sample = replace(next(iter(all_samples().values())), code=code)
    assert sample.description == (ast.get_docstring(ast.parse(code)) or "")


@every_sample
def test_it_is_cut_into_the_segments_of_the_contract(sample: Sample) -> None:
    segments = split(sample.code)
    assert tuple(segments) == SEGMENTS
    assert join(segments) == sample.code


@every_sample
def test_its_plan_is_true_of_its_code(sample: Sample) -> None:
    rows = conformance(sample.code, sample.plan, [])
    assert not [row for row in rows if row["verdict"] != "honoured"]


@every_sample
def test_its_plan_is_written_as_in_the_paper(sample: Sample) -> None:
    written = json.loads((SAMPLES_FOLDER / sample.id / "plan.json").read_text())
    assert written == sample.plan.to_paper()
    assert sample.plan.category == sample.category
    assert sample.category in categories.CATEGORIES


@every_sample
def test_its_settings_and_its_docstring_are_complete(sample: Sample) -> None:
    assert set(sample.config) >= {"data", "out", "smoke", "seed", "batch_size", "learning_rate", "epochs"}
    for promise in ("Data (--data", "Result (--smoke):"):
        assert promise in sample.description


@every_sample
def test_it_is_small_and_documents_its_shapes(sample: Sample) -> None:
    assert 100 <= sum(bool(line.strip()) for line in sample.code.splitlines()) <= 250
    build = next(node for node in sample.tree.body if isinstance(node, ast.FunctionDef) and node.name == "build_model")
    assert "Shapes: (" in (ast.get_docstring(build) or "")


@pytest.mark.slow
@every_sample
def test_it_runs_in_the_sandbox_and_learns(sample: Sample) -> None:
    (proof,) = prove([sample], Conditions(Limits(wall=120)))
    assert proof.stands, (proof.report["error"], proof.learned)
