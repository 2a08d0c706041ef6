"""How a command ends, whatever happens in it: in words, and with an exit code that says which."""

import atexit
import codecs
import io
import logging
import os
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn, TextIO

import click

from compliance.errors import UserError

ERROR = 2
# As a shell has it of a program that a signal ends: 128 and the signal's number.
INTERRUPTED = 130
NOBODY_READS = 141
TERMINATED = 143

_HERE = Path(__file__).parents[1]


def run(command: Callable[[], Any]) -> NoReturn:
    """Run a command and exit: with its own code, or one of those above.

    command: as click runs it outside of standalone mode; returns its exit code, or anything.
    """
    _mend_streams()
    # It warns of what it gives up when a command is stopped; what that means is told in words.
    logging.getLogger("psycopg").addHandler(logging.NullHandler())
    own, stopped, ended = os.getpid(), list[int](), list[int]()
    # Registered first it runs last, when libraries have put away their temporary files.
    atexit.register(lambda: _die() if ended else None)

    def stop(number: int, _frame: FrameType | None) -> None:
        if os.getpid() != own:  # a process that this one began: it has nothing to put in order
            os._exit(TERMINATED)
        if not stopped:  # a second one would end what puts things in order
            stopped.append(number)
            raise KeyboardInterrupt  # which libraries clean up after

    signal.signal(signal.SIGTERM, stop)
    try:
        code = _flushed(_told(command))
    except KeyboardInterrupt:
        code = INTERRUPTED
    if stopped and code == INTERRUPTED:
        ended.append(TERMINATED)
    sys.exit(code)


def _die() -> None:
    """End by the signal itself: a shell tells of it as 143, and systemd takes it for no failure."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.kill(os.getpid(), signal.SIGTERM)


def _told(command: Callable[[], Any]) -> int:
    """Run a command; tell what it ends by, and return the exit code."""
    try:
        returned = command()
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.Abort:
        return INTERRUPTED
    except SystemExit as ended:  # click's own answer to a pipe that nobody reads is 1
        broken = isinstance(ended.__context__, BrokenPipeError)
        return NOBODY_READS if broken else _code(ended.code)
    except Exception as error:
        sys.stderr.write(f"kommunpost: {_sentence(error)}\n")
        return ERROR
    return _code(returned)


def _code(told: object) -> int:
    return told if isinstance(told, int) else 0


def _sentence(error: Exception) -> str:
    if isinstance(error, UserError):
        return str(error)
    if isinstance(error, OSError):
        told = error.strerror or error
        if error.filename is None:
            return f"a file or a connection could not be read or written ({told})"
        return f"{error.filename}: {told}"
    if isinstance(error, UnicodeError):
        return f"a text cannot be read or written as it should: {error}"
    return _defect(error)


def _defect(error: Exception) -> str:
    """Tell of an error that nobody thought of, and where it arose, for whoever mends it."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if Path(frame.filename).is_relative_to(_HERE / "compliance")]
    where = " < ".join(
        f"{Path(frame.filename).relative_to(_HERE)}:{frame.lineno}" for frame in own[::-1]
    )
    return (
        f"{where}: {type(error).__name__}: {error}\n"
        "  What to do: this is a defect of Kommunpost; report these lines"
    )


def _flushed(code: int) -> int:
    """Write out what is left, while it can still be told that it can't be."""
    try:
        sys.stdout.flush()
    except (OSError, ValueError) as error:
        # What is left would be tried again at the very end, and told with a traceback.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        if isinstance(error, BrokenPipeError):
            return NOBODY_READS
        if code != ERROR:  # else it is told
            told = getattr(error, "strerror", None) or error
            sys.stderr.write(f"kommunpost: standard output cannot be written ({told})\n")
        return ERROR
    return code


def _mend_streams() -> None:
    """Have a character that the terminal lacks written escaped, and streams that are closed."""
    codecs.register_error("kommunpost", _escaped)
    if sys.stderr is None:  # closed by whoever runs this: nobody wants to be told
        sys.stderr = _opened(2, os.O_WRONLY)
    if sys.stdout is None:  # a write must fail: it isn't to be taken for done
        sys.stdout = _opened(1, os.O_RDONLY)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="kommunpost")


def _opened(number: int, way: int) -> TextIO:
    handle = os.open(os.devnull, way)
    if handle != number:
        os.dup2(handle, number)
        os.close(handle)
    return open(number, "w", encoding="utf-8", closefd=False)


def _escaped(error: UnicodeError) -> tuple[str, int]:
    """Write characters as JSON has them escaped, so that JSON stays what it is (RFC 8259, 7)."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    units = error.object[error.start : error.end].encode("utf-16-be", "surrogatepass")
    pairs = zip(units[::2], units[1::2], strict=True)
    return "".join(f"\\u{high:02x}{low:02x}" for high, low in pairs), error.end
