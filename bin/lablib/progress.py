"""Show one step after the other: a live line on a terminal, plain lines in a log."""

import os
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

_console = Console(highlight=False)


class StepFailedError(Exception):
    """A step failed; the text has the end of its output and what to do."""


class Steps:
    """A numbered list of steps of known length, each with a log file of its own."""

    def __init__(self, total: int, logs: Path, environment: dict[str, str]) -> None:
        """Take how many steps there will be and where their output goes."""
        self.total, self.number = total, 0
        self.logs, self.environment = logs, {**os.environ, **environment}
        logs.mkdir(parents=True, exist_ok=True)

    def run(self, title: str, command: list[str | Path], remedy: str) -> None:
        """Run a program as one step. Raises StepFailedError with the end of what it printed."""
        with self._step(title) as tell:
            process, log = self._start(title, command, piped=True)
            with log.open("w") as sink:
                for line in process.stdout or ():
                    sink.write(line)
                    tell(line)
            _expect_success(process, title, log, remedy)

    @contextmanager
    def beside(self, title: str, command: list[str | Path], remedy: str) -> Iterator[None]:
        """Run a program as a step beside those within; behind them wait for its end.

        Tells the last line of what it printed. Raises StepFailedError as `run` does. It is ended
        if one of those fails.
        """
        self.number += 1
        head = f"[{self.number}/{self.total}] {title}"
        _console.print(f"{head}, beside what follows ...", soft_wrap=True)
        started = time.monotonic()
        process, log = self._start(title, command, piped=False)
        try:
            yield
        except BaseException:
            process.terminate()
            raise
        _expect_success(process, title, log, remedy)
        said = log.read_text().rstrip().rpartition("\n")[2]
        _console.print(f"{head}: {time.monotonic() - started:.0f} s; {said}", soft_wrap=True)

    def _start(
        self, title: str, command: list[str | Path], *, piped: bool
    ) -> tuple[subprocess.Popen[str], Path]:
        """Start a program. What it prints goes to its log file, or to a pipe for who writes it."""
        log = self.logs / f"{self.number:02d}-{_slug(title)}.log"
        with log.open("w") as sink:
            process = subprocess.Popen(
                [str(word) for word in command],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE if piped else sink,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                env=self.environment,
            )
        return process, log

    def run_openly(self, title: str, command: list[str | Path], remedy: str) -> None:
        """Run a program whose output is itself what the person came for, such as a test run."""
        self.number += 1
        _console.print(f"[{self.number}/{self.total}] {title}", soft_wrap=True)
        words = [str(word) for word in command]
        status = subprocess.run(words, stdin=subprocess.DEVNULL, env=self.environment).returncode
        if status:
            raise StepFailedError(f"Failed: {title} (exit status {status}).\nWhat to do: {remedy}")

    @contextmanager
    def _step(self, title: str) -> Iterator["_Teller"]:
        self.number += 1
        head = f"[{self.number}/{self.total}] {title}"
        started = time.monotonic()
        if _console.is_terminal:
            with _console.status(head) as status:
                yield _Teller(lambda text: status.update(f"{head}: {text}"))
        else:
            _console.print(f"{head} ...", soft_wrap=True)
            yield _Teller(lambda _text: None)
        _console.print(f"{head}: {time.monotonic() - started:.0f} s", soft_wrap=True)


def _expect_success(process: subprocess.Popen[str], title: str, log: Path, remedy: str) -> None:
    if process.wait():
        end = "".join(log.read_text().splitlines(keepends=True)[-40:])
        raise StepFailedError(
            f"{end}\nFailed: {title} (exit status {process.returncode}).\n"
            f"The whole output: {log}\nWhat to do: {remedy}"
        )


class _Teller:
    """Shortens a program's line to what a person wants to see pass by."""

    def __init__(self, show: Callable[[str], None]) -> None:
        self._show = show

    def __call__(self, line: str) -> None:
        task = re.match(r"TASK \[(.+?)\]", line)
        text = task.group(1) if task else line.strip()
        if text and not text.startswith(("ok:", "changed:", "skipping:", "PLAY", "*")):
            self._show(text[:80])


def _slug(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:40]
