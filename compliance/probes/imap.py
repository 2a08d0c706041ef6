"""Collects probes from the hidden probe mailbox, as master user and by IMAP alone."""

import ssl
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from email.parser import BytesHeaderParser

import imapclient
from imapclient.exceptions import IMAPClientError

from compliance.probes.errors import ProbeError
from compliance.settings import Imap, read_secret

MAILBOX = "#probe/Probe"
_TIMEOUT = 30
# Letters that an earlier audit did not live to see are cleared after this.
_STALE = timedelta(days=2)
_HEADER = b"BODY[HEADER.FIELDS (MESSAGE-ID)]"


@dataclass(frozen=True)
class Found:
    """A probe letter in its mailbox, with the time when the server filed it."""

    message_id: str
    filed_at: datetime


class ProbeMailboxes:
    """Logs in to one mailbox after the other. Thread-safe: each call has its own connection."""

    def __init__(self, settings: Imap, run: str) -> None:
        """Read the master password. Raises UserError when it cannot be read."""
        self._settings = settings
        self._run = run
        self._password = read_secret(settings.master_password_file)
        self._context = ssl.create_default_context(cafile=settings.ca_file)

    def collect(self, address: str) -> list[Found]:
        """Return this run's letters in one mailbox and remove them. Raises ProbeError."""
        try:
            with imapclient.IMAPClient(
                self._settings.host,
                port=self._settings.port,
                ssl_context=self._context,
                timeout=_TIMEOUT,
            ) as client:
                client.normalise_times = False
                client.login(f"{address}*{self._settings.master_login}", self._password)
                client.select_folder(MAILBOX)
                return self._take(client)
        except (IMAPClientError, OSError) as error:
            raise ProbeError(f"{self._settings.host}: {_told(error)}") from error

    def _take(self, client: imapclient.IMAPClient) -> list[Found]:
        """Read and expunge; a search that finds nothing leaves the mailbox as it is."""
        before = date.today() - _STALE
        uids = client.search(["OR", "HEADER", "Message-ID", f"<{self._run}.", "BEFORE", before])
        if not uids:
            return []
        parser = BytesHeaderParser()
        answers = client.fetch(uids, ["BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)]", "INTERNALDATE"])
        found = [
            Found(
                str(parser.parsebytes(answer[_HEADER])["Message-ID"]).strip(),
                answer[b"INTERNALDATE"].astimezone(UTC),
            )
            for answer in answers.values()
        ]
        client.delete_messages(uids, silent=True)
        client.expunge(uids)
        return found


def _told(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
