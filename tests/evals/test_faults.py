"""The planted faults are many, each fits into its sample, and nothing is executed to see it."""

import re

import pytest

from dlcodegen.corpus.sample import all_samples
from dlcodegen.evals.fault import RUNGS, Fault
from dlcodegen.evals.faults import FAULTS
from dlcodegen.execution import ladder

every_fault = pytest.mark.parametrize("fault", FAULTS, ids=[fault.name for fault in FAULTS])


def _compiles(code: str) -> bool:
    try:
        compile(code, "main.py", "exec", dont_inherit=True)
    except SyntaxError:
        return False
    return True


def test_they_are_many_and_spread_over_the_pool() -> None:
    assert len(FAULTS) >= 66
    assert len({fault.sample for fault in FAULTS}) >= 20
    assert len({fault.kind for fault in FAULTS}) >= 10
    assert {fault.sample for fault in FAULTS} <= set(all_samples())


def test_no_two_are_alike() -> None:
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)
    assert len({fault.code(all_samples()[fault.sample].code) for fault in FAULTS}) == len(FAULTS)


def test_most_of_them_should_be_caught() -> None:
    unseen = [fault.name for fault in FAULTS if not fault.expected]
    assert 3 <= len(unseen) <= len(FAULTS) // 10


@every_fault
def test_it_is_described(fault: Fault) -> None:
    assert re.fullmatch(r"[a-z]+(-[a-z]+)+", fault.name)
    assert len(fault.about) > 30
    assert fault.about.endswith(".")
    assert set(fault.expected) <= set(RUNGS)


@every_fault
def test_it_changes_its_sample_and_breaks_the_syntax_only_where_it_says_so(fault: Fault) -> None:
    sound = all_samples()[fault.sample].code
    broken = fault.code(sound)
    assert broken != sound
    too_long = len(broken) > 400_000
    assert (not _compiles(broken) or too_long) is (fault.kind == "syntax")


def test_an_edit_that_fits_nowhere_or_twice_is_refused() -> None:
    fault = Fault("a-fault", "names", "a/sample", (("x = 1", "x = 2"),), ("names",), "Nothing.")
    assert fault.code("x = 1\n") == "x = 2\n"
    for code in ("y = 1\n", "x = 1\nx = 1\n"):
        with pytest.raises(ValueError, match=r"a-fault: 'x = 1' stands in [02] places of a/sample"):
            fault.code(code)


def test_the_rungs_are_those_of_the_ladder() -> None:
    assert set(RUNGS) == {*ladder.RUNGS, "conformance"}
