"""What Postfix and Dovecot say in the journal, line for line as Debian 13's versions write it."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.messagelog.postfix_lines import Line, PostfixLines

AT = datetime(2026, 11, 24, 23, 59, 59, 5, tzinfo=UTC)
ISO = "2026-11-24T23:59:59.000005+00:00"
OUT = (
    "4jZ3d91Xp6zP0DJ: to=<invanare@omvarlden.example>, relay=mail.omvarlden.example[10.77.16.20]:25"
    ", delay=0.27, delays=0.03/0.11/0.11/0.02, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 72C)"
)
TLS = (
    "Untrusted TLS connection established to mail.omvarlden.example[10.77.16.20]:25: TLSv1.3 with"
    " cipher TLS_AES_256_GCM_SHA384 (256/256 bits) key-exchange x25519"
)


def line(program, text, pid="1", boot="b", at=AT):
    return Line("c", boot, at, program, pid, text)


def read(*lines, memory=None, **kwargs):
    reader = PostfixLines(memory or {}, **kwargs)
    for one in lines:
        reader.read(one)
    return reader.take()


def test_a_message_becomes_accepted_when_it_enters_the_queue():
    text = "4jZ3d80LLlzP0DG: from=<a@omvarlden.example>, size=1212, nrcpt=2 (queue active)"
    assert read(line("qmgr", text)).accepted == [
        {"at": ISO, "queue_id": "4jZ3d80LLlzP0DG", "recipients": 2}
    ]
    assert read(line("cleanup", text)).accepted == []


def test_a_delivery_tells_whom_how_and_what_was_answered():
    (found,) = read(line("smtp", TLS), line("smtp", OUT), unit_of={}.get).deliveries
    assert found == {
        "at": ISO,
        "queue_id": "4jZ3d91Xp6zP0DJ",
        "recipient": "invanare@omvarlden.example",
        "orig_to": None,
        "status": "sent",
        "dsn": "2.0.0",
        "relay": "mail.omvarlden.example[10.77.16.20]:25",
        "reply": "250 2.0.0 Ok: queued as 72C",
        "delay": 0.27,
        "tls": "Untrusted TLSv1.3",
        "session": None,
        "recipient_unit": None,
    }


def test_an_alias_is_told_with_the_address_that_it_stood_for():
    (found,) = read(
        line(
            "lmtp",
            "4jZ3d80LLlzP0DG: to=<astrid.rydberg@sjovalla.example>, orig_to=<astrid@sjovalla"
            ".example>, relay=mail.sjovalla.example[private/dovecot-lmtp], delay=0.51,"
            " delays=0.32/0.05/0.09/0.05, dsn=2.0.0, status=sent (250 2.0.0"
            " <astrid.rydberg@sjovalla.example> uvQbDexIBmv+KQAAoovO7A Saved)",
        ),
        unit_of={"astrid.rydberg@sjovalla.example": "ks"}.get,
    ).deliveries
    assert found["orig_to"] == "astrid@sjovalla.example"
    assert (found["session"], found["recipient_unit"]) == ("uvQbDexIBmv+KQAAoovO7A", "ks")


@pytest.mark.parametrize(
    ("text", "status", "relay"),
    [
        (
            "4jZ3dL0pQwzP0DR: to=<x@grannby.example>, relay=none, delay=0.3,"
            " delays=0.16/0.01/0/0.12, dsn=4.3.2, status=deferred (deferred transport)",
            "deferred",
            None,
        ),
        (
            "4jZ3dW6R76zP0Dr: to=<x@sjovalla.example>, relay=h[private/l], delay=0.66,"
            " delays=0/0/0/0, dsn=5.1.1, status=bounced (host h[private/l] said: 550 5.1.1"
            " status=sent (ok) (in reply to RCPT TO command))",
            "bounced",
            "h[private/l]",
        ),
    ],
)
def test_other_outcomes(text, status, relay):
    (found,) = read(line("error", text)).deliveries
    assert (found["status"], found["relay"]) == (status, relay)


def test_mail_whose_time_is_up_is_told_for_all_who_wait():
    text = "4jZ3dL0pQwzP0DR: from=<a@b.example>, status=expired, returned to sender"
    assert read(line("qmgr", text)).deliveries == [
        {"at": ISO, "queue_id": "4jZ3dL0pQwzP0DR", "status": "expired"}
    ]


def test_tls_serves_one_message_to_one_peer_and_is_remembered_over_a_restart():
    reader = PostfixLines({})
    reader.read(line("smtp", TLS, pid="7"))
    memory = reader.memory
    other = OUT.replace("4jZ3d91Xp6zP0DJ", "4jZ3d91Xp6zP0DK")
    elsewhere = OUT.replace("mail.omvarlden.example[10.77.16.20]:25", "b.example[10.0.0.1]:25")
    found = read(
        line("smtp", OUT, pid="8"),
        line("smtp", elsewhere, pid="7"),
        line("smtp", OUT, pid="7"),
        line("smtp", OUT, pid="7"),
        line("smtp", other, pid="7"),
        memory=memory,
    ).deliveries
    assert [one["tls"] for one in found] == [
        *(None, None, "Untrusted TLSv1.3", "Untrusted TLSv1.3", None)
    ]


def test_requeued_mail_goes_by_its_first_name():
    text = "4jZ3dT4xbFzP0Dp: uid=102 from=<a@b.example> orig_id=4jZ3dL0w9LzP0DN"
    again = "4jZ3dU4xbFzP0Dp: uid=102 from=<a@b.example> orig_id=4jZ3dT4xbFzP0Dp"
    new = "4jZ3dL0w9LzP0DN: uid=0 from=<a@b.example>"
    assert read(line("pickup", text), line("pickup", again), line("pickup", new)).requeued == [
        {"at": ISO, "queue_id": "4jZ3dT4xbFzP0Dp", "original": "4jZ3dL0w9LzP0DN"},
        {"at": ISO, "queue_id": "4jZ3dU4xbFzP0Dp", "original": "4jZ3dL0w9LzP0DN"},
    ]


def test_what_dovecot_stored_goes_by_its_session():
    text = (
        "lmtp(anna@sjovalla.example)<10750><uvQbDexIBmv+KQAAoovO7A>: sieve: msgid=<1@x>:"
        " stored mail into mailbox 'INBOX'"
    )
    assert read(line("dovecot", text)).stored == [
        {
            "at": ISO,
            "recipient": "anna@sjovalla.example",
            "session": "uvQbDexIBmv+KQAAoovO7A",
            "message_id": "<1@x>",
        }
    ]
    (without,) = read(line("dovecot", text.replace("<1@x>", "unspecified"))).stored
    assert (without["session"], without["message_id"]) == ("uvQbDexIBmv+KQAAoovO7A", None)


def test_the_end_of_a_boot_is_told_once_and_remembered_over_a_restart():
    reader = PostfixLines({})
    reader.read(line("qmgr", "anything"))
    later = AT + timedelta(minutes=5)
    memory = reader.memory
    lines = [line("qmgr", "anything", boot="c", at=later)] * 2
    assert read(*lines, memory=memory).boots == [{"ended_at": ISO}]
    assert reader.take().boots == []


@pytest.mark.parametrize(
    ("program", "text", "reason"),
    [
        (
            "smtpd",
            "NOQUEUE: reject: RCPT from mail.omvarlden.example[10.77.16.20]: 550 5.1.1"
            " <hemlig.person@sjovalla.example>: Recipient address rejected: User unknown in virtual"
            " mailbox table; from=<a@b.example> to=<hemlig.person@sjovalla.example> proto=ESMTP",
            "550 5.1.1 Recipient address rejected: User unknown in virtual mailbox table",
        ),
        (
            "smtpd",
            "NOQUEUE: reject: RCPT from unknown[9.9.9.9]: 554 5.7.1 Service unavailable; Client"
            " host [9.9.9.9] blocked using zen.example",
            "554 5.7.1 Service unavailable",
        ),
        (
            "cleanup",
            "4jZ3dX3fdjzP0Dt: milter-reject: END-OF-MESSAGE from unknown[10.77.16.1]: 5.7.1 The"
            " From address is not one of yours; from=<a@sjovalla.example> to=<b@sjovalla.example>",
            "milter: 5.7.1 The From address is not one of yours",
        ),
        (
            "cleanup",
            "4jZ3dX3fdjzP0Dt: milter-reject: END-OF-MESSAGE from unknown[10.77.16.1]: 4.7.1 Service"
            " unavailable - try again later; from=<a@x.example> to=<b@sjovalla.example> proto=ESMTP"
            " helo=<x.example>",
            "milter: 4.7.1 Service unavailable - try again later",
        ),
        (
            "cleanup",
            "4jZ3dX3fdjzP0Dt: reject: header Subject: Hej from Anna Berg: 5.7.0 mycket from"
            " unknown[10.77.16.1]; from=<a@x.example> to=<b@sjovalla.example> proto=ESMTP"
            " helo=<x.example>: 5.7.1 message content rejected",
            "5.7.1 message content rejected",
        ),
        (
            "cleanup",
            '4jZ3dX3fdjzP0Dt: reject: body Content-Disposition: attachment; filename="Anna.exe"'
            " from mail.x.example[10.77.16.1]; from=<a@x.example> to=<b@sjovalla.example>"
            " proto=ESMTP helo=<y>: 5.7.1 forged>: 5.7.1 No programs, please",
            "5.7.1 No programs, please",
        ),
        (
            "cleanup",
            "4jZ3dX3fdjzP0Dt: reject: mime-error improper use of 8-bit data in message header:"
            " Från: Anna: 5.7.1 Berg from unknown[10.77.16.1]; from=<a@x.example>"
            " to=<b@sjovalla.example>",
            "message content rejected",
        ),
        (
            "cleanup",
            f"4jZ3dX3fdjzP0Dt: reject: header X: 5.7.1 Anna from x[1]; from=<{'a' * 2000}",
            "message content rejected",
        ),
    ],
)
def test_refusals_are_counted_by_reason_and_name_nobody(program, text, reason):
    events = read(line(program, text))
    assert events.refused == [{"day": "2026-11-24", "reason": reason}]
    assert bool(events.withdrawn) == (program == "cleanup")


def test_held_mail_was_accepted_and_discarded_mail_was_taken():
    held = "4jZ3dX3fdjzP0Dt: hold: header Subject: x from unknown[1.2.3.4]; from=<a@b>"
    events = read(line("cleanup", held))
    assert events.accepted[0]["queue_id"] == "4jZ3dX3fdjzP0Dt"
    assert events.held == [{"at": ISO, "queue_id": "4jZ3dX3fdjzP0Dt", "is_held": True}]
    gone = "4jZ3dX3fdjzP0Dt: milter-discard: END-OF-MESSAGE from unknown[1.2.3.4]: x; from=<a@b>"
    assert read(line("cleanup", gone)).withdrawn == [
        {"queue_id": "4jZ3dX3fdjzP0Dt", "kind": "discarded"}
    ]


def test_what_an_administrator_holds_and_releases_is_noted():
    texts = ("4jZ3dX3fdjzP0Dt: placed on hold", "4jZ3dX3fdjzP0Dt: released from hold")
    events = read(*(line("postsuper", text) for text in (*texts, "Placed on hold: 1 message")))
    assert [one["is_held"] for one in events.held] == [True, False]
    assert read(*(line("smtpd", text) for text in texts)).held == []


def test_what_an_administrator_removes_from_the_queue_is_noted():
    removed = read(line("postsuper", "4jZ3dX3fdjzP0Dt: removed")).removed
    assert [one["queue_id"] for one in removed] == ["4jZ3dX3fdjzP0Dt"]
    assert read(line("qmgr", "4jZ3dX3fdjzP0Dt: removed")).removed == [], "it was delivered"
    assert read(line("postsuper", "Deleted: 1 message")).removed == []


def test_what_another_program_says_of_mail_is_not_believed():
    events = read(line("", OUT), line("imap", "hej"))
    assert events.deliveries == []


_programs = st.sampled_from(
    ["smtp", "qmgr", "cleanup", "smtpd", "pickup", "postsuper", "dovecot", "lmtp", ""]
)
_texts = st.one_of(
    st.text(max_size=80),
    st.text(max_size=40).map(lambda text: OUT.replace("invanare", text)),
    st.text(max_size=40).map(lambda text: f"NOQUEUE: reject: RCPT from x[1]: 550 {text}"),
)


@given(_programs, _texts)
def test_no_line_breaks_the_reader(program, text):
    events = read(line(program, text))
    assert all(len(event["reason"]) <= 130 for event in events.refused)
