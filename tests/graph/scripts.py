"""Scripts that stand for a model's answers."""

from tests.small_script import SCRIPT, edited

RUNS = SCRIPT
FAILS = edited(('"""Fit the model."""', 'raise ValueError("shapes differ")'))
FAILS_ELSEWHERE = edited(('"""Fit the model."""', 'raise KeyError("another error")'))


def fenced(code: str) -> str:
    return f"Sure! Here is the script:\n```python\n{code}```\nI hope it helps."
