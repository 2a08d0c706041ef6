"""Mail from many clients at once while something is broken, and what must hold afterwards.

Each client remembers which letters were answered with 250, by the queue id in that answer: those,
and no record of the mail host's own, are what the log is held against.
"""

import json
import smtplib
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from lablib.letters import World, letter

MAIL_HOSTS = ("mail", "mx2")
SESSIONS = 4
SUBJECT = "Under last"


def unexplained(found: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what a reconciliation found, without what test_mail_store.py does on purpose.

    It lays letters into the audit's mailbox past Postfix, and that is told, rightly.
    """
    return [
        one
        for one in found["differences"]
        if one["kind"] != "unseen"
        or not all(name.startswith("kommunpost-audit@") for name in one["recipients"])
    ]


@dataclass
class Load:
    """Letters that are being sent. accepted: queue ids of the answers 250; refused: codes.

    addresses: of the mail hosts that clients send to, in turns.
    """

    world: World
    recipients: list[str]
    addresses: list[str]
    accepted: list[str] = field(default_factory=list)
    refused: list[int] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)

    def wait_for(self, more: int, seconds: float = 120) -> None:
        """Wait until so many more letters are accepted."""
        wanted = len(self.accepted) + more
        deadline = time.monotonic() + seconds
        while len(self.accepted) < wanted:
            assert time.monotonic() < deadline, f"only {len(self.accepted)} of {wanted} accepted"
            time.sleep(0.05)  # clients run in threads of their own

    def wait_for_refusal(self, seconds: float = 60) -> None:
        """Wait until a letter is not accepted."""
        deadline = time.monotonic() + seconds
        while not self.refused:
            assert time.monotonic() < deadline, "every letter was accepted"
            time.sleep(0.05)  # clients run in threads of their own

    def client(self, number: int) -> None:
        """Send one letter after the other, each over a connection of its own."""
        count = 0
        address = self.addresses[number % len(self.addresses)]
        while not self._stop.is_set():
            count += 1
            to = self.recipients[(number + count) % len(self.recipients)]
            note = letter(self.world.outsider, to, f"{SUBJECT} {number}.{count}")
            try:
                with smtplib.SMTP(address, 25, timeout=20) as smtp:
                    smtp.ehlo()
                    smtp.mail(self.world.outsider.address)
                    smtp.rcpt(to)
                    code, said = smtp.data(note.as_bytes())
                    if code == 250:
                        self.accepted.append(said.decode().rpartition("queued as ")[2])
                    else:
                        self.refused.append(code)
            except (OSError, smtplib.SMTPException) as error:
                self.refused.append(getattr(error, "smtp_code", 0))
                self._stop.wait(0.1)

    def stop(self) -> None:
        """Let each client end its letter."""
        self._stop.set()


@contextmanager
def mail_under_load(world: World, sessions: int = SESSIONS, hosts: Sequence[str] = ("mail",)):
    """Send letters from outside, from many clients, for the length of a block."""
    addresses = [world.facts["hosts"][name]["address"] for name in hosts]
    load = Load(world, [person.address for person in world.colleagues(20)], addresses)
    threads = [threading.Thread(target=load.client, args=[n]) for n in range(sessions)]
    for thread in threads:
        thread.start()
    try:
        yield load
    finally:
        load.stop()
        for thread in threads:
            thread.join(timeout=60)


@dataclass(frozen=True)
class Ledger:
    """Asks the log's database on its host, and the command line."""

    on_host: Callable[..., str]
    kommunpost: Callable[..., subprocess.CompletedProcess[str]]

    def hold(self, accepted: list[str], seconds: float = 180) -> None:
        """Each accepted letter is logged once and answered for, and all records agree."""
        assert self._settled(accepted, seconds) == {}
        self._agree()

    def hold_after_a_crash(self, accepted: list[str], seconds: float = 180) -> None:
        """Do the same; but a letter whose delivery the log does not know may lie in its mailbox.

        What Postfix said last before the host died may have died with journald, which had not
        read it yet. The letter was delivered all the same, and nobody says so any more.
        """
        problems = self._settled(accepted, seconds)
        unknown = problems.pop("not delivered", [])
        assert problems == {}
        assert [name for name in unknown if not self._lies_in_its_mailbox(name)] == []
        self._agree()

    def _settled(self, accepted: list[str], seconds: float) -> dict[str, list[str]]:
        """Wait until nothing is wrong any more; return what still is."""
        assert accepted, "no letter was accepted at all"
        deadline = time.monotonic() + seconds
        while (problems := self._problems(accepted)) and time.monotonic() < deadline:
            for host in MAIL_HOSTS:
                self.on_host(host, "postqueue -f")
            time.sleep(2)  # shipper, follower and queue tell nobody that they are done
        return problems

    def _lies_in_its_mailbox(self, queue_id: str) -> bool:
        row = self._ask(
            f"SELECT recipient, message_id FROM log.entry WHERE queue_id = '{queue_id}'"
        )
        recipient, message_id = _cells(row.strip())
        search = f"doveadm search -u {recipient} mailbox INBOX header Message-ID '{message_id}'"
        return bool(self.on_host("mail", search).strip())

    def _agree(self) -> None:
        """Postfix's records, the log and its seal tell the same."""
        found = self.reconciled()
        lacking = [one for one in unexplained(found) if one["kind"] != "never_accepted"]
        assert (lacking, found["gaps"]) == ([], [])
        done = self.kommunpost("log", "verify")
        assert done.returncode == 0, done.stdout

    def hosts_of(self, accepted: list[str]) -> set[str]:
        """Return which mail hosts wrote these letters into the log."""
        rows = self._ask(
            f"SELECT queue_id, host FROM log.entry WHERE subject LIKE '{SUBJECT}%'"
        ).splitlines()
        told = dict(map(_cells, rows))
        return {told[name] for name in accepted}

    def reconciled(self) -> dict[str, Any]:
        """Reconcile today."""
        day = datetime.now(UTC).date().isoformat()
        done = self.kommunpost("log", "reconcile", "--json", "--day", day)
        return json.loads(done.stdout)

    def _problems(self, accepted: list[str]) -> dict[str, list[str]]:
        rows = self._ask(
            "SELECT queue_id, count(*), bool_or(EXISTS (SELECT FROM log.outcome AS o"
            " WHERE o.host = e.host AND o.queue_id = e.queue_id AND o.status = 'sent'))"
            f" FROM log.entry AS e WHERE subject LIKE '{SUBJECT}%' GROUP BY queue_id"
        )
        told = {name: (int(count), sent) for name, count, sent in map(_cells, rows.splitlines())}
        wrong: dict[str, list[str]] = {}
        for name in accepted:
            count, sent = told.get(name, (0, "f"))
            if count == 0:
                wrong.setdefault("not logged", []).append(name)
            elif count > 1:
                wrong.setdefault("logged twice", []).append(name)
            elif sent != "t":
                wrong.setdefault("not delivered", []).append(name)
        return wrong

    def _ask(self, query: str) -> str:
        one_line = " ".join(query.split())
        return self.on_host(
            "mail", f"runuser -u postgres -- psql -Atd kommunpost <<'END'\n{one_line};\nEND",
            check=False,
        )  # fmt: skip


def _cells(row: str) -> list[str]:
    return row.split("|")
