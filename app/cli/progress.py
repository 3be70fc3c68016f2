"""Live progress on stderr: a spinner for each stage at work, side by side, and a line for each that is done."""

from types import TracebackType
from typing import Any

from rich import progress
from rich.console import Console
from rich.text import Text

from dlcodegen.delivery.markdown import printable

_TITLES = {
    "read_requirement": "read requirement",
    "plan": "plan",
    "filter_category": "filter by category",
    "retrieve": "retrieve samples",
    "abstract_template": "abstract template",
    "draft_from_code": "draft from samples",
    "draft_from_template": "draft from template",
    "check_drafts": "check drafts",
    "merge": "merge drafts",
    "write_directly": "write directly",
    "check": "run and check",
    "repair": "repair",
    "deliver": "deliver",
}
_WIDTH = max(map(len, _TITLES.values()))


class Progress:
    """Shows the graph's stage events. On anything but a terminal: plain lines, one for each stage that is done."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._running: dict[str, progress.TaskID] = {}
        self._live = progress.Progress(
            progress.SpinnerColumn(),
            progress.TextColumn("{task.description}", markup=False),
            progress.TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def __enter__(self) -> "Progress":
        self._live.start()
        self._running[""] = self._live.add_task("starting", total=None)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._live.stop()

    def show(self, event: dict[str, Any]) -> None:
        """Take one event of `dlcodegen.events`; others are passed over."""
        if event.get("type") == "tokens" and event.get("stage") in self._running:
            written = f"{_title(event['stage'])}, {event['tokens']} tokens"
            self._live.update(self._running[event["stage"]], description=written)
        if event.get("type") != "stage":
            return
        stage = event["stage"]
        title = _title(stage)
        self._end("")
        self._end(stage)
        if event["status"] == "started":
            self._running[stage] = self._live.add_task(title, total=None)
        else:
            self._console.print(_line(title, printable(event["detail"]), event["seconds"]), soft_wrap=True)

    def _end(self, stage: str) -> None:
        if stage in self._running:
            self._live.remove_task(self._running.pop(stage))
            self._live.refresh()


def _title(stage: str) -> str:
    return _TITLES.get(stage, stage.replace("_", " "))


def _line(title: str, detail: str, seconds: float) -> Text:
    tick, time = ("✓ ", "green"), (f"{seconds:6.1f} s", "dim")
    return Text.assemble(tick, title.ljust(_WIDTH + 1), time, f"  {detail}" if detail else "")
