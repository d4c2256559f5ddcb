"""Helper processes that share the rules of one DRC run.

Each helper (`base.processes.Helper`) gets the layout as bytes and then rules over a pipe, a few
at a time. A helper that dies gives its rules back: its pipe ends, nothing waits for it. One that
dies twice at the same rule ends the run.
"""

from __future__ import annotations

import contextlib
import pickle
import signal
from collections import deque
from collections.abc import Callable, Iterator
from multiprocessing.connection import wait
from typing import Any

import klayout.db as kdb

from ..base.errors import CrossStackError, is_about_memory
from ..base.processes import Helper, cores, serving
from ..pdk import Rule, Tech

#: neighbouring rules share layers, so a helper gets this many in a row
CHUNK = 8
#: helpers that may die at one rule before the run ends
_TRIES = 2

__all__ = ["CHUNK", "WorkerError", "cores", "serve", "share"]

#: what helpers are sent by its name
Judge = Callable[[kdb.Layout, kdb.Cell, Tech], Callable[[Rule], Any]]


class WorkerError(CrossStackError):
    """A rule whose helper process died; never to be taken for a clean result."""


class _Helper(Helper):
    """A helper and the rules that it has."""

    def __init__(self, setup: bytes) -> None:
        super().__init__(__name__)
        self.rules: deque[int] = deque()
        self.tell(setup)

    def give(self, numbers: list[int], rules: list[Rule]) -> None:
        """Give more rules, by their numbers."""
        self.rules.extend(numbers)
        self.tell(pickle.dumps([(k, rules[k]) for k in numbers]))


def share(
    judge: Judge, layout: kdb.Layout, top: str, tech: Tech, rules: list[Rule], helpers: int
) -> Iterator[Any]:
    """Yield the outcome of every rule, in order, as helper processes find them.

    Args:
        judge: function of a module: (layout, cell, tech) -> rule -> outcome.
        layout: what is checked; the helpers get copies.
        top: cell to check.
        tech: process.
        rules: rules to judge.
        helpers: number of processes.

    Raises:
        WorkerError: if helpers die at one rule again and again.
        CrossStackError: what a rule raised; that of the first in order.
    """
    options = kdb.SaveLayoutOptions()
    options.format = "OASIS"
    setup = pickle.dumps((judge, layout.write_bytes(options), top, tech))
    team = _Team(setup, rules, helpers)
    try:
        yield from team.run()
    finally:
        team.stop()


class _Team:
    def __init__(self, setup: bytes, rules: list[Rule], size: int) -> None:
        self.setup, self.rules = setup, rules
        self.waiting = deque(range(len(rules)))
        self.deaths: dict[int, int] = {}
        self.helpers: list[_Helper] = []
        self.size = min(size, -(-len(rules) // CHUNK))

    def run(self) -> Iterator[Any]:
        found: dict[int, Any] = {}
        for number in range(len(self.rules)):
            while number not in found:
                self._staff()
                for helper in self._ready():
                    self._hear(helper, found)
            outcome = found.pop(number)
            if isinstance(outcome, BaseException):
                raise outcome
            yield outcome

    def stop(self) -> None:
        for helper in self.helpers:
            helper.stop()

    def _staff(self) -> None:
        """Start helpers as long as rules wait, and give rules to those without."""
        while self.waiting and len(self.helpers) < self.size:
            self.helpers.append(_Helper(self.setup))
        for helper in self.helpers:
            if self.waiting and not helper.rules:
                first = self.waiting[0]
                # a rule that killed a helper goes alone: it must not take others with it
                most = 1 if first in self.deaths else CHUNK
                numbers = [self.waiting.popleft() for _ in range(min(most, len(self.waiting)))]
                helper.give(numbers, self.rules)

    def _ready(self) -> list[_Helper]:
        by_pipe: dict[Any, _Helper] = {helper.pipe: helper for helper in self.helpers}
        return [by_pipe[pipe] for pipe in wait(list(by_pipe))]

    def _hear(self, helper: _Helper, found: dict[int, Any]) -> None:
        try:
            number, outcome = pickle.loads(helper.pipe.recv_bytes())
        except (EOFError, OSError):
            self._bury(helper, found)
            return
        helper.rules.remove(number)
        found[number] = outcome

    def _bury(self, helper: _Helper, found: dict[int, Any]) -> None:
        """Take back the rules of a helper that died; the first one was at work."""
        self.helpers.remove(helper)
        helper.stop()
        if not helper.rules:
            return
        at_work = helper.rules[0]
        self.waiting.extendleft(reversed(helper.rules))
        self.deaths[at_work] = self.deaths.get(at_work, 0) + 1
        if self.deaths[at_work] >= _TRIES:
            self.waiting.remove(at_work)
            found[at_work] = WorkerError(_obituary(self.rules[at_work], helper.process.returncode))


def _obituary(rule: Rule, code: int) -> str:
    how = f"ended with {code}" if code >= 0 else f"was ended by {signal.Signals(-code).name}"
    what = f"rule {rule.name} could not be checked: its helper process {how}, {_TRIES} times"
    return f"{what} (not enough memory? with --threads 1 there is one process)"


def serve(descriptor: int, parent: int) -> None:
    """Judge rules until the pipe ends: the life of a helper process.

    Args:
        descriptor: our end of the pipe.
        parent: process that started us.
    """
    pipe = serving(descriptor, parent)
    check: Callable[[Rule], Any] | None = None
    with contextlib.suppress(EOFError, OSError):
        judge, data, top, tech = pickle.loads(pipe.recv_bytes())
        while True:
            for number, rule in pickle.loads(pipe.recv_bytes()):
                try:
                    if check is None:
                        layout = kdb.Layout()
                        layout.read_bytes(data, kdb.LoadLayoutOptions())
                        check = judge(layout, layout.cell(top), tech)
                    answer = pickle.dumps((number, check(rule)))
                except Exception as error:
                    answer = pickle.dumps((number, _sendable(rule, error)))
                pipe.send_bytes(answer)


def _sendable(rule: Rule, error: Exception) -> BaseException:
    if is_about_memory(error):
        return MemoryError(f"rule {rule.name}")
    try:
        copy = pickle.loads(pickle.dumps(error))
    except Exception:
        copy = None
    if isinstance(copy, CrossStackError):
        return copy
    return RuntimeError(f"rule {rule.name}: {type(error).__name__}: {error}")
