"""The archive's door for the log list: root answers one question, by the number of its trace.

The log list asks the database first, which holds the reader to their units and notes who asks; what
comes through this door is that number alone. Question: the number and a line end; with a `+` before
it, it is the number of a message that its holder hands over to the archive. Answer: a line of JSON,
`{"state": ..., "size": ..., "decision": ...}`, and the message's bytes. systemd starts a process
for each question (role log_list), with the socket as its standard input and output.
"""

import json
import logging
import os
import socket
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO, Literal

from compliance.directory import ldap, officials
from compliance.errors import UserError
from compliance.messagelog import archive_store, store
from compliance.settings import Archive, Directory, Log

SECONDS = 40  # less than nginx and gunicorn wait
_MAX_QUESTION = 32
_MAX_LINE = 4_096
_MAX_MESSAGE = 200_000_000

State = Literal["found", "missing", "disposed", "unknown", "away"]
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Answer:
    """What the archive says.

    state: `found`; `missing`, it has no copy; `disposed`, by `decision`; `unknown`, nobody asked by
    this number within the last minute; `away`, it can't be read now. size: of the message in bytes.
    """

    state: State
    decision: str = ""
    size: int = 0


def answer(
    log: Log,
    reached: Archive,
    question: BinaryIO,
    output: BinaryIO,
    directory: Directory | None = None,
) -> None:
    """Answer the one question; what is wrong goes to the journal too.

    directory: says whose mailbox is whose; without it nothing is taken over. Whoever hangs up
    before is owed nothing: a web server that is stopped is no fault here.
    """
    try:
        line = question.readline(_MAX_QUESTION).strip()
        if line.startswith(b"+") and directory is not None:
            said, raw = _taken_over(log, reached, directory, line[1:]), b""
        else:
            said, raw = _looked_up(log, reached, line)
    except UserError as error:
        _log.warning("%s", error)
        said, raw = Answer("away"), b""
    try:
        output.write(json.dumps(asdict(said)).encode("ascii") + b"\n" + raw)
        output.flush()
    except ConnectionError:
        # Python writes what is left once more at its end, and would fail then.
        os.dup2(os.open(os.devnull, os.O_WRONLY), output.fileno())
        _log.info("the log list hung up before the answer")


def _taken_over(log: Log, reached: Archive, directory: Directory, text: bytes) -> Answer:
    """Copy what was handed over by a number into the archive, byte by byte.

    Out of the mailbox that the directory says is that of whoever's name the trace bears, so that
    nobody hands over what lies with another. `found`: the archive has it, now or already.
    """
    if not text.isdigit() or int(text) >= 2**63:
        return Answer("unknown")
    with store.session(log) as connection:
        row = connection.execute(
            "SELECT host, queue_id, accepted_at, disposed_by, reader FROM log.addition_place(%s)",
            [int(text)],
        ).fetchone()
    if row is None:
        return Answer("unknown")
    host, queue_id, accepted_at, decision, reader = row
    if decision:
        return Answer("disposed", decision)
    with ldap.connect(directory, "reader") as opened:
        holder = officials.by_id(opened, directory.base, reader)
    if holder is None:
        return Answer("missing")
    with archive_store.opened_mailbox(reached, holder.address) as box:
        raw = box.find(host, queue_id, accepted_at)
    if raw is None:
        return Answer("missing")
    with archive_store.opened(reached) as kept:
        if kept.find(host, queue_id, accepted_at) is None:
            kept.add(accepted_at, raw)
    return Answer("found")


def _looked_up(log: Log, reached: Archive, text: bytes) -> tuple[Answer, bytes]:
    if not text.isdigit() or int(text) >= 2**63:
        return Answer("unknown"), b""
    with store.session(log) as connection:
        row = connection.execute(
            "SELECT host, queue_id, accepted_at, disposed_by, mailbox FROM log.message_place(%s)",
            [int(text)],
        ).fetchone()
    if row is None:
        return Answer("unknown"), b""
    host, queue_id, accepted_at, decision, mailbox = row
    if mailbox is not None:
        if not reached.absence:
            return Answer("unknown"), b""
        with archive_store.opened_mailbox(reached, mailbox) as box:
            raw = box.find(host, queue_id, accepted_at)
        return (Answer("missing"), b"") if raw is None else (Answer("found", size=len(raw)), raw)
    with archive_store.opened(reached) as opened:
        raw = opened.find(host, queue_id, accepted_at)
    if raw is not None:
        return Answer("found", size=len(raw)), raw
    return (Answer("disposed", decision) if decision else Answer("missing")), b""


def ask(path: Path, number: int) -> tuple[Answer, bytes]:
    """Ask through the socket at a path; return what the archive says, and the message.

    Whatever goes wrong, or takes longer than `SECONDS`, is told as `away`.
    """
    return _ask(path, b"%d\n" % number)


def hand_over(path: Path, number: int) -> Answer:
    """Hand over a message through the socket at a path; return what the archive says, as `ask`."""
    return _ask(path, b"+%d\n" % number)[0]


def _ask(path: Path, line: bytes) -> tuple[Answer, bytes]:
    until = time.monotonic() + SECONDS
    try:
        with socket.socket(socket.AF_UNIX) as door:
            door.settimeout(SECONDS)
            door.connect(str(path))
            door.sendall(line)
            return _read(door, until)
    except (OSError, ValueError, TypeError) as error:
        _log.warning("the archive at %s does not answer: %s", path, error)
        return Answer("away"), b""


def _read(door: socket.socket, until: float) -> tuple[Answer, bytes]:
    """Raises OSError when it takes too long, ValueError or TypeError for what is no answer."""
    data = bytearray()
    while chunk := door.recv(1 << 20):
        data += chunk
        if len(data) > _MAX_MESSAGE:
            raise ValueError("the answer is too large")
        door.settimeout(max(0.001, until - time.monotonic()))
    line, _, raw = bytes(data).partition(b"\n")
    said = Answer(**json.loads(line[:_MAX_LINE]))
    if len(raw) != said.size:
        raise ValueError(f"{len(raw)} of {said.size} bytes came")
    return said, raw
