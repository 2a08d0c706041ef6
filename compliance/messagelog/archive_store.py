"""The archive on its host: read and disposed of by Dovecot's own IMAP, run there as root."""

import imaplib
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime

from compliance import settings
from compliance.errors import UserError
from compliance.messagelog import archive

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
            if self._client.select(folder, readonly=True)[0] != "OK":
                continue  # no mail was archived on that day
            _, found = self._client.search(None, "HEADER", "Received", f'"{queue_id}"')
            for number in found[0].split():
                raw = self._text(number.decode("ascii"))
                if archive.is_copy_of(raw, host, queue_id):
                    return raw
        return None

    def days_before(self, stop: date) -> list[tuple[date, int]]:
        """Return the days before one that have archived mail, and how many messages each."""
        found = []
        for line in self._client.list()[1]:
            plain = line.rpartition(b" ")[2] if isinstance(line, bytes) else b""
            name = plain.strip(b'"').decode("ascii")
            try:
                day = date.fromisoformat(name)
            except ValueError:
                continue  # INBOX and the like, which every user has
            if day < stop:
                _, count = self._client.select(name, readonly=True)
                found.append((day, int(count[0] or 0)))
        return sorted(found)

    def delete(self, day: date) -> None:
        """Destroy what was archived on a day."""
        if self._client.state == "SELECTED":
            self._client.unselect()
        said, told = self._client.delete(archive.folder_of(day))
        if said != "OK":
            raise imaplib.IMAP4.error(f"{day} cannot be deleted: {told[0]!r}")

    def _text(self, number: str) -> bytes:
        _, parts = self._client.fetch(number, "(BODY.PEEK[])")
        if not isinstance(parts[0], tuple):
            raise imaplib.IMAP4.error(f"message {number} cannot be read")
        return parts[0][1]


@contextmanager
def opened(reached: settings.Archive) -> Iterator[Archive]:
    """Open the archive as root on its host: Dovecot's own IMAP over that command's pipes.

    The configuration that it is run with names the key that decrypts: no service has it. Raises
    UserError if the archive can't be opened, or fails while it is used.
    """
    program = ["/usr/lib/dovecot/imap", "-c", str(reached.read_conf), "-u", _LOGIN]
    place = shlex.join(reached.command) or "this host"
    try:
        with imaplib.IMAP4_stream(shlex.join([*reached.command, *program])) as client:
            yield Archive(client)
    except (OSError, imaplib.IMAP4.error) as error:
        raise UserError.of(
            f"the archive cannot be read ({error})", place, "see that Dovecot runs there"
        ) from error
