"""Spreads work over all processors."""

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any, TypeVar

Tool = TypeVar("Tool")
Item = TypeVar("Item")
Result = TypeVar("Result")
Opened = Callable[[], AbstractContextManager[Any]]
Work = Callable[[Any, Any], Any]


class _Process:
    """What a process keeps from one item to the next."""

    def __init__(self, opened: Opened, work: Work) -> None:
        # An interrupt reaches all; the first process ends the others.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        self._opened, self._work = opened, work
        self._stack = ExitStack()
        self._tools: list[object] = []

    def do(self, item: object) -> object:
        """Do one item's work. Opens the tool for the first, so that its errors are raised here."""
        if not self._tools:
            self._tools.append(self._stack.enter_context(self._opened()))
        return self._work(self._tools[0], item)


_process: _Process


@contextmanager
def spread(
    opened: Callable[[], AbstractContextManager[Tool]],
    work: Callable[[Tool, Item], Result],
    items: Sequence[Item],
) -> Iterator[Iterator[Result]]:
    """Begin to do work for each item; yield the results, in the items' order.

    opened: opens what each process works with, once. Items and results are sent between processes.
    What is raised at work is raised where the result is taken.
    """
    processes = max(1, min(len(items), os.cpu_count() or 1))
    # Forked, so that what the work holds is there and isn't sent along with each item.
    forked = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(processes, forked, _begin, (opened, work)) as executor:
        yield executor.map(_do, items)


def _begin(opened: Opened, work: Work) -> None:
    global _process
    _process = _Process(opened, work)


def _do(item: object) -> Any:
    return _process.do(item)
