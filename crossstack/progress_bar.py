"""Progress on a terminal: one line that moves."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.text import Text

from .progress import Course, Step, left_words


class _Left(ProgressColumn):
    """The time that is left, once it is known."""

    def __init__(self, course: Course) -> None:
        super().__init__()
        self._course = course

    def render(self, task: Task) -> Text:
        """Return the words; a step that speaks for itself says it in its text."""
        step = self._course.step
        if step is None or step.line is not None:
            return Text("")
        left = self._course.left_s()
        return Text("" if left is None else left_words(left))


class Bar:
    """A line for the step that runs.

    Args:
        progress: rich's display.
    """

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._tasks: dict[Step, TaskID] = {}

    def show(self, step: Step) -> None:
        """Add a step."""
        task = self._progress.add_task(step.name, total=None, detail="")
        self._tasks[step] = task

        def news(step: Step) -> None:
            total = step.total or None
            self._progress.update(
                task,
                description=step.name,
                completed=step.done,
                total=total,
                detail=step.text,
            )

        step.watch(news)

    def hide(self, step: Step) -> None:
        """Take a step away."""
        self._progress.remove_task(self._tasks.pop(step))


@contextmanager
def bar(course: Course) -> Iterator[Bar]:
    """Show a run on stderr while it lasts."""
    columns = (
        TextColumn("{task.description:<16}"),
        BarColumn(),
        TimeElapsedColumn(),
        _Left(course),
        TextColumn("{task.fields[detail]}"),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        yield Bar(progress)
