"""Scripts that the tests of execution share."""

import pytest

from dlcodegen.corpus.sample import all_samples


@pytest.fixture(scope="session")
def passing_script() -> str:
    """A sample that ends its smoke run soonest."""
    return all_samples()["tabular-regression/mlp"].code
