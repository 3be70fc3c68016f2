"""The report: one model of sections, two renderings, and a table on the first page that agrees with the journals."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from dlcodegen.cli.main import run
from dlcodegen.evals.code_table import FLOOR
from dlcodegen.evals.evaluation import ENTRIES, sections
from dlcodegen.evals.headline import BEGIN, END
from dlcodegen.evals.journal import Journal
from dlcodegen.evals.report import html, markdown
from dlcodegen.evals.sections import Bars, Curves, Entry, Link, Part, Section, Strong, Table, Text, section

FAULT = {"fault": "a", "kind": "shapes", "sample": "x/y", "expected": ["build"], "caught_by": "build", "said": "a | b"}
MADE = {"date": "2026-01-02", "commit": "abc", "machine": "Linux", "python": "3.11", "torch": "2.13"}
HOSTILE = "</td><script>alert('x')</script> | `a` **b** [c](javascript:d)"


class _Tags(HTMLParser):
    """Fails when tags are not nested; counts them, and keeps what could load something."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.count: dict[str, int] = {}
        self.links: list[str] = []
        self.ids: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        assert self._open == []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.count[tag] = self.count.get(tag, 0) + 1
        self.links += [str(value) for name, value in attributes if name in ("src", "href", "xlink:href", "data")]
        self.ids += [str(value) for name, value in attributes if name == "id"]
        if tag not in ("meta", "br"):
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attributes)
        self._open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag


def headline_of(folder: Path) -> str:
    return markdown.page(sections(folder)[:1])


def written(*blocks: object) -> Section:
    return Section("s", "A section", blocks, {"command": "dlcodegen bench s", **MADE})  # type: ignore[arg-type]


def test_both_pages_of_the_project_agree_with_its_journals(repository: Path) -> None:
    """Run `dlcodegen bench report` after a measurement, or after a section has changed."""
    found = sections(repository / "docs" / "evaluation")
    assert (repository / "docs" / "EVALUATION.md").read_text(encoding="utf-8") == markdown.page(found)
    assert (repository / "docs" / "evaluation" / "report.html").read_text(encoding="utf-8") == html.page(found)


def test_the_table_of_the_readme_agrees_with_the_journals(repository: Path) -> None:
    readme = (repository / "README.md").read_text(encoding="utf-8")
    (table,) = (block for block in sections(repository / "docs" / "evaluation")[0].blocks if isinstance(block, Table))
    shown = readme.split(BEGIN)[1].split(END)[0]
    assert shown.strip() == markdown.table(table.head, table.rows, "docs/EVALUATION.md").strip()
    assert readme.index(BEGIN) < readme.index("## "), "it stands on the first page"


def test_claims_of_the_readme_point_at_sections_that_exist(repository: Path) -> None:
    anchors = {one.anchor for one in sections(repository / "docs" / "evaluation")}
    pointed = re.findall(r"docs/EVALUATION\.md#([\w-]+)", (repository / "README.md").read_text(encoding="utf-8"))
    assert len(pointed) >= 10
    assert set(pointed) <= anchors


def test_the_html_needs_nothing_else_and_is_well_formed(repository: Path) -> None:
    found = sections(repository / "docs" / "evaluation")
    text = html.page(found)
    tags = _Tags(text)
    assert "script" not in tags.count
    assert "link" not in tags.count
    assert "@import" not in text
    assert "url(" not in text
    assert all(link.startswith("#") for link in tags.links)
    assert {link[1:] for link in tags.links} <= set(tags.ids)
    assert tags.count["section"] == len(found) == len(ENTRIES) + 1
    assert tags.count["svg"] >= 5
    assert "prefers-color-scheme: dark" in text
    assert "@media print" in text


@pytest.mark.parametrize("entry", ENTRIES, ids=[entry.journal for entry in ENTRIES])
def test_an_interrupted_measurement_has_a_page_too(entry: Entry, repository: Path, tmp_path: Path) -> None:
    """After the first row, after three, and after half of them."""
    path = repository / "docs" / "evaluation" / f"{entry.journal}.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True) if path.exists() else []
    for count in {min(1, len(lines)), min(3, len(lines)), len(lines) // 2} - {0}:
        (tmp_path / path.name).write_text("".join(lines[:count]), encoding="utf-8")
        found = sections(tmp_path)
        assert f"## {entry.title}\n" in markdown.page(found)
        _Tags(html.page(found))


def test_what_was_not_measured_says_what_measures_it_or_why_not(tmp_path: Path) -> None:
    Journal(tmp_path / "plans.jsonl").add("published data", {"absent": "there is no data in <here>"})
    page, tags = markdown.page(sections(tmp_path)), html.page(sections(tmp_path))
    assert "Not measured: published data: there is no data in &lt;here>." in page
    assert "Not measured: published data: there is no data in &lt;here&gt;." in tags
    assert "Not measured: nothing was measured here: run `dlcodegen bench ladder`." in page
    assert "nothing was measured here: run <code>dlcodegen bench ladder</code>." in tags
    assert "not measured yet" in page


def test_a_section_says_how_it_was_made() -> None:
    rows = [
        {"key": "a", "seed": 1, "model": "m", "made": MADE},
        {"key": "b", "seed": 2, "made": {**MADE, "commit": "def"}},
    ]
    made = section(Entry("s", "S", "dlcodegen bench s", lambda _: []), rows).made
    assert made == {"command": "dlcodegen bench s", "seed": "1, 2", "model": "m, none", **MADE, "commit": "abc, def"}


def test_text_of_others_stays_text() -> None:
    shown = written(Table(["what"], [[HOSTILE]]), Part("More", [Table(["what"], [["c" * 999]])], folded=True))
    text, page = html.page([shown]), markdown.page([shown])
    assert "script" not in _Tags(text).count
    assert "&lt;script&gt;" in text
    assert "javascript:d)</" in text
    assert r"| &lt;/td>&lt;script>alert('x')&lt;/script> \| `a` **b**" in page
    assert "c" * 300 not in text
    assert "c" * 300 not in page


def test_marks_of_ours_become_html() -> None:
    text = html.page([written(Text("`a<b` **c** *d* [e](https://example.org) [f](javascript:g)"))])
    assert "<code>a&lt;b</code> <strong>c</strong> <em>d</em>" in text
    assert '<a href="https://example.org">e</a> [f](javascript:g)' in text


def test_cells_are_formatted_alike() -> None:
    cells = [1234.6, 0.12345, 7, True, None, Strong(0.5), Link("to", "there")]
    assert markdown.table(["x"] * 7, [cells]).splitlines()[-1] == (
        "| 1,235 | 0.123 | 7 | yes |  | **0.5** | [to](#there) |"
    )
    text = html.page([written(Table(["x"] * 7, [cells]))])
    for shown in (">1,235<", ">0.123<", ">yes<", "<strong>0.5</strong>", '<a href="#there">to</a>'):
        assert shown in text


@pytest.mark.parametrize(
    "plot",
    [
        Bars("few", ["one", "two"], {"s": [1.0, None]}, unit="%"),
        Bars("many", ["one", "two"], {name: [0.5, 2.0] for name in "abcdefghijkl"}),
        Bars("nothing yet", [], {"s": []}),
        Bars("nothing", ["one"], {"s": [None]}),
        Bars("zero", ["one"], {"s": [0.0]}),
        Bars("below zero", ["one"], {"s": [-1.0]}),
        Curves("lines", [0, 0.5, 1], {"a": [1.0, None, 3.0], "b": [None, None, None]}, x_title="temperature"),
        Curves("powers", [1, 10, 100], {"a": [0.0, 5.0, 5000.0]}, logarithmic=True),
        Curves("one point", [1], {"a": [2.0]}),
        Curves("no point", [], {"a": []}, logarithmic=True),
    ],
    ids=lambda plot: plot.title,
)
def test_plots_stay_inside_their_drawing(plot: Bars | Curves) -> None:
    text = html.page([written(plot)])
    _Tags(text)
    box = re.search(r'viewBox="0 0 (\d+) (\d+)"', text)
    assert box
    numbers = re.findall(r' (x|y|cx|cy|width|height|x1|x2|y1|y2)="(-?[\d.]+)"', text)
    width, height = int(box[1]), int(box[2])
    for name, value in numbers:
        assert -1 <= float(value) <= (height if name in ("y", "cy", "height", "y1", "y2") else width) + 1
    assert "nan" not in text
    for name, values in plot.series.items():
        if any(value is not None for value in values) and len(plot.series) > 1:
            assert name in text


def test_the_page_counts_what_was_caught_and_names_what_was_not(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "ladder.jsonl")
    journal.add("fault / a", {**FAULT, "ms": 120})
    journal.add("fault / b", {**FAULT, "fault": "b", "caught_by": "", "ms": 500})
    journal.add("sample / x", {"sample": "x/y", "caught_by": "", "said": "", "ms": 900})
    page = markdown.page(sections(tmp_path))
    assert "| all | 2 | 2 | 1 | 1 | 120 |" in page
    assert "Not caught, though expected: b." in page
    assert "False alarms on sound samples: none." in page
    assert "a \\| b" in page
    assert "1 of 2 planted faults" in page


def test_the_table_has_the_figures_that_the_journals_have(tmp_path: Path) -> None:
    code = Journal(tmp_path / "code.jsonl")
    names = ("ngram", "w-ngram", "syntax", "dataflow", "CodeBLEU", "parses", "names", "lines", "no placeholder")
    for tasks in (2, 23):
        for system, score in {"published: gpt-4o-mini_DLCodeGen": 20, FLOOR: 30}.items():
            row = dict.fromkeys(names, float(score + tasks))
            code.add(f"{system} ({tasks})", {"system": system, "tasks": tasks, **row})
    for seed in (1, 2):
        measured = {**dict.fromkeys(names, 10.0 + seed), "smoke run": 50.0 * seed, "passed": 0.0}
        ours = {"seconds a task": 1.0, "tokens a task": 5, "model": "m", "stopped": [], "temperature": None}
        code.add(f"ours, seed {seed}", {"system": "ours", "tasks": 23, "seed": seed, **measured, **ours})
    text = headline_of(tmp_path)
    assert "43.0 with GPT-4o-mini<br>its abstract" in text
    assert "| ours: 11.5, 75% run<br>a neighbouring task's code, copied unchanged: 53.0 |" in text


def test_the_command_writes_both_pages_and_the_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "README.md").write_text(f"# Mine\n{BEGIN}\nold\n{END}\nrest\n", encoding="utf-8")
    Journal(tmp_path / "docs" / "evaluation" / "ladder.jsonl").add("fault / a", {**FAULT, "ms": 120})
    assert run(["bench", "report"]) == 0
    assert "What the ladder catches" in (tmp_path / "docs" / "EVALUATION.md").read_text(encoding="utf-8")
    _Tags((tmp_path / "docs" / "evaluation" / "report.html").read_text(encoding="utf-8"))
    readme = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert "1 of 1 planted faults" in readme
    assert "(docs/EVALUATION.md#what-the-ladder-catches)" in readme
    assert "old" not in readme
    assert readme.endswith(f"{END}\nrest\n")
    assert capsys.readouterr().out.count("is written") == 3


def test_elsewhere_no_readme_is_touched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "README.md").write_text("# Mine\n", encoding="utf-8")
    Journal(tmp_path / "r" / "ladder.jsonl").add("fault / a", {**FAULT, "ms": 120})
    assert run(["bench", "report", "r", "--out", "r/page.md", "--html", "r/p/page.html"]) == 0
    assert (tmp_path / "README.md").read_text(encoding="utf-8") == "# Mine\n"
    assert (tmp_path / "r" / "p" / "page.html").exists()


def test_the_quick_version_has_a_few_steps_of_every_benchmark() -> None:
    from dlcodegen.evals import quick

    for name, steps in quick.steps().items():
        assert name in {entry.journal for entry in ENTRIES}
        keys = [key for key, _ in steps]
        assert 1 <= len(keys) <= 24, f"{name}: {keys}"
        assert len(keys) == len(set(keys))


def test_the_quick_command_measures_and_reports(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from dlcodegen.evals import quick

    monkeypatch.setattr(quick, "steps", lambda: {"ladder": iter([("fault / a", lambda: {**FAULT, "ms": 1})])})
    assert run(["bench", "quick", "--out", str(tmp_path)]) == 0
    assert "ladder: 1 results" in capsys.readouterr().err
    page = (tmp_path / "EVALUATION.md").read_text(encoding="utf-8")
    assert "The quick version" in page
    assert "In short" not in page, "too few rows for the table of the first page"
    assert json.loads((tmp_path / "ladder.jsonl").read_text(encoding="utf-8"))["fault"] == "a"
    assert "The quick version" in (tmp_path / "report.html").read_text(encoding="utf-8")
