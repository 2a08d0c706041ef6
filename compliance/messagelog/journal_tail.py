"""Reads the mail log of the systemd journal from a cursor on, and goes on as lines come.

`journalctl` does the reading: it knows rotation, and its JSON is read ten times faster than the
journal's own Python module hands out entries.
"""

import json
import os
import selectors
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from types import TracebackType

from compliance.messagelog.postfix_lines import Line

# Syslog facility `mail`, which Postfix and Dovecot write with.
_MATCH = "SYSLOG_FACILITY=2"
_FIELDS = "MESSAGE,SYSLOG_IDENTIFIER,SYSLOG_PID,_PID,_SYSTEMD_UNIT"
# Any program may call itself postfix; the unit is journald's own word.
_UNITS = ("postfix", "dovecot")
_CHUNK = 1 << 20
_CHECK_SECONDS = 60


class JournalTail:
    """The journal's mail lines behind a cursor; None: from its beginning. Use as a context."""

    def __init__(self, cursor: str | None, program: Sequence[str] = ("journalctl",)) -> None:
        """Start reading. program: what is run in place of journalctl, for tests."""
        self._program = program
        self._cursor = cursor
        self._partial = b""
        # The cursor's own line is read again: if it isn't there, lines behind it are lost too.
        begin = [f"--cursor={cursor}"] if cursor else []
        self._process = subprocess.Popen(  # noqa: S603 - the command is a constant
            # Without --merge, --follow passes over what was written before the host fell.
            [*program, "--follow", "--no-tail", "--merge", *self._common(), *begin, _MATCH],
            stdout=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
        )
        assert self._process.stdout is not None  # noqa: S101 - for the type checker
        self._pipe = self._process.stdout.fileno()
        os.set_blocking(self._pipe, False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._pipe, selectors.EVENT_READ)

    def __enter__(self) -> "JournalTail":
        """Return it."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End journalctl."""
        self._process.kill()
        self._process.communicate()
        self._selector.close()

    def read(self, seconds: float) -> list[Line]:
        """Return the next lines, waiting at most so long for the first. Raises OSError at the end.

        Lines that no mail program wrote have an empty program; their place counts all the same.
        """
        if not self._selector.select(seconds):
            return []
        data = os.read(self._pipe, _CHUNK)
        if not data:
            raise OSError(f"journalctl ended with status {self._process.wait()}")
        *whole, self._partial = (self._partial + data).split(b"\n")
        return [_line(json.loads(text)) for text in whole if text]

    def is_read_out(self, cursor: str) -> bool:
        """Say whether nothing stands behind a cursor now. Raises OSError if it can't be told."""
        done = subprocess.run(  # noqa: S603 - the command is a constant
            [*self._program, *self._common(), f"--after-cursor={cursor}", "--lines=+1", _MATCH],
            capture_output=True,
            timeout=_CHECK_SECONDS,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        if done.returncode != 0:
            raise OSError(done.stderr.decode("utf-8", "replace").strip())
        return not done.stdout.strip()

    @staticmethod
    def _common() -> list[str]:
        return ["--quiet", "--all", "--output=json", f"--output-fields={_FIELDS}"]


def _line(entry: dict[str, object]) -> Line:
    unit = str(entry.get("_SYSTEMD_UNIT", ""))
    program = str(entry.get("SYSLOG_IDENTIFIER", "")).rpartition("/")[2]
    return Line(
        cursor=str(entry["__CURSOR"]),
        boot=str(entry["_BOOT_ID"]),
        at=datetime.fromtimestamp(int(str(entry["__REALTIME_TIMESTAMP"])) / 1e6, UTC),
        program=program if unit.startswith(_UNITS) else "",
        pid=str(entry.get("_PID", "")),
        text=_text(entry.get("MESSAGE")),
    )


def _text(message: object) -> str:
    """Return the line's text; journald gives bytes that are no UTF-8 as a list of numbers."""
    if isinstance(message, list):
        message = bytes(message).decode("utf-8", "replace")
    return str(message or "").replace("\x00", " ")  # which PostgreSQL does not take
