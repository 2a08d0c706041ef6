"""A store becomes what the directory wants, and is left alone when it is so already."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from compliance.errors import UserError
from compliance.sharing.store import Store, changes
from compliance.sharing.wanted import RIGHTS, Acl, Wanted, wanted

PEOPLE = "ou=people,dc=s,dc=example"
KS, ANNA, BO = "ks@s.example", "anna@s.example", "bo@s.example"


def _mailbox(kind: str, holder: str, mail: str) -> tuple[str, dict[str, list[str]]]:
    dn = f"uid={holder.partition(':')[2]},{PEOPLE}" if kind == "individual" else "ou=x"
    return dn, {"mail": [mail], "kommunpostKind": [kind], "kommunpostHolder": [holder]}


def _group(holder: str, right: str, *members: str) -> tuple[str, dict[str, list[str]]]:
    name = f"{holder.replace(':', '.')}.{right}"
    entry = {
        "cn": [name],
        "member": [f"UID={member},{PEOPLE}" for member in members],
        "kommunpostHolder": [holder],
        "kommunpostRight": [right],
    }
    return f"cn={name},ou=groups", entry


MAILBOXES = [
    _mailbox("function", "unit:ks", "KS@s.example"),
    _mailbox("individual", "person:1", ANNA),
    _mailbox("individual", "person:2", BO),
]


def _wanted(*groups: tuple[str, dict[str, list[str]]]) -> Wanted:
    return wanted(MAILBOXES, groups)


MEMBERS = _wanted(_group("unit:ks", "writer", "1"), _group("unit:ks", "sender", "1", "2"))


def test_a_function_mailbox_has_both_groups_whoever_is_in_them():
    assert _wanted().acls == {
        KS: {
            "group=cn=unit.ks.reader": RIGHTS["reader"],
            "group=cn=unit.ks.writer": RIGHTS["writer"],
        }
    }
    assert not any("admin" in rights for rights in RIGHTS.values())


def test_a_sender_alone_sees_nothing():
    assert MEMBERS.members == {ANNA: {"unit.ks.writer": KS}}


def test_the_deputy_of_somebody_on_leave_is_a_member_of_an_individual_mailbox():
    away = _wanted(_group("person:1", "writer", "2"))
    assert away.acls[ANNA] == {"group=cn=person.1.writer": RIGHTS["writer"]}
    assert away.functions == {KS}
    assert away.members == {BO: {"person.1.writer": ANNA}}


def test_who_is_not_active_is_no_member_and_has_nothing_to_share():
    groups = [_group("unit:ks", "writer", "9"), _group("person:9", "writer", "1")]
    assert _wanted(*groups).members == {}


@dataclass
class Dovecot:
    """Stands where `Doveadm` stands, and keeps what it is told."""

    sharing_map: Path
    held: dict[str, dict[str, frozenset[str]]] = field(default_factory=dict)
    open: list[tuple[str, int]] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    fails_at: str = ""

    def acls(self, addresses: Collection[str]) -> dict[str, Acl]:
        return {address: dict(self.held.get(address, {})) for address in addresses}

    def set_acl(self, address: str, acl: Acl) -> None:
        self._note(f"acl {address}")
        self.held.setdefault(address, {}).update(acl)
        self.map_anew(address)

    def map_anew(self, address: str) -> None:
        self._note(f"map {address}")
        lines = [
            f"shared/shared-boxes/{name.replace('=', '/', 1)}/{owner}\n1\n"
            for owner, acl in self.held.items()
            for name in acl
        ]
        self.sharing_map.write_text("".join(lines))

    def create(self, address: str, folder: str) -> None:
        self._note(f"create {address} {folder}")

    def subscribe(self, login: str, folders: Collection[str]) -> None:
        if folders:
            self._note(f"subscribe {login} {'; '.join(folders)}")

    def unsubscribe(self, login: str, folders: Collection[str]) -> None:
        if folders:
            self._note(f"unsubscribe {login} {'; '.join(folders)}")

    def sessions(self) -> Iterator[tuple[str, int]]:
        yield from list(self.open)

    def close(self, process: int) -> None:
        self._note(f"close {process}")

    def _note(self, what: str) -> None:
        if self.fails_at and what.startswith(self.fails_at):
            raise UserError.of("Dovecot is away")
        self.said.append(what)

    def told(self) -> list[str]:
        said, self.said = self.said, []
        return said


@pytest.fixture
def dovecot(tmp_path: Path) -> Dovecot:
    return Dovecot(tmp_path / "map")


@pytest.fixture
def store(dovecot: Dovecot, tmp_path: Path) -> Store:
    return Store(dovecot, dovecot.sharing_map, tmp_path / "members.json")  # type: ignore[arg-type]


def test_a_new_store_is_made_ready_and_a_second_pass_finds_nothing_to_do(dovecot, store):
    dovecot.open = [(ANNA, 11)]
    store.make(MEMBERS)
    assert dovecot.told() == [
        f"create {KS} Sent",
        f"acl {KS}",
        f"map {KS}",
        f"subscribe {ANNA} Delade brevlådor/ks; Delade brevlådor/ks/Sent",
    ]
    store.make(MEMBERS)
    assert dovecot.told() == []


def test_a_right_that_is_lost_closes_that_persons_sessions_and_no_others(dovecot, store):
    store.make(MEMBERS)
    dovecot.told()
    dovecot.open = [(ANNA, 11), (BO, 12), (ANNA, 13)]
    store.make(_wanted())
    assert dovecot.told() == [
        "close 11",
        "close 13",
        f"unsubscribe {ANNA} Delade brevlådor/ks; Delade brevlådor/ks/Sent",
    ]


def test_a_right_that_is_won_closes_the_session_when_the_mailbox_is_there(dovecot, store):
    store.make(_wanted())
    dovecot.told()
    dovecot.open = [(ANNA, 11), (BO, 12)]
    store.make(MEMBERS)
    assert dovecot.told() == [
        f"subscribe {ANNA} Delade brevlådor/ks; Delade brevlådor/ks/Sent",
        "close 11",
    ]


def test_a_reader_who_becomes_a_writer_begins_anew_and_keeps_the_subscription(dovecot, store):
    store.make(_wanted(_group("unit:ks", "reader", "2")))
    dovecot.told()
    dovecot.open = [(BO, 12)]
    store.make(_wanted(_group("unit:ks", "writer", "2")))
    assert dovecot.told() == ["close 12"]


def test_somebody_who_has_left_is_logged_out_and_the_audit_in_a_function_mailbox_is_not(
    dovecot, store
):
    store.make(MEMBERS)
    dovecot.told()
    dovecot.open = [("gone@s.example", 11), (KS, 12), (ANNA, 13)]
    store.make(MEMBERS)
    assert dovecot.told() == ["close 11"]


def test_a_login_that_a_technician_locks_ends_its_sessions_and_keeps_everything_else(
    dovecot, store
):
    """Locked for good alone: a login that is held for two minutes after wrong passwords is not."""
    store.make(MEMBERS)
    dovecot.told()
    dovecot.open = [(ANNA, 11), (BO, 12), (ANNA, 13)]
    locks = {ANNA: "000001010000Z", BO: "20261125070000Z"}
    mailboxes = [
        (dn, {**entry, "pwdAccountLockedTime": [locks[mail]]} if mail in locks else entry)
        for dn, entry in MAILBOXES
        for mail in entry["mail"]
    ]
    groups = [_group("unit:ks", "writer", "1"), _group("unit:ks", "sender", "1", "2")]
    store.make(wanted(mailboxes, groups))
    assert dovecot.told() == ["close 11", "close 13"]
    dovecot.open = []
    store.make(MEMBERS)
    assert dovecot.told() == [], "opened again: nothing was lost meanwhile"


def test_somebody_who_has_left_is_not_unsubscribed_since_there_is_no_mailbox(dovecot, store):
    store.make(MEMBERS)
    dovecot.told()
    store.make(wanted(MAILBOXES[:1], []))
    assert dovecot.told() == []


@pytest.mark.parametrize("fails_at", ["acl", "map", "create", "subscribe", "unsubscribe", "close"])
def test_a_pass_that_was_cut_off_is_made_up_for_by_the_next(dovecot, store, fails_at):
    """Sessions are closed again rather than not at all."""
    store.make(_wanted(_group("unit:ks", "writer", "2")))
    dovecot.held.clear()
    dovecot.told()
    dovecot.open = [(ANNA, 11), (BO, 12)]
    dovecot.fails_at = fails_at
    with pytest.raises(UserError):
        store.make(MEMBERS)
    dovecot.fails_at = ""
    store.make(MEMBERS)
    told = dovecot.told()
    assert {"close 11", "close 12"} <= set(told)
    assert f"create {KS} Sent" in told
    assert any(line.startswith(f"subscribe {ANNA}") for line in told)
    assert any(line.startswith(f"unsubscribe {BO}") for line in told)
    assert dovecot.held[KS].keys() == MEMBERS.acls[KS].keys()
    store.make(MEMBERS)
    assert dovecot.told() == []


def test_a_lost_sharing_map_is_made_anew(dovecot, store):
    store.make(MEMBERS)
    dovecot.told()
    dovecot.sharing_map.unlink()
    store.make(MEMBERS)
    assert dovecot.told() == [f"map {KS}"]


def test_a_function_mailbox_with_a_new_name_is_found_under_it(dovecot, store):
    store.make(MEMBERS)
    dovecot.told()
    dovecot.held["styrelsen@s.example"] = dovecot.held.pop(KS)  # the home is the same
    renamed = wanted(
        [_mailbox("function", "unit:ks", "styrelsen@s.example"), *MAILBOXES[1:]],
        [_group("unit:ks", "writer", "1")],
    )
    store.make(renamed)
    assert dovecot.told() == [
        "map styrelsen@s.example",
        f"subscribe {ANNA} Delade brevlådor/styrelsen; Delade brevlådor/styrelsen/Sent",
        f"unsubscribe {ANNA} Delade brevlådor/ks; Delade brevlådor/ks/Sent",
    ]


def test_changes_are_those_who_came_went_or_changed():
    before = {"a": {"g": "x"}, "b": {"g": "x"}, "c": {"g": "x"}}
    after = {"a": {"g": "x"}, "b": {"h": "x"}, "d": {"g": "x"}}
    assert changes(before, after) == {"b", "c", "d"}
