"""Says how far an audit has come: a bar on a terminal, a line now and then in a log."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.progress import Progress as Bars

from compliance.probes.progress import Progress
from compliance.report.texts import report_texts
from compliance.texts import Language

# Seconds between two lines about the same step where there is no terminal.
_EVERY = 10.0


@contextmanager
def shown(console: Console, language: Language) -> Iterator[Progress]:
    """Give a progress that writes to this console, with bars if it is a terminal."""
    if not console.is_terminal:
        yield _Lines(console, language)
        return
    with Bars(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
    ) as bars:
        yield _Bars(bars, language)


class _Lines:
    def __init__(self, console: Console, language: Language) -> None:
        self._console = console
        self._language = language
        self._text, self._total, self._done, self._told = "", 0, 0, 0.0

    def step(self, key: str, total: int = 0) -> None:
        self._text = report_texts()[f"progress.{key}"].read(self._language)
        self._total, self._done, self._told = total, 0, time.monotonic()
        self._console.print(self._text, highlight=False)

    def advance(self, count: int = 1) -> None:
        self._done += count
        if time.monotonic() - self._told > _EVERY:
            self._told = time.monotonic()
            self._console.print(f"{self._text}: {self._done}/{self._total}", highlight=False)


class _Bars:
    def __init__(self, bars: Bars, language: Language) -> None:
        self._bars = bars
        self._language = language

    def step(self, key: str, total: int = 0) -> None:
        for task in self._bars.task_ids:
            self._bars.remove_task(task)
        text = report_texts()[f"progress.{key}"].read(self._language)
        self._bars.add_task(text, total=total or None)

    def advance(self, count: int = 1) -> None:
        for task in self._bars.task_ids:
            self._bars.advance(task, count)
