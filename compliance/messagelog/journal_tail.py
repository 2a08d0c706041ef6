"""Reads the mail log of the systemd journal from a cursor on, and goes on as lines come.

`journalctl` does the reading: it knows rotation, and its JSON is read ten times faster than the
journal's own Python module hands out entries. But it may pass over a file that is rotated at the
moment when it is opened (systemd's issues 32157 and 40053). journald numbers all its lines without
a gap, so all are read here, not only the mail log's, and a gap is read once more by a new
journalctl: what that one doesn't have either isn't there.
"""

import json
import logging
import os
import pwd
import selectors
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from types import TracebackType

from compliance.messagelog.postfix_lines import Line

# Syslog facility `mail`, which Postfix and Dovecot write with.
_FACILITY = "2"
_MATCH = f"SYSLOG_FACILITY={_FACILITY}"
_FIELDS = "MESSAGE,SYSLOG_FACILITY,SYSLOG_IDENTIFIER,_PID,_UID,_SYSTEMD_UNIT"
# Any program may call itself postfix; unit and user are journald's own words. Of a process that has
# ended before journald looked the unit is missing, and `postsuper` runs in an administrator's
# session: the user is Postfix's own then too, and nobody else's.
_UNITS = ("postfix", "dovecot")
_MAIL_OWNER = "postfix"
_CHUNK = 1 << 20
_CHECK_SECONDS = 60

_log = logging.getLogger(__name__)


class JournalTail:
    """The journal's mail lines behind a cursor; None: from its beginning. Use as a context."""

    def __init__(self, cursor: str | None, program: Sequence[str] = ("journalctl",)) -> None:
        """Start reading. program: what is run in place of journalctl, for tests."""
        self._program = program
        self._owner = _uid(_MAIL_OWNER)
        self._cursor = cursor  # of the last line read, of whatever program
        self._number: tuple[str, int] | None = None  # of that line: journald's series, place in it
        self._read_again_from: str | None = None
        self._start()

    def _start(self) -> None:
        # The cursor's own line is read again: if it isn't there, lines behind it are lost too.
        begin = [f"--cursor={self._cursor}"] if self._cursor else []
        self._process = subprocess.Popen(  # noqa: S603 - the command is a constant
            # Without --merge, --follow passes over what was written before the host fell.
            [*self._program, "--follow", "--no-tail", "--merge", *self._common(), *begin],
            stdout=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
        )
        assert self._process.stdout is not None  # noqa: S101 - for the type checker
        self._pipe = self._process.stdout.fileno()
        os.set_blocking(self._pipe, False)
        self._partial = b""
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
        self._end()

    def _end(self) -> None:
        self._process.kill()
        self._process.communicate()
        self._selector.close()

    def read(self, seconds: float) -> list[Line]:
        """Return the next lines, waiting at most so long for the first. Raises OSError at the end.

        Lines of the mail log that no mail program wrote have an empty program.
        """
        if not self._selector.select(seconds):
            return []
        data = os.read(self._pipe, _CHUNK)
        if not data:
            raise OSError(f"journalctl ended with status {self._process.wait()}")
        *whole, self._partial = (self._partial + data).split(b"\n")
        lines = []
        for entry in map(json.loads, whole):
            number = (entry["__SEQNUM_ID"], int(entry["__SEQNUM"]))
            if self._number and entry["__CURSOR"] == self._cursor:
                continue  # where the new journalctl began
            if self._is_gap_before(entry["__CURSOR"], number) and self._begin_again():
                break
            self._cursor, self._number = entry["__CURSOR"], number
            if entry.get("SYSLOG_FACILITY") == _FACILITY:
                lines.append(self._line(entry))
        return lines

    def _is_gap_before(self, cursor: str, number: tuple[str, int]) -> bool:
        if self._number is None:
            return self._cursor not in (None, cursor)
        series, place = number
        return series == self._number[0] and place > self._number[1] + 1

    def _begin_again(self) -> bool:
        """Let a new journalctl read on from the last line; False: one has, and it lacks as much."""
        if self._read_again_from == self._cursor:
            _log.warning("the journal lacks lines behind %s", self._cursor)
            return False
        _log.info("journalctl passed over lines; they are read again")
        self._read_again_from = self._cursor
        self._end()
        self._start()
        return True

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

    def _line(self, entry: dict[str, object]) -> Line:
        unit = str(entry.get("_SYSTEMD_UNIT", ""))
        program = str(entry.get("SYSLOG_IDENTIFIER", "")).rpartition("/")[2]
        is_theirs = unit.startswith(_UNITS) or entry.get("_UID", "") == self._owner
        return Line(
            cursor=str(entry["__CURSOR"]),
            boot=str(entry["_BOOT_ID"]),
            at=datetime.fromtimestamp(int(str(entry["__REALTIME_TIMESTAMP"])) / 1e6, UTC),
            program=program if is_theirs else "",
            pid=str(entry.get("_PID", "")),
            text=_text(entry.get("MESSAGE")),
        )

    @staticmethod
    def _common() -> list[str]:
        return ["--quiet", "--all", "--output=json", f"--output-fields={_FIELDS}"]


def _uid(user: str) -> str | None:
    try:
        return str(pwd.getpwnam(user).pw_uid)
    except KeyError:
        return None  # a host that has no Postfix


def _text(message: object) -> str:
    """Return the line's text; journald gives bytes that are no UTF-8 as a list of numbers."""
    if isinstance(message, list):
        message = bytes(message).decode("utf-8", "replace")
    return str(message or "").replace("\x00", " ")  # which PostgreSQL does not take
