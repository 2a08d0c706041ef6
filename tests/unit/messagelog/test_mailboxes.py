"""What lies unread is noted whole, and shown to those alone whose units the mailboxes are."""

from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from compliance.errors import UserError
from compliance.messagelog.mailboxes import Mailbox, note
from compliance.messagelog.reading import (
    Identity,
    Reader,
    SessionEndedError,
    open_session,
)
from compliance.settings import Log

AT = datetime(2026, 11, 24, 6, 3, tzinfo=UTC)
CAME = AT - timedelta(days=10)
KS = Mailbox("kommunstyrelsen@sjovalla.example", "ks", AT, CAME)
BUN = Mailbox("skolan@sjovalla.example", "bun", AT, None)


@pytest.fixture
def reads(connect):
    """Return what somebody with some units, or everything, is shown."""

    def show(*units, everything=False):
        who = Identity("person:1", "Person 1", list(units), everything)
        token = open_session(connect("login"), who, 10)
        return Reader(connect("web"), token).mailboxes()

    return show


def test_a_reader_is_shown_the_mailboxes_of_their_units_and_the_office_all(dsn, reads):
    note(Log(dsn=dsn("writer")), [KS, BUN])
    assert reads("ks") == [KS]
    assert reads("bun", "sbn") == [BUN]
    assert reads() == []
    assert reads(everything=True) == [KS, BUN]


def test_a_note_takes_the_place_of_the_one_before(dsn, reads):
    note(Log(dsn=dsn("writer")), [KS, BUN])
    later = KS._replace(looked_at=AT + timedelta(days=1), unread_since=None)
    note(Log(dsn=dsn("writer")), [later])
    assert reads(everything=True) == [later], "a mailbox that is gone is not remembered"


def test_nobody_else_notes_and_nobody_reads_without_a_session(dsn, connect, reads):
    note(Log(dsn=dsn("writer")), [KS])
    for role in ("web", "reader", "login"):
        with pytest.raises(UserError, match="refused"):
            note(Log(dsn=dsn(role)), [])
    for role in ("writer", "web", "reader"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connect(role).execute("SELECT * FROM log.mailbox")
    with pytest.raises(SessionEndedError):
        Reader(connect("web"), "made up").mailboxes()
    assert reads("ks") == [KS]
