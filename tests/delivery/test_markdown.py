"""Text of others in our Markdown, judged by a CommonMark parser that is not ours."""

import pytest
from jinja2 import UndefinedError
from markdown_it import MarkdownIt

from dlcodegen.delivery import markdown

HOSTILE = [
    "# a heading\n\n- a list\n\n```sh\nrm -rf ~\n```",
    "<script>alert(1)</script> <!-- hidden",
    "a | b | c `code` ``more`` *bold* _it_ [link](http://x) ![image](http://x)",
    "> quote\n\nout of the quote\n===\n---",
    "1. one\n2) two\n+ three",
    "ends with a backslash \\",
    "`" * 5,
    "\\| \\` \\<b>",
    "    indented code\n\ttabbed",
    "&lt;b&gt; &amp; &#35;",
    "~~~\nfence\n~~~",
]
PARSER = MarkdownIt("commonmark").enable("table")


def types(text: str) -> list[str]:
    """Token types, those inside paragraphs and cells included."""
    tokens = PARSER.parse(text)
    return [token.type for outer in tokens for token in [outer, *(outer.children or [])]]


def words(text: str) -> str:
    """What a reader sees, white space aside."""
    shown = (child.content for token in PARSER.parse(text) for child in token.children or [])
    return "".join("".join(shown).split())


@pytest.mark.parametrize("text", HOSTILE)
def test_inline_text_stays_text_and_is_read_as_it_was_written(text: str) -> None:
    escaped = markdown.inline(text)
    assert set(types(escaped)) <= {"paragraph_open", "paragraph_close", "inline", "text", "text_special"}
    assert words(escaped) == "".join(text.split())


@pytest.mark.parametrize("text", HOSTILE)
def test_a_quote_is_not_left(text: str) -> None:
    tokens = PARSER.parse(markdown.quote(text) + "\n\nafter")
    assert [token.type for token in tokens if token.level == 0] == [
        *("blockquote_open", "blockquote_close"),
        *("paragraph_open", "inline", "paragraph_close"),
    ] or tokens[-2].content == "after"
    assert not {"html_block", "fence", "heading_open", "bullet_list_open"} & set(types(markdown.quote(text)))


@pytest.mark.parametrize("text", [*HOSTILE, "a|b", "`x`", "x = {'a': 1} | y"])
def test_table_cells_hold(text: str) -> None:
    table = f"| a | b |\n|---|---|\n| {markdown.inline(text)} | {markdown.cell(markdown.code(text))} |\n"
    assert types(table).count("td_open") == 2
    assert "html_inline" not in types(table)


def test_code_with_backticks_is_one_code_span() -> None:
    span = markdown.code("a `quoted` name")
    assert span == "``a `quoted` name``"
    assert types(span).count("code_inline") == 1


def test_bars_in_code_are_escaped_in_tables_only() -> None:
    assert markdown.code("a | b") == "`a | b`"
    assert markdown.cell(markdown.code("a | b")) == "`a \\| b`"
    assert markdown.cell(markdown.inline("a | b")) == markdown.inline("a | b") == "a \\| b"


def test_what_steers_a_terminal_or_turns_the_reading_direction_is_dropped() -> None:
    assert markdown.printable("a\x1b[31mred\x07 \u202egpj.exe\ud800\nnext") == "a[31mred gpj.exe next"


def test_a_template_with_a_missing_value_is_an_error() -> None:
    with pytest.raises(UndefinedError, match="is undefined"):
        markdown.render("provenance.md", samples=[])
