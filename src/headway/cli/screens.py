"""Where a followed task is shown: a bar in a terminal, or plain lines for a file or a pipe."""

from __future__ import annotations

import sys
import time
from abc import ABC, abstractmethod
from types import TracebackType
from typing import Any, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from headway.cli.view import View, amount, clean, duration
from headway.model.task import TaskState

__all__ = ["Bar", "Lines", "Screen", "make_screen"]

_COLOURS = {
    TaskState.SUCCEEDED: "green",
    TaskState.FAILED: "red",
    TaskState.CANCELLED: "yellow",
    TaskState.PAUSED: "yellow",
    TaskState.LOST: "magenta",
}
_LEVELS = {"warning": "yellow", "error": "red", "debug": "dim"}


class Screen(ABC):
    """Shows a view. Entered while it is in use."""

    @abstractmethod
    def changed(self, view: View) -> None:
        """Something became known."""

    @abstractmethod
    def log(self, entries: list[dict[str, Any]]) -> None:
        """The job said something."""

    @abstractmethod
    def away(self, reason: str, heard_at: float | None) -> None:
        """The server cannot be heard; what is shown is as of `heard_at` (Unix seconds)."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return


class Lines(Screen):
    """A line when something worth a line has changed: the state, the step, each quarter, and the end."""

    def __init__(self) -> None:
        self._said: tuple[object, ...] = ()
        self._step: int | None = None
        self._quarter = 0
        self._is_away = False

    def changed(self, view: View) -> None:
        if self._is_away:
            self._is_away = False
            print("headway: connected again", file=sys.stderr, flush=True)
        task = view.task
        if task is None:
            return
        title = clean(task.title)
        said = (task.state, task.attempt, task.stopping)
        if said != self._said:
            if self._said and task.attempt != self._said[1]:
                self._step, self._quarter = None, 0
            self._said = said
            if not task.state.terminal:
                self._say(f"{title}: {view.ending()}")
        step = task.progress.step
        if step is not None and step.index != self._step:
            self._step = step.index
            self._say(f"{title}: step {step.index} of {step.of}, {clean(step.name)}")
        quarter = int((task.progress.percent or 0) // 25)
        if self._quarter < quarter < 4:
            self._quarter = quarter
            self._say(f"{title}: {quarter * 25} %")
        if task.state.terminal:
            self._say(f"{title}: {view.ending()}")

    def log(self, entries: list[dict[str, Any]]) -> None:
        for entry in entries:
            self._say(_log_line(entry))

    def away(self, reason: str, heard_at: float | None) -> None:
        if not self._is_away:
            self._is_away = True
            print(f"headway: {_away(heard_at)} ({clean(reason)})", file=sys.stderr, flush=True)

    def _say(self, line: str) -> None:
        print(line, flush=True)


class Bar(Screen):
    """A bar that moves, with the log running above it."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._view: View | None = None
        self._away = ""
        self._live = Live(get_renderable=self._draw, console=console, refresh_per_second=8)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def changed(self, view: View) -> None:
        self._view, self._away = view, ""

    def log(self, entries: list[dict[str, Any]]) -> None:
        for entry in entries:
            self._console.print(Text(_log_line(entry), style=_LEVELS.get(entry["level"], "")))

    def away(self, reason: str, heard_at: float | None) -> None:
        self._away = f"{_away(heard_at)} ({clean(reason)})"

    def _draw(self) -> RenderableType:
        view = self._view
        parts: list[RenderableType] = []
        if view is not None and view.task is not None:
            parts = [_head(view), _bar(view), *_doing(view)]
        if self._away:
            parts.append(Text(self._away, style="yellow"))
        return Group(*parts)


def make_screen() -> Screen:
    """The one that fits standard output."""
    if sys.stdout.isatty():
        console = Console()
        if not console.is_dumb_terminal:
            return Bar(console)
    return Lines()


def _head(view: View) -> Text:
    assert view.task is not None  # noqa: S101 - only a known task is drawn
    head = Text(clean(view.task.title), style="bold")
    head.append(f"  {view.ending()}", style=f"not bold {_COLOURS.get(view.task.state, 'default')}")
    return head


def _bar(view: View) -> Table:
    assert view.task is not None  # noqa: S101 - only a known task is drawn
    task, progress = view.task, view.task.progress
    known = progress.percent is not None
    bar = ProgressBar(
        total=100,
        completed=progress.percent or 0,
        width=40,
        pulse=not known and task.state is TaskState.RUNNING,
    )
    words = [f"{progress.percent:5.1f} %"] if known else []
    if not task.state.terminal:
        if progress.rate:
            words.append(f"{amount(progress.rate)} {clean(progress.unit)}/s".replace(" /s", "/s"))
        if (left := view.remaining(int(time.time() * 1000))) is not None:
            words.append(f"{duration(left)} left")
    row = Table.grid(padding=(0, 2))
    row.add_row(bar, *(Text(word, no_wrap=True) for word in words))
    return row


def _doing(view: View) -> list[Text]:
    assert view.task is not None  # noqa: S101 - only a known task is drawn
    progress = view.task.progress
    words = []
    if progress.step is not None:
        words.append(f"{progress.step.index}/{progress.step.of} {clean(progress.step.name)}")
    if progress.total is not None:
        words.append(f"{amount(progress.done)} of {amount(progress.total)} {clean(progress.unit)}".rstrip())
    elif progress.done:
        words.append(f"{amount(progress.done)} {clean(progress.unit)}".rstrip())
    if progress.message:
        words.append(clean(progress.message))
    return [Text("  ".join(words), style="dim", no_wrap=True, overflow="ellipsis")] if words else []


def _log_line(entry: dict[str, Any]) -> str:
    return f"{time.strftime('%H:%M:%S', time.localtime(entry['at'] / 1000))} {clean(entry['text'])}"


def _away(heard_at: float | None) -> str:
    if heard_at is None:
        return "connecting"
    return f"reconnecting, as of {time.strftime('%H:%M:%S', time.localtime(heard_at))}"
