"""Colleagues share a mailbox in any mail client; who may not, sees nothing of it.

The example municipality's lists are changed and applied as a technician would, and changed back.
"""

import csv
import imaplib
import io
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from imapclient import IMAPClient
from imapclient.exceptions import IMAPClientError, IMAPClientReadOnlyError, LoginError

from lablib.letters import Account, World, letter

UNIT = "bibliotek"  # the library: its watcher and deputy share the mailbox
INBOX = "Delade brevlådor/biblioteksavdelningen"


class Town:
    """The lists of the municipality, as they are and as a test wants them for a while."""

    def __init__(self, world: World, kommunpost: Callable, folder: Path) -> None:
        self.world = world
        self._kommunpost = kommunpost
        self._folder = folder
        settings = yaml.safe_load(Path(world.facts["settings"]).read_text(encoding="utf-8"))
        sources = settings["directory"]["sources"]
        self._organisation = Path(sources["organisation"]).read_text(encoding="utf-8")
        self._people = Path(sources["people"]).read_text(encoding="utf-8")

    @property
    def address(self) -> str:
        return f"biblioteksavdelningen@{self.world.domain}"

    def unit(self) -> dict:
        units = yaml.safe_load(self._organisation)["units"]
        return next(unit for unit in units if unit["id"] == UNIT)

    def account(self, uid: str) -> Account:
        found = next(one for one in self.world.facts["people"] if one["uid"] == uid)
        return self.world.person(found["address"])

    @property
    def watcher(self) -> Account:
        return self.account(self.unit()["watcher"])

    @property
    def deputy(self) -> Account:
        return self.account(self.unit()["deputy"])

    def strangers(self, count: int) -> list[str]:
        """Give ids of employees of the library who have nothing to do with its mailbox.

        Nobody with protected identity: a change of name is none for them.
        """
        keepers = {self.unit()["watcher"], self.unit()["deputy"]}
        people = csv.DictReader(io.StringIO(self._people), delimiter=";")
        here = [
            one["id"]
            for one in people
            if (one["unit"], one["kind"], one["protected"]) == (UNIT, "employee", "no")
        ]
        named = {
            holder
            for position in yaml.safe_load(self._organisation)["positions"]
            for holder in position["holders"]
        }
        return [uid for uid in here if uid not in keepers | named][:count]

    @contextmanager
    def with_access(self, **people: list[str]) -> Iterator[None]:
        """Let others into the mailbox: readers=[...], writers=[...]."""
        organisation = yaml.safe_load(self._organisation)
        unit = next(unit for unit in organisation["units"] if unit["id"] == UNIT)
        unit.update(people)
        with self._applied("--organisation", "organisation.yml", yaml.safe_dump(organisation)):
            yield

    @contextmanager
    def with_person(self, uid: str, **columns: str) -> Iterator[None]:
        """Change somebody's line in the list of people."""
        rows = list(csv.DictReader(io.StringIO(self._people), delimiter=";"))
        changed = [{**row, **columns} if row["id"] == uid else row for row in rows]
        text = io.StringIO()
        writer = csv.DictWriter(text, {**rows[0], **columns}, delimiter=";", restval="")
        writer.writeheader()
        writer.writerows(changed)
        with self._applied("--people", "people.csv", text.getvalue()):
            yield

    @contextmanager
    def _applied(self, option: str, name: str, text: str) -> Iterator[None]:
        path = self._folder / name
        path.write_text(text, encoding="utf-8")
        try:
            self._apply(option, str(path))
            yield
        finally:
            self._apply()

    def _apply(self, *options: str) -> None:
        done = self._kommunpost("directory", "apply", *options)
        assert done.returncode == 0, done.stderr


@pytest.fixture
def town(world, kommunpost, tmp_path) -> Town:
    return Town(world, kommunpost, tmp_path)


def _names(listed: list) -> set[str]:
    return {name for _, _, name in listed}


def _arrive(town: Town, subject: str) -> str:
    """Let a resident write to the library, and wait until a member sees it."""
    note = letter(town.world.outsider, town.address, subject)
    town.world.submit(town.world.outsider, note)
    with town.world.mailbox(town.watcher) as client:
        _wait_for(client, INBOX, note["Message-ID"])
    return note["Message-ID"]


def _wait_for(client: IMAPClient, folder: str, message_id: str, seconds: float = 60) -> int:
    deadline = time.monotonic() + seconds
    client.select_folder(folder)
    while not (found := client.search(["HEADER", "Message-ID", message_id])):
        assert time.monotonic() < deadline, f"{message_id} is not in {folder}"
        client.idle()
        client.idle_check(timeout=5)
        client.idle_done()
    return found[0]


def _wait_until_closed(client: IMAPClient, seconds: float = 60) -> None:
    """Wait for the server to end the session, as it does when somebody's rights change."""
    deadline = time.monotonic() + seconds
    try:
        client.idle()
        while time.monotonic() < deadline:
            if any(answer[0] == b"BYE" for answer in client.idle_check(timeout=5)):
                return
    except (imaplib.IMAP4.abort, OSError):
        return
    except IMAPClientError as error:
        if "BYE" not in str(error):  # it had ended before
            raise
        return
    pytest.fail(f"the session was still open after {seconds} s")


def _select_as_reader(client: IMAPClient) -> None:
    """SELECT, not EXAMINE, so that it is the server that holds a reader back.

    The library makes an error of a folder that turns out to be read-only.
    """
    with pytest.raises(IMAPClientReadOnlyError):
        client.select_folder(INBOX)
    client._imap.is_readonly = True


def _refused(attempt: Callable[[], object]) -> None:
    with pytest.raises(IMAPClientError):
        attempt()


def test_members_find_the_mailbox_in_any_client_and_see_who_has_read_what(town):
    message_id = _arrive(town, "När öppnar biblioteket?")
    with town.world.mailbox(town.watcher) as watcher, town.world.mailbox(town.deputy) as deputy:
        for member in (watcher, deputy):
            assert {INBOX, f"{INBOX}/Sent"} <= _names(member.list_folders())
            assert {INBOX, f"{INBOX}/Sent"} <= _names(member.list_sub_folders())
        uid = _wait_for(watcher, INBOX, message_id)
        deputy.select_folder(INBOX)
        assert b"\\Seen" not in deputy.get_flags(uid)[uid]
        watcher.fetch(uid, ["BODY[]"])
        watcher.add_flags(uid, [b"\\Flagged"])
        assert {b"\\Seen", b"\\Flagged"} <= set(deputy.get_flags(uid)[uid])


def test_members_move_write_and_remove(town):
    message_id = _arrive(town, "Att flytta")
    folder = f"{INBOX}/Frågor på svenska"
    with town.world.mailbox(town.watcher) as watcher, town.world.mailbox(town.deputy) as deputy:
        uid = _wait_for(watcher, INBOX, message_id)
        watcher.create_folder(folder)
        try:
            watcher.move([uid], folder)
            assert folder in _names(deputy.list_folders()), "a new folder is shared too"
            deputy.select_folder(folder)
            found = deputy.search(["HEADER", "Message-ID", message_id])
            deputy.append(f"{INBOX}/Sent", b"Subject: Svar\r\n\r\n", [b"\\Seen"])
            deputy.delete_messages(found)
            deputy.expunge()
            assert deputy.search() == []
        finally:
            deputy.select_folder("INBOX")
            watcher.select_folder("INBOX")
            watcher.delete_folder(folder)


def test_nobody_hands_a_right_on(town):
    stranger = town.account(town.strangers(1)[0]).address
    with town.world.mailbox(town.watcher) as watcher:
        assert b"a" not in _my_rights(watcher, INBOX)
        assert b"a" not in _my_rights(watcher, "INBOX")
        for folder in (INBOX, "INBOX"):
            _refused(lambda folder=folder: watcher.setacl(folder, stranger, "lr"))
        _refused(lambda: watcher.delete_folder(INBOX))


def test_somebody_else_finds_nothing(town):
    with town.world.mailbox(town.account(town.strangers(1)[0])) as stranger:
        assert INBOX not in _names(stranger.list_folders())
        assert INBOX not in _names(stranger.list_sub_folders())
        for attempt in (
            lambda: stranger.select_folder(INBOX, readonly=True),
            lambda: stranger.append(INBOX, b"Subject: x\r\n\r\n"),
            lambda: stranger.create_folder(f"{INBOX}/Ny"),
            lambda: _my_rights(stranger, INBOX),
        ):
            _refused(attempt)


def test_the_audit_sees_nothing_of_what_a_member_shares(town):
    """It logs in to the mailbox of a member, who is in the groups."""
    audit, where = town.world.facts["audit"], town.watcher.imaps
    with IMAPClient(where["address"], where["port"], ssl_context=town.world.tls) as client:
        client.login(f"{town.watcher.address}*{audit['master_login']}", audit["master_password"])
        assert INBOX not in _names(client.list_folders())
        for folder in (INBOX, f"{INBOX}/Sent", "INBOX"):
            _refused(lambda folder=folder: client.select_folder(folder, readonly=True))


def test_a_reader_changes_nothing_that_others_see_and_is_out_within_a_minute(town):
    message_id = _arrive(town, "Läs gärna")
    reader = town.account(town.strangers(1)[0])
    before = town.world.mailbox(reader)
    with town.with_access(readers=[town.strangers(1)[0]]):
        _wait_until_closed(before)
        with town.world.mailbox(town.watcher) as watcher:
            uid = _wait_for(watcher, INBOX, message_id)
            flags = watcher.get_flags(uid)[uid]
            client = town.world.mailbox(reader)
            assert INBOX in _names(client.list_sub_folders())
            assert _my_rights(client, INBOX) == b"lr"
            _select_as_reader(client)
            assert client.search(["HEADER", "Message-ID", message_id]) == [uid]
            client.fetch(uid, ["BODY[]"])
            for flag in (b"\\Seen", b"\\Flagged", b"\\Deleted"):
                with suppress(IMAPClientError):  # some are refused, some said OK to and not done
                    client.add_flags(uid, [flag])
            with suppress(IMAPClientError):
                client.expunge()
            for attempt in (
                lambda: client.append(INBOX, b"Subject: x\r\n\r\n"),
                lambda: client.create_folder(f"{INBOX}/Ny"),
                lambda: client.move([uid], "INBOX"),
            ):
                _refused(attempt)
            watcher.noop()
            assert watcher.get_flags(uid) == {uid: flags}
    _wait_until_closed(client)
    with town.world.mailbox(reader) as client:
        assert INBOX not in _names(client.list_folders())
        _refused(lambda: client.select_folder(INBOX, readonly=True))


def test_the_deputy_of_somebody_on_leave_sees_the_mailbox_until_the_leave_ends(town):
    away, deputy = town.strangers(2)
    owner, other = town.account(away), town.account(deputy)
    shared = f"Delade brevlådor/{owner.address.partition('@')[0]}"
    note = letter(town.world.outsider, owner.address, "Till den som är ledig")
    town.world.submit(town.world.outsider, note)
    town.world.arrival(owner, note["Message-ID"])
    with town.world.mailbox(owner) as client:
        client.create_folder("Ärenden")
    before = town.world.mailbox(other)
    with town.with_person(away, status="on_leave", deputy=deputy):
        _wait_until_closed(before)
        client = town.world.mailbox(other)
        assert {shared, f"{shared}/Ärenden"} <= _names(client.list_folders())
        _wait_for(client, shared, note["Message-ID"])
    _wait_until_closed(client)
    with town.world.mailbox(other) as client:
        _refused(lambda: client.select_folder(shared, readonly=True))
    with town.world.mailbox(owner) as client:
        client.delete_folder("Ärenden")


def test_a_new_name_takes_the_mail_with_it_and_the_old_address_delivers(town):
    (uid,) = town.strangers(1)
    old = town.account(uid)
    note = letter(town.world.outsider, old.address, "Före bröllopet")
    town.world.submit(town.world.outsider, note)
    town.world.arrival(old, note["Message-ID"])
    with town.with_person(uid, surname="Nyberg-Testsson"):
        local = f"{old.address.partition('.')[0]}.nyberg-testsson"
        renamed = replace(
            old, address=f"{local}@{town.world.domain}", login=f"{local}@{town.world.domain}"
        )
        with town.world.mailbox(renamed) as client:
            _wait_for(client, "INBOX", note["Message-ID"])
        later = letter(town.world.outsider, old.address, "Efter bröllopet")
        town.world.submit(town.world.outsider, later)
        town.world.arrival(renamed, later["Message-ID"])
    town.world.arrival(old, later["Message-ID"])


def test_a_leaver_and_a_locked_login_are_out_of_what_they_had_open_within_a_minute(
    town, kommunpost
):
    """Whether they leave, or a technician locks the login as when a password has gone astray."""
    leaving, staying = town.strangers(2)
    leaver, locked = town.account(leaving), town.account(staying)
    with town.world.mailbox(locked) as one, town.world.mailbox(leaver) as other:
        one.select_folder("INBOX")
        other.select_folder("INBOX")
        try:
            done = kommunpost("directory", "password", "lock", locked.address)
            assert done.returncode == 0, done.stderr
            _wait_until_closed(one)
            other.noop()  # nobody else's session has ended
        finally:
            kommunpost("directory", "password", "unlock", locked.address)
        with town.with_person(leaving, status="suspended"):
            _wait_until_closed(other)
            with pytest.raises(LoginError):
                town.world.mailbox(leaver)
    for account in (leaver, locked):
        town.world.mailbox(account).logout()


def _my_rights(client: IMAPClient, folder: str) -> bytes:
    """Ask MYRIGHTS (RFC 4314 3.5), which the library does not know."""
    status, lines = client._imap.myrights(client._normalise_folder(folder))
    if status != "OK":
        raise IMAPClientError(lines)
    return lines[0].rsplit(b" ", 1)[-1]
