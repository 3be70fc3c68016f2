"""The code of an answer, however the model wraps it."""

import ast

import pytest

from dlcodegen.writers.answers import code_of
from dlcodegen.writers.patches import patched

SCRIPT = '''"""A title."""

import torch


def build_model(config):
    return torch.nn.Linear(1, 1)


def main():
    build_model(None)


if __name__ == "__main__":
    main()
'''
BODY, GUARD = SCRIPT.split("\n\nif __name__")
GUARD = "if __name__" + GUARD


@pytest.mark.parametrize(
    "answer",
    [
        f"```python\n{SCRIPT}```",
        f"Sure! Here it is:\n\n```python\n{SCRIPT}```\n\nHave fun.",
        f"Here it is: ```py\n{SCRIPT}```",
        f"```python3 main.py\n{SCRIPT}```",
        f"```Python\n{SCRIPT}```",
        f"``` {{.python}}\n{SCRIPT}```",
        f"~~~\n{SCRIPT}~~~",
        f"````python\n{SCRIPT}````",
        f"```\npython\n{SCRIPT}```",
        f"```python\n{SCRIPT}",
        f"```python\n{SCRIPT.rstrip()}```",
        f"python\n{SCRIPT}",
        SCRIPT,
        f"Here is the script.\n\n{SCRIPT}",
        f"{SCRIPT}\nThis script doesn't need any data.\n\nIt trains a model.",
        f"\ufeff{SCRIPT}",
        f"```python\n{SCRIPT}```".replace("\n", "\r\n"),
        "- the script:\n" + "\n".join(f"  {line}".rstrip() for line in f"```python\n{SCRIPT}```".split("\n")),
        f"<think>\nFirst ```python\nx = 1\n``` then.</think>\n```python\n{SCRIPT}```",
        f"First ```x = 1``` then.\n</think>\n\n```python\n{SCRIPT}```",
        f"```json\n{[list(range(999))]}\n```\n```python\n{SCRIPT}```\n```bash\npython main.py --smoke\n```",
        f"```python\nx = 1\n```\nAnd all of it:\n```python\n{SCRIPT}```",
        f"```python\n{SCRIPT}```\nWhat was longer:\n```python\ndef broken(:\n" + 99 * "    pass\n" + "```",
        f'```python\n{BODY}\n\nif __name__ == "__ma',
        f"```python\n{BODY}\n\nif __name__",
    ],
)
def test_the_script_is_found(answer: str) -> None:
    code = code_of(answer)
    assert ast.dump(ast.parse(code)) == ast.dump(ast.parse(SCRIPT))
    assert code.startswith('"""A title."""\n') and code.endswith("main()\n") and "\r" not in code


@pytest.mark.parametrize("answer", ["", "  \n", "I cannot help with that.", "```python\n```", "<think>Let me see"])
def test_an_answer_without_code_gives_nothing(answer: str) -> None:
    assert code_of(answer) == ""


def test_a_script_in_several_blocks_is_joined() -> None:
    first, second = SCRIPT.split("def main")
    code = code_of(f"Model:\n```python\n{first}```\nMain:\n```python\ndef main{second}```")
    assert ast.dump(ast.parse(code)) == ast.dump(ast.parse(SCRIPT))


def test_a_docstring_may_hold_a_fenced_block() -> None:
    script = SCRIPT.replace("A title.", "A title.\n\n```bash\npython main.py --smoke\n```\n")
    assert code_of(f"```python\n{script}```\nDone.") == script


def test_of_blocks_that_do_not_parse_the_longest_is_taken() -> None:
    assert code_of("```python\ndef f(:\n```\n```python\ndef longer(:\n    return\n```") == "def longer(:\n    return\n"


def test_a_script_broken_inside_main_stays_broken() -> None:
    broken = SCRIPT[: SCRIPT.index("build_model(None)") + 8].rstrip() + "(\n"
    assert code_of(f"```python\n{broken}") == broken


@pytest.mark.parametrize("code", ["x = '\0'\n", "x = " + "-" * 100_000 + "1\n"], ids=["null byte", "nested too deep"])
def test_what_the_parser_cannot_take_is_code_that_the_check_will_refuse(code: str) -> None:
    assert code_of(f"```python\n{code}```") == code


def test_a_template_is_code_although_a_slot_is_no_name() -> None:
    template = "class {{model}}(nn.Module):\n    width = {{width}}\n"
    assert code_of(f"```python\n{template}```\n```python\nx = 1\n```") == template


def test_a_mended_function_takes_its_place_in_the_script() -> None:
    answer = "The width was wrong.\n```python\nimport math\n\ndef build_model(config):\n    return math.pi\n```"
    expected = SCRIPT.replace("return torch.nn.Linear(1, 1)", "return math.pi")
    assert patched(SCRIPT, answer) == expected.replace("import torch", "import math\nimport torch")


@pytest.mark.parametrize("code", [SCRIPT.replace("1, 1", "2, 2"), "def new_function():\n    return 1\n", "x = (\n"])
def test_other_answers_to_a_repair_are_taken_as_they_are(code: str) -> None:
    assert patched(SCRIPT, f"```python\n{code}```") == code
