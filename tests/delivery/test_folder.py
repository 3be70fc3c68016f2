from pathlib import Path

import pytest

from dlcodegen.delivery.folder import ensure_writable, write_project
from dlcodegen.errors import DLCodeGenError, SettingsError

FILES = {"main.py": "print('ü')\n", "tests/test_smoke.py": "new\n"}


def content(folder: Path) -> dict[str, str]:
    return {p.relative_to(folder).as_posix(): p.read_text("utf-8") for p in folder.rglob("*") if p.is_file()}


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_new_folder_is_made_with_its_parents_and_nothing_beside_it(tmp_path: Path) -> None:
    write_project(FILES, tmp_path / "a" / "b")
    assert content(tmp_path) == {f"a/b/{name}": text for name, text in FILES.items()}
    assert names(tmp_path / "a") == ["b"]
    assert (tmp_path / "a" / "b").stat().st_mode & 0o777 == (tmp_path / "a").stat().st_mode & 0o777


def test_an_empty_folder_is_used_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_project(FILES, Path())
    assert content(Path.cwd()) == FILES


def test_a_folder_with_content_is_refused_before_anything_happens(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    refusal = "is not empty: replace the project in it with --force"
    with pytest.raises(SettingsError, match=refusal):
        ensure_writable(tmp_path, force=False)
    with pytest.raises(SettingsError, match=refusal):
        write_project(FILES, tmp_path)
    assert content(tmp_path) == {"mine.txt": "mine"}


def test_force_replaces_ours_and_keeps_theirs(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    (tmp_path / "main.py").write_text("old")
    write_project(FILES, tmp_path, force=True)
    assert content(tmp_path) == FILES | {"mine.txt": "mine"}


@pytest.mark.parametrize("beyond", ["", "below"])
def test_a_file_is_no_folder(tmp_path: Path, beyond: str) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(SettingsError, match=r"is a file: name a folder|Not a directory; name another folder"):
        ensure_writable(tmp_path / "file" / beyond, force=True)


@pytest.mark.parametrize("name", ["x" * 300, "a\0b", "/proc/nowhere/project"])
def test_what_cannot_be_written_is_said_in_one_line(tmp_path: Path, name: str) -> None:
    with pytest.raises(SettingsError, match=r"^cannot write to .*name another folder with --out$"):
        ensure_writable(tmp_path / name, force=False)


def test_asking_leaves_nothing_behind(tmp_path: Path) -> None:
    ensure_writable(tmp_path / "new" / "project", force=False)
    assert names(tmp_path) == []


@pytest.mark.parametrize("name", ["../out.py", "/etc/out.py", "a/../../out.py", "a\\..\\b.py", ""])
def test_no_file_leaves_the_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(DLCodeGenError, match="would leave the project folder"):
        write_project({name: "x"}, tmp_path / "project")
    assert content(tmp_path) == {}


def test_no_file_leaves_the_folder_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "project").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "project" / "tests").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(DLCodeGenError, match="would leave the project folder"):
        write_project(FILES, tmp_path / "project", force=True)
    assert content(tmp_path / "elsewhere") == {}


def test_a_failure_half_way_puts_the_old_files_back(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text("old")
    (tmp_path / "README.md").mkdir()  # a folder stands where a file should go
    with pytest.raises(DLCodeGenError, match=r"^cannot write the project to .*: Is a directory"):
        write_project({"main.py": "new", "extra.py": "new", "README.md": "new"}, tmp_path, force=True)
    assert content(tmp_path) == {"main.py": "old"}
    assert names(tmp_path) == ["README.md", "main.py"]


def test_an_interruption_while_writing_leaves_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(path: Path, *args: object, **kwargs: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "write_text", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_project(FILES, tmp_path / "project")
    assert names(tmp_path) == []
