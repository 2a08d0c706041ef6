"""The directory snapshot: right, fresh, and never in the way of mail."""

import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from compliance.messagelog import units as module
from compliance.messagelog.capture import MustAskError
from compliance.messagelog.units import AtOnce, Ldap, Mailbox, Units
from compliance.settings import Directory

ANNA = "anna@sjovalla.example"


def mailbox(name, unit="ks", stamp="20261124090000Z", more=()):
    addresses = frozenset({f"{name}@sjovalla.example", *more})
    return Mailbox(f"uid={name}", unit, addresses, stamp, f"person:{name}")


class FakeLdap:
    """Holds mailboxes, notes what it is asked, and can be away."""

    def __init__(self, *mailboxes):
        self.all, self.asked, self.is_away = list(mailboxes), [], False
        self.groups = {}

    def senders(self):
        self.asked.append("senders")
        if self.is_away:
            raise OSError("away")
        return dict(self.groups)

    def mailboxes(self, since, address):
        self.asked.append((since, address))
        if self.is_away:
            raise OSError("away")
        if address:
            return [one for one in self.all if address in one.addresses]
        return [one for one in self.all if not since or one.stamp >= since]


@pytest.fixture
def now():
    return [1000.0]


@pytest.fixture
def ldap():
    return FakeLdap(mailbox("anna", more=["a@alias.example"]), mailbox("bo", unit="bun"))


@pytest.fixture
def units(ldap, now):
    made = Units("sjovalla.example", ldap, clock=lambda: now[0])
    made.refresh()
    ldap.asked.clear()
    return made


@pytest.mark.parametrize(
    "written",
    [
        *("anna@sjovalla.example.", "anna", '"anna"@sjovalla.example', "anna%sjovalla.example"),
        *("@r.example:anna@sjovalla.example", "sjovalla.example!anna", "Anna+x"),
    ],
)
def test_however_postfix_lets_an_address_be_written_its_unit_is_known(units, written):
    assert units.unit_of(written) == "ks"


def test_who_may_not_wait_is_told_what_the_directory_must_be_asked(units, ldap):
    at_once = AtOnce(units)
    assert at_once.unit_of(ANNA) == "ks"
    assert at_once.addresses_of(ANNA, ANNA) == {ANNA, "a@alias.example"}
    assert at_once.unit_of("x@omvarlden.example") is None
    with pytest.raises(MustAskError):
        at_once.unit_of("new@sjovalla.example")
    with pytest.raises(MustAskError):
        at_once.is_function("new@sjovalla.example")
    with pytest.raises(MustAskError):
        at_once.addresses_of(ANNA, "bo@sjovalla.example")
    assert ldap.asked == []
    assert units.unit_of("new@sjovalla.example") is None
    assert at_once.unit_of("new@sjovalla.example") is None  # it was just asked for


def test_known_addresses_are_answered_from_memory(units, ldap):
    assert units.unit_of("Anna@Sjovalla.example") == "ks"
    assert units.unit_of("anna+sent@sjovalla.example") == "ks"
    assert units.unit_of("a@alias.example") == "ks"
    assert units.unit_of("bo@sjovalla.example") == "bun"
    assert units.addresses_of(ANNA, ANNA) == {ANNA, "a@alias.example"}
    assert ldap.asked == []


def test_outside_addresses_are_never_asked_for(units, ldap):
    assert units.unit_of("x@omvarlden.example") is None
    assert units.unit_of("") is None
    assert ldap.asked == []


def test_a_new_mailbox_is_looked_up_at_once(units, ldap):
    ldap.all.append(mailbox("ny", unit="sbn"))
    assert units.unit_of("ny+x@sjovalla.example") == "sbn"
    assert units.unit_of("ny@sjovalla.example") == "sbn"
    assert ldap.asked == [(None, "ny@sjovalla.example")]


def test_an_unknown_address_is_not_asked_for_again_and_again(units, ldap, now):
    for _ in range(5):
        assert units.unit_of("ingen@sjovalla.example") is None
    assert len(ldap.asked) == 1
    now[0] += module.MISS_SECONDS
    ldap.all.append(mailbox("ingen"))
    assert units.unit_of("ingen@sjovalla.example") == "ks"


def test_of_many_that_wait_for_the_same_new_address_one_asks(units, ldap):
    asked = ldap.mailboxes
    may_answer = threading.Event()

    def slow(since, address):
        may_answer.wait(10)
        return asked(since, address)

    ldap.mailboxes = slow
    ldap.asked.clear()
    with ThreadPoolExecutor(8) as pool:
        told = [pool.submit(units.unit_of, "ny@sjovalla.example") for _ in range(8)]
        may_answer.set()
        assert [one.result() for one in told] == [None] * 8
    assert ldap.asked == [(None, "ny@sjovalla.example")]


def test_when_the_directory_is_away_the_last_snapshot_stands_and_nobody_waits(units, ldap):
    ldap.is_away = True
    units.refresh()
    ldap.asked.clear()
    assert units.unit_of(ANNA) == "ks"
    assert units.unit_of("ny@sjovalla.example") is None
    assert ldap.asked == []  # no time-out for each message
    ldap.is_away = False
    units.refresh()
    ldap.all.append(mailbox("ny"))
    assert units.unit_of("ny@sjovalla.example") == "ks"


def test_without_any_snapshot_nothing_is_claimed_about_logins(ldap):
    ldap.is_away = True
    units = Units("sjovalla.example", ldap)
    units.refresh()
    assert units.addresses_of(ANNA, ANNA) is None
    ldap.is_away = False
    units.refresh()
    assert units.addresses_of("ingen@sjovalla.example", ANNA) == frozenset()


def test_a_refresh_asks_for_changes_only_and_once_in_a_while_for_all(units, ldap, now):
    ldap.all[0] = mailbox("anna", unit="bun", stamp="20261124100000Z")
    units.refresh()
    assert ldap.asked == [("20261124090000Z", None), "senders"]
    assert units.unit_of(ANNA) == "bun"
    assert units.unit_of("a@alias.example") is None  # taken from her since
    assert units.unit_of("bo@sjovalla.example") == "bun"
    del ldap.all[1]
    now[0] += module.FULL_REFRESH_SECONDS
    units.refresh()
    assert ldap.asked[-2] == (None, None)
    assert "bo@sjovalla.example" not in units._by_address


BOARD = "ks@sjovalla.example"


def test_a_member_sends_as_the_function_mailbox_from_the_first_moment(units, ldap, now):
    """Postfix asks the directory itself, so the milter must not say no by an old list."""
    ldap.all.append(Mailbox("ou=ks", "ks", frozenset({BOARD}), "20261124090000Z", "unit:ks"))
    units.refresh()
    own = {ANNA, "a@alias.example"}
    now[0] += module.SENDERS_SECONDS
    assert units.addresses_of(ANNA, BOARD) == own
    ldap.groups = {"unit:ks": frozenset({"uid=anna"})}
    assert units.addresses_of(ANNA, BOARD) == own, "asked for at most once a second"
    now[0] += module.SENDERS_SECONDS
    assert units.addresses_of(ANNA, f"KS+x@{BOARD.partition('@')[2]}") == own | {BOARD}
    assert units.addresses_of(ANNA, ANNA) == own
    assert units.addresses_of("bo@sjovalla.example", BOARD) == {"bo@sjovalla.example"}


def test_whoever_is_a_member_no_more_may_until_the_next_refresh_at_most(units, ldap, now):
    ldap.all.append(Mailbox("ou=ks", "ks", frozenset({BOARD}), "20261124090000Z", "unit:ks"))
    ldap.groups = {"unit:ks": frozenset({"uid=anna"})}
    units.refresh()
    assert BOARD in units.addresses_of(ANNA, BOARD)
    ldap.groups = {}
    units.refresh()
    assert BOARD not in units.addresses_of(ANNA, BOARD)


def test_while_the_directory_is_away_known_members_send_and_others_come_again(units, ldap, now):
    ldap.all.append(Mailbox("ou=ks", "ks", frozenset({BOARD}), "20261124090000Z", "unit:ks"))
    ldap.groups = {"unit:ks": frozenset({"uid=anna"})}
    units.refresh()
    ldap.is_away = True
    now[0] += module.SENDERS_SECONDS
    assert BOARD in units.addresses_of(ANNA, BOARD)
    assert units.addresses_of("bo@sjovalla.example", BOARD) is None
    assert units.addresses_of("bo@sjovalla.example", "bo@sjovalla.example") is not None


@pytest.fixture
def directory_that_says(tmp_path):
    """Make the settings of a directory that gives one answer to whoever connects."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def settings(answer, per_time=4096, pause=0):
            def give():
                connection, _ = listener.accept()
                with connection, suppress(OSError):
                    connection.recv(4096)
                    for start in range(0, len(answer), per_time):
                        connection.sendall(answer[start : start + per_time])
                        time.sleep(pause)

            threading.Thread(target=give, daemon=True).start()
            (tmp_path / "password").write_text("hemligt\n")
            return Directory(
                uri=f"ldap://127.0.0.1:{listener.getsockname()[1]}",
                base="dc=sjovalla,dc=example",
                reader_dn="cn=milter,ou=services,dc=sjovalla,dc=example",
                reader_password_file=tmp_path / "password",
            )

        yield settings


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 503 Service Unavailable\r\n\r\n",
        b"0\x03\x02\x01\x01",  # an LDAP message that holds its number only
        b"0\x05\x02\x01\x02a\x00",  # the answer to a bind, without a result
        bytes(30),
    ],
)
def test_a_directory_that_answers_nonsense_is_one_that_is_away(directory_that_says, answer):
    units = Units("sjovalla.example", Ldap(directory_that_says(answer)))
    units.refresh()
    assert units.addresses_of(ANNA, ANNA) is None


def test_a_directory_that_answers_byte_by_byte_holds_no_mail_up(directory_that_says):
    answer = b"0\x82\x10\x00" + bytes(50)  # of 4096 bytes, it says
    ldap = Ldap(directory_that_says(answer, per_time=1, pause=0.2))
    with pytest.raises(OSError, match="no whole answer within 3 seconds"):
        list(ldap.mailboxes(None, ANNA))
