"""What is asked of Dovecot, by its own administration program (doveadm(1))."""

import json
import os
import signal
import subprocess
import tempfile
from collections.abc import Callable, Collection, Iterator
from typing import Any

from compliance.errors import UserError
from compliance.sharing.wanted import Acl

SECONDS = 120  # for one command, however many mailboxes it is about

_PROGRAM = "/usr/bin/doveadm"


class Doveadm:
    """Runs commands; each raises UserError with Dovecot's own words if it fails.

    between: called after each command, since a series of them can take minutes.
    """

    def __init__(self, between: Callable[[], None] = lambda: None) -> None:
        """between: see the class."""
        self._between = between

    def acls(self, addresses: Collection[str]) -> dict[str, Acl]:
        """Give the rights on INBOX of each of these mailboxes; makes INBOX if it is not there."""
        if not addresses:
            return {}
        with tempfile.NamedTemporaryFile("w", prefix="mailboxes-") as file:
            file.write("".join(f"{address}\n" for address in sorted(addresses)))
            file.flush()
            rows = self._json("acl", "get", "-F", file.name, "INBOX")
        found: dict[str, dict[str, frozenset[str]]] = {address: {} for address in addresses}
        for row in rows:
            found[row["username"]][row["id"]] = frozenset(row["rights"].split())
        return dict(found)

    def set_acl(self, address: str, acl: Acl) -> None:
        """Give each identifier its rights on INBOX; this writes the sharing map too."""
        for identifier, rights in acl.items():
            self._run("acl", "set", "-u", address, "INBOX", identifier, *sorted(rights))

    def map_anew(self, address: str) -> None:
        """Let the sharing map say who sees this mailbox."""
        self._run("acl", "recalc", "-u", address)

    def create(self, address: str, folder: str) -> None:
        """Make a folder of a mailbox, if it is not there."""
        try:
            self._run("mailbox", "create", "-u", address, folder)
        except UserError as error:
            if "Mailbox already exists" not in str(error):
                raise

    def subscribe(self, login: str, folders: Collection[str]) -> None:
        """Subscribe somebody to folders; those that are subscribed already stay so."""
        if folders:
            self._run("mailbox", "subscribe", "-u", login, *folders)

    def unsubscribe(self, login: str, folders: Collection[str]) -> None:
        """Take subscriptions away, if they are there."""
        if folders:
            self._run("mailbox", "unsubscribe", "-u", login, *folders)

    def sessions(self) -> Iterator[tuple[str, int]]:
        """Give login and process of each open IMAP session."""
        for row in self._json("who", "-1"):
            if row["service"] == "imap":
                yield row["username"], int(row["pid"])

    def close(self, process: int) -> None:
        """End one session; its client connects anew.

        `doveadm kick` leaves sessions open in which somebody else's mailbox is selected.
        """
        try:
            os.kill(process, signal.SIGTERM)
        except ProcessLookupError:
            return  # it ended by itself

    def _json(self, *words: str) -> list[dict[str, Any]]:
        said = self._run("-f", "json", *words)
        rows: list[dict[str, Any]] = json.loads(said or "[]")
        return rows

    def _run(self, *words: str) -> str:
        try:
            done = subprocess.run(  # noqa: S603 (no shell; words are addresses and fixed ones)
                [_PROGRAM, *words],
                capture_output=True,
                text=True,
                check=True,
                timeout=SECONDS,
                stdin=subprocess.DEVNULL,
            )
        except subprocess.CalledProcessError as error:
            raise _failed(
                words, error.stderr.strip() or f"exit status {error.returncode}"
            ) from error
        except subprocess.TimeoutExpired as error:
            raise _failed(words, f"no answer in {SECONDS} s") from error
        except OSError as error:
            raise _failed(words, error.strerror or str(error)) from error
        finally:
            self._between()
        return done.stdout


def _failed(words: tuple[str, ...], why: str) -> UserError:
    return UserError.of(
        f"Dovecot does not do `doveadm {' '.join(words)}`: {why}",
        remedy="see `journalctl -u dovecot`; it is tried again by itself",
    )
