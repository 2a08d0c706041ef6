"""The milter, spoken to in bytes as Postfix speaks to it. Postfix itself is met by the stories."""

import struct
import time

import pytest
from fake_postfix import (
    ANNA,
    OFFER,
    REGISTRY,
    Directory,
    Outbox,
    connect,
    make_capture,
    message,
    packet,
)  # fmt: skip
from hypothesis import given
from hypothesis import strategies as st

from compliance import probe_token
from compliance.messagelog import milter_protocol
from compliance.messagelog.milter_session import Conversation
from compliance.messagelog.outbox import OutboxUnavailableError

CONTINUE = [b"c"]


@pytest.fixture
def outbox():
    return Outbox()


@pytest.fixture
def capture():
    return make_capture(Directory())


class Session:
    """One connection's conversation, with all that is to be answered answered at once."""

    def __init__(self, capture, outbox):
        self.capture, self.outbox, self.said = capture, outbox, Conversation(capture)

    def answer(self, command, data):
        if command != milter_protocol.END:
            return self.said.take(command, data)
        outcome, errors = self.said.end(data).outcome(self.capture), []
        self.outbox.submit(outcome.entries, errors.append)
        return outcome.unlogged() if errors[0] else outcome.answer


@pytest.fixture
def session(capture, outbox):
    return Session(capture, outbox)


def answers(session, stream):
    """The packets that come back, without their lengths."""
    written = b"".join(
        session.answer(command, data)
        for command, data in milter_protocol.Packets().feed(b"".join(stream))
    )
    found = []
    while written:
        length = int.from_bytes(written[:4], "big")
        found.append(written[4 : 4 + length])
        written = written[4 + length :]
    return found


def send(session, headers=(), **more):
    return answers(session, [connect(), *message(headers=headers, **more)])


def test_an_accepted_message_is_logged_with_its_queue_id_and_size(session, outbox):
    assert send(session, [("Subject", "Hej")]) == CONTINUE
    (entry,) = outbox.entries
    assert (entry.queue_id, entry.subject, entry.client_class) == ("q1", "Hej", "public")
    assert entry.size == len(b"Subject: Hej\r\n\r\nhej\r\n")


def test_a_body_in_parts_counts_whole(session, outbox):
    long = b"x" * 65_535
    stream = [*message(body=b"end\r\n")]
    stream[-2:-2] = [packet("B", data=long)] * 3
    assert answers(session, [connect(), *stream]) == CONTINUE
    assert outbox.entries[0].size == 2 + 3 * len(long) + len(b"end\r\n")


def test_mail_of_the_host_itself_has_its_queue_id_from_the_start(session, outbox):
    local = message(sender=ANNA, recipients=[ANNA], is_local=True)
    assert answers(session, [connect("127.0.0.1", name="localhost"), *local]) == CONTINUE
    entry = outbox.entries[0]
    assert (entry.client_class, entry.direction, entry.queue_id) == ("local", "internal", "q1")


@pytest.mark.parametrize(
    ("client", "wanted"),
    [
        (connect("IPv6:2a00:1450::1", "6"), "public"),
        (connect("2a00:1450::1", "6"), "public"),
        (connect("10.1.2.3"), "private"),
        (connect("::1", "6"), "loopback"),
        (packet("C", "unknown", data=b"U"), "local"),
        (packet("C", "localhost", data=b"L\0\0/run/x\0"), "local"),
    ],
)
def test_a_client_is_classed_by_its_address(session, outbox, client, wanted):
    assert answers(session, [client, *message()]) == CONTINUE
    assert outbox.entries[0].client_class == wanted


def test_a_message_of_a_function_mailbox_gets_one_more_recipient(session, outbox):
    asked = send(session, recipients=[f"<{REGISTRY}>", f"<{ANNA}>"])
    day = outbox.entries[0].accepted_at.date()
    assert asked == [f"2<archive+{day}@archive.invalid>\0NOTIFY=NEVER\0".encode(), *CONTINUE]
    assert [entry.recipient for entry in outbox.entries] == [REGISTRY, ANNA]


def test_messages_of_one_connection_do_not_mix(session, outbox):
    send(session, [("Subject", "ett")])
    abandoned = [*message(headers=[("Subject", "aldrig")])][:-2]
    second = message(headers=[("From", "x@omvarlden.example")], queue_id="q2")
    assert answers(session, [*abandoned, packet("A"), *second]) == CONTINUE
    assert [(entry.subject, entry.queue_id) for entry in outbox.entries] == [
        ("ett", "q1"),
        ("", "q2"),
    ]


def test_a_login_does_not_outlive_its_message(session, outbox):
    own = [("From", ANNA)]
    send(session, own, sender=f"<{ANNA}>", login=ANNA)
    answers(session, message(headers=own, queue_id="q2"))
    assert [entry.authenticated_user for entry in outbox.entries] == [ANNA, None]


def test_a_connection_that_goes_to_the_next_client_keeps_nothing(session, outbox):
    abandoned = [*message(headers=[("Subject", "förra")])][:-2]
    answers(session, [connect("127.0.0.1"), *abandoned, packet("K")])
    assert answers(session, [connect("9.9.9.9"), *message()]) == CONTINUE
    assert [(one.subject, one.client_class) for one in outbox.entries] == [("", "public")]


def test_forged_verdicts_go_from_the_last_to_the_first_before_the_true_one_comes(session):
    token = probe_token.sign(
        b"k" * 32,
        run="r",
        sender="medborgare@omvarlden.example",
        recipient=ANNA,
        expires=int(time.time()) + 60,
    )
    forged = ("X-Kommunpost-Probe", "verified")
    assert send(session, [forged, ("X-Kommunpost-Probe-Token", token), forged]) == [
        b"m\0\0\0\x02X-Kommunpost-Probe\0\0",
        b"m\0\0\0\x01X-Kommunpost-Probe\0\0",
        b"hX-Kommunpost-Probe\0verified\0",
        *CONTINUE,
    ]


def test_forging_another_sender_is_refused_and_not_logged(session, outbox):
    forged = [("From", "chef@sjovalla.example")]
    (answer,) = send(session, forged, sender=f"<{ANNA}>", login=ANNA)
    assert answer.startswith(b"y550 5.7.1 ")
    assert b"must be your own address" in answer
    assert answer.endswith(b"\0")
    assert outbox.entries == []


def test_what_cannot_be_logged_is_put_off_and_the_milter_lives(session, outbox):
    outbox.error = OutboxUnavailableError("full")
    (answer,) = send(session)
    assert answer.startswith(b"y451 4.3.0 ")
    outbox.error = None
    assert send(session, queue_id="q2") == CONTINUE


def test_what_cannot_be_handled_is_put_off_and_the_milter_lives(session, monkeypatch):
    with monkeypatch.context() as broken:
        broken.setattr(Directory, "unit_of", lambda *_: 1 / 0)
        (answer,) = send(session)
    assert answer.startswith(b"y451 4.3.0 ")
    assert send(session, queue_id="q2") == CONTINUE


def test_an_end_without_a_message_is_put_off(session):
    begun = [*message()]
    (answer,) = answers(session, [connect(), *begun[:2], packet("A"), begun[-1]])
    assert answer.startswith(b"y451 4.3.0 ")


def test_only_the_end_of_a_message_waits_and_only_what_is_read_is_sent(session):
    (answer,) = answers(session, [packet("O", data=OFFER)])
    version, actions, events = struct.unpack_from(">III", answer, 1)
    assert (version, actions) == (6, 0x1 | 0x4 | 0x10 | 0x80 | 0x100)
    no_reply = 0x80 | 0x1000 | 0x4000 | 0x8000 | 0x80000
    assert events == no_reply | 0x2 | 0x40 | 0x100 | 0x200
    assert b"\0\0\0\x02i {auth_authen}\0" in answer
    assert b"\0\0\0\x05i\0" in answer
    # An empty list Postfix takes for its own, of which nothing is read.
    assert all(bytes([0, 0, 0, stage]) + b"{none}\0" in answer for stage in (0, 1, 3, 4, 6))


@pytest.mark.parametrize(
    "offer",
    [
        OFFER[:11],
        struct.pack(">III", 2, 0x1FF, 0x1FFFFF),
        struct.pack(">III", 6, 0x1FF & ~0x80, 0x1FFFFF),
        struct.pack(">III", 6, 0x1FF, 0x1FFFFF & ~0x1000),
    ],
)
def test_a_side_that_offers_too_little_is_told_off(session, offer):
    with pytest.raises(milter_protocol.ProtocolError):
        answers(session, [packet("O", data=offer)])


@pytest.mark.parametrize(
    "nonsense",
    [
        b"\0\0\0\0A",
        b"\xff\xff\xff\xffB",
        packet("Z"),
        packet("L", data=b"Subject\0Hej"),
        packet("M", data=b"<a@b.example>"),
        packet("D", data=b"Mi"),
    ],
)
def test_what_is_no_milter_protocol_ends_the_connection(session, nonsense):
    with pytest.raises(milter_protocol.ProtocolError):
        answers(session, [connect(), *[*message()][:2], nonsense])


@given(st.lists(st.integers(1, 2_000), max_size=60))
def test_however_the_bytes_come_in_pieces_the_same_is_understood(sizes):
    stream = b"".join([connect(), *message(headers=[("Subject", "å" * 500)], body=b"x" * 3000)])
    whole = list(milter_protocol.Packets().feed(stream))
    packets, found = milter_protocol.Packets(), []
    for size in [*sizes, len(stream)]:
        piece, stream = stream[:size], stream[size:]
        found += packets.feed(piece)
    assert found == whole


@given(st.binary(max_size=200), st.sampled_from("ABCDELMORK"))
def test_no_packet_of_any_content_is_an_accident(data, command):
    session = Session(make_capture(Directory()), Outbox())
    try:
        for packet_ in [connect(), *[*message()][:2], packet(command, data=data)]:
            answers(session, [packet_])
    except milter_protocol.ProtocolError:
        pass  # said in so many words; anything else fails the test
