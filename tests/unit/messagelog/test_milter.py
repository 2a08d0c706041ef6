"""The milter's own part, against a stand-in for pymilter, which exists on mail hosts only.

The real one is met by the stories, with a real Postfix before it.
"""

import importlib
import sys
import time
import types

import pytest

from compliance import probe_token
from compliance.messagelog.capture import Capture, OutboxUnavailableError

OUTSIDER = b"<medborgare@omvarlden.example>"
ANNA = "anna.astrom@sjovalla.example"
REGISTRY = "registrator@sjovalla.example"
CONTINUE, REJECT, TEMPFAIL = 0, 1, 4


class Base:
    """What the milter uses of Milter.Base, noting what is asked of Postfix."""

    def _begin(self, macros):
        self.macros, self.asked = macros, []

    def getsymval(self, name):
        return self.macros.get(name)

    def chgheader(self, *words):
        self.asked.append(("change", *words))

    def addheader(self, *words):
        self.asked.append(("add", *words))

    def addrcpt(self, *words):
        self.asked.append(("recipient", *words))

    def setreply(self, *words):
        self.asked.append(("reply", *words))


class Directory:
    def unit_of(self, address):
        return "bun" if address == ANNA else None

    def is_function(self, address):
        return address == REGISTRY

    def addresses_of(self, login, sender):
        return frozenset({login})


class Outbox:
    def __init__(self):
        self.entries, self.error = [], None

    def append(self, entries):
        if self.error:
            raise self.error
        self.entries += entries


@pytest.fixture
def module(monkeypatch):
    stand_in = types.ModuleType("Milter")
    stand_in.Base, stand_in.error = Base, OSError
    stand_in.CONTINUE, stand_in.REJECT, stand_in.TEMPFAIL = CONTINUE, REJECT, TEMPFAIL
    stand_in.noreply = lambda function: function
    stand_in.decode = lambda _strategy: lambda function: function
    monkeypatch.setitem(sys.modules, "Milter", stand_in)
    monkeypatch.delitem(sys.modules, "compliance.messagelog.milter", raising=False)
    yield importlib.import_module("compliance.messagelog.milter")
    sys.modules.pop("compliance.messagelog.milter", None)


@pytest.fixture
def outbox():
    return Outbox()


@pytest.fixture
def session(module, outbox):
    module.LogMilter.capture = Capture(
        host="mail.sjovalla.example",
        domain="sjovalla.example",
        probe_key=b"k" * 32,
        directory=Directory(),
        outbox=outbox,
    )
    made = module.LogMilter()
    made._begin({})
    return made


def send(session, headers=(), sender=OUTSIDER, queue_id="q1"):
    """Play one message as Postfix does over SMTP: its queue id comes after MAIL."""
    session.connect("[9.9.9.9]", 2, ("9.9.9.9", 1234))
    session.envfrom(sender)
    session.envrcpt(f"<{ANNA}>".encode())
    session.macros["i"] = queue_id
    for name, value in headers:
        session.header(name, value)
    session.body(b"hej\r\n")
    return session.eom()


def test_an_accepted_message_is_logged_with_its_queue_id_and_size(session, outbox):
    assert send(session, [("Subject", b"Hej")]) == CONTINUE
    (entry,) = outbox.entries
    assert (entry.queue_id, entry.subject, entry.client_class) == ("q1", "Hej", "public")
    assert entry.size == len(b"Subject: Hej\r\n\r\nhej\r\n")
    assert session.asked == []


def test_mail_of_the_host_itself_has_its_queue_id_from_the_start(session, outbox):
    session.macros["i"] = "q1"
    session.connect("localhost", 2, ("127.0.0.1", 0))
    session.envfrom(ANNA.encode())
    session.envrcpt(ANNA.encode())
    assert session.eom() == CONTINUE
    assert (outbox.entries[0].client_class, outbox.entries[0].direction) == ("local", "internal")


def test_a_message_of_a_function_mailbox_gets_one_more_recipient(session, outbox):
    session.connect("[9.9.9.9]", 2, ("9.9.9.9", 1234))
    session.envfrom(OUTSIDER)
    session.envrcpt(f"<{REGISTRY}>".encode())
    session.envrcpt(f"<{ANNA}>".encode())
    session.macros["i"] = "q1"
    assert session.eom() == CONTINUE
    day = outbox.entries[0].accepted_at.date()
    wanted = ("recipient", f"<archive+{day}@archive.invalid>", "NOTIFY=NEVER")
    assert session.asked == [wanted]
    assert [entry.recipient for entry in outbox.entries] == [REGISTRY, ANNA]


def test_messages_of_one_connection_do_not_mix(session, outbox):
    send(session, [("Subject", b"ett")])
    session.macros.pop("i")
    send(session, [("From", b"x@omvarlden.example")], queue_id="q2")
    assert [entry.subject for entry in outbox.entries] == ["ett", ""]


def test_forged_verdicts_go_from_the_last_to_the_first_before_the_true_one_comes(session):
    token = probe_token.sign(
        b"k" * 32,
        run="r",
        sender="medborgare@omvarlden.example",
        recipient=ANNA,
        expires=int(time.time()) + 60,
    )
    forged = ("X-Kommunpost-Probe", b"verified")
    headers = [forged, ("X-Kommunpost-Probe-Token", token.encode()), forged]
    assert send(session, headers) == CONTINUE
    assert session.asked == [
        ("change", "X-Kommunpost-Probe", 2, ""),
        ("change", "X-Kommunpost-Probe", 1, ""),
        ("add", "X-Kommunpost-Probe", "verified"),
    ]


def test_forging_another_sender_is_refused_and_not_logged(session, outbox):
    session.macros["{auth_authen}"] = ANNA
    verdict = send(
        session, [("From", b"chef@sjovalla.example")], sender=b"<" + ANNA.encode() + b">"
    )
    assert verdict == REJECT
    ((kind, *code, text),) = session.asked
    assert (kind, code) == ("reply", ["550", "5.7.1"])
    assert "must be your own address" in text
    assert outbox.entries == []


@pytest.mark.parametrize("error", [OutboxUnavailableError("full"), RuntimeError("bug")])
def test_what_cannot_be_logged_is_put_off_and_the_milter_lives(session, outbox, error):
    outbox.error = error
    assert send(session) == TEMPFAIL
    assert session.asked[0][:3] == ("reply", "451", "4.3.0")
    outbox.error = None
    assert send(session, queue_id="q2") == CONTINUE


def test_an_end_without_a_message_is_put_off(session):
    session.connect("x", 2, ("9.9.9.9", 1))
    session.envfrom(OUTSIDER)
    session.abort()
    assert session.eom() == TEMPFAIL


def test_a_header_that_cannot_be_changed_leaves_no_row(session, outbox, monkeypatch):
    def fail(*_words):
        raise OSError("cannot change header")

    monkeypatch.setattr(session, "chgheader", fail)
    assert send(session, [("X-Kommunpost-Probe", b"verified")]) == TEMPFAIL
    assert outbox.entries == []
