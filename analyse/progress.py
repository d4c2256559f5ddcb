"""What an analysis tells while it runs; whoever starts it decides where that is shown."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any, Protocol


class Step(Protocol):
    """One step of a run."""

    def __call__(self, *news: Any) -> None:
        """Take news of any shape: up to two numbers (done, total) and a text."""


class Console(Protocol):
    """Takes the lines and the steps of an analysis."""

    def say(self, text: str) -> None:
        """Take a line for people."""

    def step(self, name: str) -> AbstractContextManager[Step]:
        """Take the name of what runs next, until the block ends."""


def step_of(mode: str) -> str:
    """Return what the solving of a mode is called while it runs."""
    return f"solve {mode}"
