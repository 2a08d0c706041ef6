"""The archive on its host: read and disposed of by Dovecot's own IMAP, run there as root.

In the same way one message is fetched out of somebody's own mailbox (decision 76).
"""

import imaplib
import re
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any

from compliance import settings
from compliance.errors import UserError
from compliance.messagelog import addresses, archive

_LOGIN = f"archive@{archive.DOMAIN}"


class Archive:
    """An open archive. Its methods raise OSError or imaplib's error when Dovecot refuses."""

    # Of the standard library: imapclient 3.0.1 fails on a command's pipes.
    def __init__(self, client: imaplib.IMAP4) -> None:
        """client: logged in as the archive's user."""
        self._client = client

    def find(self, host: str, queue_id: str, accepted: datetime) -> bytes | None:
        """Return the archived message of an entry, byte by byte; None if there is none."""
        for folder in archive.folders_for(accepted.astimezone(UTC).date()):
            raw = _find(self._client, folder, host, queue_id)
            if raw is not None:
                return raw
        return None

    def add(self, accepted: datetime, raw: bytes) -> None:
        """Put a message into the folder of the day on which it was accepted."""
        folder = archive.folder_of(accepted.astimezone(UTC).date())
        self._client.create(folder)  # says no if it is there
        said, told = self._client.append(folder, "", imaplib.Time2Internaldate(accepted), raw)
        if said != "OK":
            raise imaplib.IMAP4.error(f"it cannot be added to {folder}: {told[0]!r}")

    def days_before(self, stop: date) -> list[tuple[date, int]]:
        """Return the days before one that have archived mail, and how many messages each."""
        found = []
        for line in _answer(self._client.list(), "the list of days"):
            plain = line.rpartition(b" ")[2] if isinstance(line, bytes) else b""
            name = plain.strip(b'"').decode("ascii")
            try:
                day = date.fromisoformat(name)
            except ValueError:
                continue  # INBOX and the like, which every user has
            if day < stop and (count := _selected(self._client, name)) is not None:
                found.append((day, count))
        return sorted(found)

    def delete(self, day: date) -> None:
        """Destroy what was archived on a day."""
        if self._client.state == "SELECTED":
            self._client.unselect()
        said, told = self._client.delete(archive.folder_of(day))
        if said != "OK":
            raise imaplib.IMAP4.error(f"{day} cannot be deleted: {told[0]!r}")


class Mailbox:
    """Somebody's open mailbox. Reading leaves no mark in it; errors are as those of `Archive`."""

    def __init__(self, client: imaplib.IMAP4) -> None:
        """client: logged in as the holder."""
        self._client = client

    def find(self, host: str, queue_id: str, accepted: datetime) -> bytes | None:
        """Return the message of an entry as it was delivered; None if it is not there any more.

        Looked for in all folders of the mailbox's own, since people file their mail.
        """
        day = accepted.astimezone(UTC).date()
        # By the day of delivery, which moving a message keeps; mail may lie in the queue for days.
        delivered = ("SINCE", _imap_day(day, -1), "BEFORE", _imap_day(day, _DELIVERED_WITHIN))
        for folder in self._folders():
            raw = _find(self._client, folder, host, queue_id, *delivered)
            if raw is not None:
                return raw
        return None

    def _folders(self) -> list[str]:
        """Return the folders as IMAP writes them, without what others share with the holder."""
        _own, _, shared = self._client.namespace()[1][0].partition(b")) ")
        prefixes = tuple(name.decode("ascii") for name in _PREFIX.findall(shared))
        found = []
        for line in self._client.list()[1]:
            name = _name(line)
            if not (prefixes and name.strip('"').startswith(prefixes)):
                found.append(name)
        return found


# Postfix gives up after five days (maximal_queue_lifetime); then two for good measure.
_DELIVERED_WITHIN = 7
_PREFIX = re.compile(rb'\("([^"]+)" ')
_LISTED = re.compile(rb'\([^)]*\) (?:"(?:[^"\\]|\\.)*"|NIL) (.+)', re.DOTALL)


def _name(line: object) -> str:
    """Return a folder's name out of an answer to LIST, as a command takes it."""
    if isinstance(line, tuple):  # the name came as a literal
        name = str(line[1], "ascii").replace("\\", "\\\\").replace('"', '\\"')
        return f'"{name}"'
    found = _LISTED.fullmatch(line) if isinstance(line, bytes) else None
    return found.group(1).decode("ascii") if found else ""


def _imap_day(day: date, later: int) -> str:
    """Write a day as IMAP does, in English whatever the locale."""
    at = day + timedelta(days=later)
    return f"{at.day}-{_MONTHS[at.month - 1]}-{at.year}"


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def _find(
    client: imaplib.IMAP4, folder: str, host: str, queue_id: str, *criteria: str
) -> bytes | None:
    """Return the message in a folder that a host accepted under a queue id; None if not there."""
    if not archive.can_be_known(queue_id):
        return None
    if _selected(client, folder) is None:
        return None
    search = client.search(None, *criteria, "HEADER", "Received", f'"{queue_id}"')
    for number in _answer(search, folder)[0].split():
        message = f"message {number.decode('ascii')} of {folder}"
        parts = _answer(client.fetch(number.decode("ascii"), "(BODY.PEEK[])"), message)
        if not isinstance(parts[0], tuple):
            raise imaplib.IMAP4.error(f"{message} cannot be read")
        raw: bytes = parts[0][1]
        if archive.is_copy_of(raw, host, queue_id):
            return raw
    return None


def _selected(client: imaplib.IMAP4, folder: str) -> int | None:
    """Open a folder to read; return how many messages it has, None if there is no such folder.

    None too of one that only has others below. Raises imaplib's error if it can't be read.
    """
    said, told = client.select(folder, readonly=True)
    if said != "OK" and not _FAILS.search(told[0] or b""):
        return None
    return int(_answer((said, told), folder)[0] or 0)


# Response codes (RFC 5530) of a server that cannot tell; a folder that is not there has another.
_FAILS = re.compile(rb"\[(?:SERVERBUG|UNAVAILABLE|CORRUPTION|INUSE|LIMIT)\]")


def _answer(answered: tuple[str, list[Any]], what: str) -> list[Any]:
    """Return what a command gave; raise imaplib's error that names it if it was refused."""
    said, told = answered
    if said != "OK":
        raise imaplib.IMAP4.error(f"{what} cannot be read: {told[0]!r}")
    return told


@contextmanager
def opened(reached: settings.Archive) -> Iterator[Archive]:
    """Open the archive as root on its host.

    The configuration that Dovecot's IMAP is run with names the key that decrypts: no service has
    it. Raises UserError if the archive can't be opened, or fails while it is used.
    """
    with _imap(reached, "archive", "-c", str(reached.read_conf), "-u", _LOGIN) as client:
        yield Archive(client)


@contextmanager
def opened_mailbox(reached: settings.Archive, address: str) -> Iterator[Mailbox]:
    """Open somebody's own mailbox as root on its host, by any of its addresses.

    Raises UserError if it can't be opened, or fails while it is used.
    """
    user = addresses.without_extension(addresses.key_of(address))
    with _imap(reached, "mailbox", "-u", user) as client:
        yield Mailbox(client)


@contextmanager
def _imap(reached: settings.Archive, what: str, *arguments: str) -> Iterator[imaplib.IMAP4]:
    """Run Dovecot's own IMAP as root, over that command's pipes."""
    program = [*reached.command, "/usr/lib/dovecot/imap", *arguments]
    place = shlex.join(reached.command) or "this host"
    try:
        with imaplib.IMAP4_stream(shlex.join(program)) as client:
            yield client
    except (OSError, imaplib.IMAP4.error) as error:
        raise UserError.of(
            f"the {what} cannot be read ({error})", place, "see that Dovecot runs there"
        ) from error
