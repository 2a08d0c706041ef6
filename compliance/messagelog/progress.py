"""Says how many rows have come: in one line on a terminal, now and then a line in a log."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from compliance.messagelog.answers import Row

_EVERY = 50_000  # rows between two lines where there is no terminal
_OFTEN = 1_000  # and between two numbers on one


@contextmanager
def counted(rows: Iterator[Row]) -> Iterator[Iterator[Row]]:
    """Give the same rows, and tell standard error of them as they are taken."""
    from rich.console import Console  # the milter, behind the same door, must be back at once

    console = Console(stderr=True)
    if not console.is_terminal:
        yield _told_in_lines(rows)
        return
    with console.status("0 rows") as status:

        def told() -> Iterator[Row]:
            for number, row in enumerate(rows, 1):
                yield row
                if number % _OFTEN == 0:
                    status.update(f"{number} rows")

        yield told()


def _told_in_lines(rows: Iterator[Row]) -> Iterator[Row]:
    for number, row in enumerate(rows, 1):
        yield row
        if number % _EVERY == 0:
            sys.stderr.write(f"{number} rows\n")
            sys.stderr.flush()
