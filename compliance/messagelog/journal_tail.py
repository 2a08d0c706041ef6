"""Reads the mail log of the systemd journal from a cursor on, and goes on as lines come.

`journalctl` does the reading: it knows rotation, and its JSON is read ten times faster than the
journal's own Python module hands out entries. But it may pass over a file that is rotated at the
moment when it is opened (systemd's issues 32157 and 40053). journald numbers all its lines without
a gap, so all are read here, not only the mail log's, and a gap is read once more by a new
journalctl: what that one doesn't have either isn't there, and the line behind it says so.

Any account may write to the journal, whatever it likes: no line stops the reading.
"""

import json
import logging
import os
import pwd
import re
import selectors
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

from compliance.messagelog.postfix_lines import Line

# Syslog facility `mail`, which Postfix and Dovecot write with.
_FACILITY = "2"
_MATCH = f"SYSLOG_FACILITY={_FACILITY}"
_FIELDS = "MESSAGE,SYSLOG_FACILITY,SYSLOG_IDENTIFIER,_PID,_UID,_SYSTEMD_UNIT"
# Any program may call itself postfix; unit and user are journald's own words. Of a process that has
# ended before journald looked the unit is missing, and `postsuper` runs in an administrator's
# session: the user is Postfix's own then too, and nobody else's. In the services' units run
# programs of other users as well (a delivery to a command, a mailbox's filter): they count for
# nothing. Dovecot's lines are all written by its process `log`, as root.
_SERVICE = re.compile(r"(postfix|dovecot)(?:@.*)?\.service")
_MAIL_OWNER = "postfix"
_ROOT = "0"
_CHUNK = 1 << 20
_CHECK_SECONDS = 60

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Entry:
    """One entry of the journal. number: journald's series and the place in it."""

    cursor: str
    number: tuple[str, int]
    at: datetime
    fields: dict[str, Any]


class JournalTail:
    """The journal's mail lines behind a cursor; None: from its beginning. Use as a context."""

    def __init__(self, cursor: str | None, program: Sequence[str] = ("journalctl",)) -> None:
        """Start reading. program: what is run in place of journalctl, for tests."""
        self._program = program
        self._owner = _uid(_MAIL_OWNER)
        self._cursor = cursor  # of the last line read, of whatever program
        self._number: tuple[str, int] | None = None  # of that line
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

        The cursor's own line isn't among them. Lines of the mail log that no mail program wrote
        have an empty program. Of other programs only a line that follows a gap is here.
        """
        if not self._selector.select(seconds):
            return []
        data = os.read(self._pipe, _CHUNK)
        if not data:
            raise OSError(f"journalctl ended with status {self._process.wait()}")
        *whole, self._partial = (self._partial + data).split(b"\n")
        lines = []
        for entry in map(_entry, whole):
            if entry is None:
                continue  # the next one's number tells that it is missing
            is_gap = self._is_gap_before(entry)
            if is_gap and self._begin_again():
                break
            is_new = entry.cursor != self._cursor
            self._cursor, self._number = entry.cursor, entry.number
            if is_gap or (is_new and _text(entry.fields.get("SYSLOG_FACILITY")) == _FACILITY):
                lines.append(self._line(entry, is_gap))
        return lines

    @property
    def place(self) -> str | None:
        """Return the cursor of the last line read, of whatever program; None before the first."""
        return None if self._number is None else self._cursor

    def _is_gap_before(self, entry: _Entry) -> bool:
        if self._number is None:
            return self._cursor not in (None, entry.cursor)
        series, place = entry.number
        return series == self._number[0] and place > self._number[1] + 1

    def _begin_again(self) -> bool:
        """Let a new journalctl read on from the last line; False: one has, and it lacks as much."""
        if self._read_again_from == self._cursor:
            return False
        _log.info("journalctl passed over lines; they are read again")
        self._read_again_from = self._cursor
        self._end()
        self._start()
        return True

    def is_read_out(self, cursor: str) -> bool:
        """Say whether nothing stands behind a cursor now. Raises OSError if it can't be told."""
        try:
            done = subprocess.run(  # noqa: S603 - the command is a constant
                [*self._program, *self._common(), f"--after-cursor={cursor}", "--lines=+1", _MATCH],
                capture_output=True,
                timeout=_CHECK_SECONDS,
                check=False,
                stdin=subprocess.DEVNULL,
            )
        except subprocess.TimeoutExpired as error:
            raise OSError(f"journalctl gives no answer in {_CHECK_SECONDS} seconds") from error
        if done.returncode != 0:
            raise OSError(done.stderr.decode("utf-8", "replace").strip())
        return not done.stdout.strip()

    def _line(self, entry: _Entry, follows_gap: bool) -> Line:
        return Line(
            cursor=entry.cursor,
            boot=_text(entry.fields.get("_BOOT_ID")),
            at=entry.at,
            program=self._program_of(entry.fields),
            pid=_text(entry.fields.get("_PID")),
            text=_text(entry.fields.get("MESSAGE")),
            follows_gap=follows_gap,
        )

    def _program_of(self, fields: dict[str, Any]) -> str:
        """Return the mail program that wrote a line; empty if another did, whatever it says."""
        said = _text(fields.get("SYSLOG_IDENTIFIER"))
        user = _text(fields.get("_UID"))
        found = _SERVICE.fullmatch(_text(fields.get("_SYSTEMD_UNIT")))
        service = found[1] if found and user == _ROOT else ""
        if user and user == self._owner:
            service = "postfix"
        family, _, program = said.rpartition("/")
        if service == "dovecot":
            return said if said == service else ""
        return program if service and family.partition("/")[0] == service else ""

    @staticmethod
    def _common() -> list[str]:
        # Without --all a field of 4 KiB or more is null: lines of Postfix and Dovecot are shorter,
        # and nobody else's may fill the memory here.
        return ["--quiet", "--output=json", f"--output-fields={_FIELDS}"]


def _uid(user: str) -> str | None:
    try:
        return str(pwd.getpwnam(user).pw_uid)
    except KeyError:
        return None  # a host that has no Postfix


def _entry(text: bytes) -> _Entry | None:
    """Read a line of journalctl's JSON; None if it is none."""
    try:
        fields = json.loads(text)
        return _Entry(
            str(fields["__CURSOR"]),
            (str(fields["__SEQNUM_ID"]), int(fields["__SEQNUM"])),
            datetime.fromtimestamp(int(fields["__REALTIME_TIMESTAMP"]) / 1e6, UTC),
            fields,
        )
    except (ValueError, TypeError, KeyError, OverflowError, OSError, RecursionError):
        return None


def _text(value: object) -> str:
    """Return a field's text; empty if it has none, or several.

    journalctl gives a value that isn't printable as a list of its bytes, null for one that is too
    large, and a list of all that for a field that an entry has more than once
    (https://systemd.io/JOURNAL_EXPORT_FORMATS). No mail program writes the latter.
    """
    if isinstance(value, list) and all(isinstance(one, int) and 0 <= one < 256 for one in value):
        value = bytes(value).decode("utf-8", "replace")
    if not isinstance(value, str):
        return ""
    # What PostgreSQL does not take.
    return value.replace("\x00", " ").encode("utf-8", "replace").decode("utf-8")
