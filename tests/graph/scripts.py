"""Small scripts that stand for a model's answers: they run in no time, since they need no torch."""

RUNS = '''"""Writes a metric."""
import json
from pathlib import Path

learning_rate = 0.001


def main() -> None:
    """Pretend to train."""
    Path("outputs").mkdir(exist_ok=True)
    Path("outputs/metrics.json").write_text(json.dumps({"accuracy": 0.9}))


main()
'''
FAILS = RUNS.replace('"""Pretend to train."""', 'raise ValueError("shapes differ")')
FAILS_ELSEWHERE = RUNS.replace('"""Pretend to train."""', 'raise KeyError("another error")')


def fenced(code: str) -> str:
    return f"Sure! Here is the script:\n```python\n{code}```\nI hope it helps."
