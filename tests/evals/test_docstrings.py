"""The words that the wider network of the paper protocol reads first."""

from pathlib import Path

from dlcodegen.evals.docstrings import docstrings

LONG = "Convolves a signal with a kernel, and says in many words why anybody would want to do such a thing at all."


def test_each_docstring_is_read_once_as_one_line_and_what_is_no_python_is_passed_over(tmp_path: Path) -> None:
    package = tmp_path / "package"
    package.mkdir()
    (package / "a.py").write_text(
        f'"""{LONG}"""\n\ndef f():\n    """Short."""\n\nclass C:\n    """{LONG}\n\n    More."""\n'
    )
    (package / "b.py").write_text(f'def g():\n    """{LONG}"""\n')
    (package / "old.py").write_text(f'print "no"\n"""{LONG} old"""\n')
    (package / "nul.py").write_bytes(b"\0")
    assert docstrings(tmp_path) == [LONG, f"{LONG} More."]


def test_an_endless_docstring_is_cut(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(f'"""{"word " * 5000}"""')
    assert [len(text) for text in docstrings(tmp_path)] == [6000]
