"""Postfix's own words are understood: accepted, delivered, held back, returned, refused."""

from compliance.probes.postfix_journal import Delivery, Trail

ACCEPTED = [
    "4dGkq31FQwz2xKs: client=outside.example[10.77.1.3]",
    "4dGkq31FQwz2xKs: message-id=<run.external.1@omvarlden.example>",
    "4dGkq31FQwz2xKs: from=<a@omvarlden.example>, size=1411, nrcpt=1 (queue active)",
]


def trail(*lines: str) -> Trail:
    made = Trail()
    made.read(lines)
    return made


def test_a_letter_in_the_queue_is_accepted_once():
    made = trail(*ACCEPTED, ACCEPTED[2])
    assert list(made.accepted) == ["4dGkq31FQwz2xKs"]
    assert made.queue_ids == {"<run.external.1@omvarlden.example>": "4dGkq31FQwz2xKs"}


def test_a_letter_that_the_milter_refused_at_its_end_is_not_accepted():
    made = trail(
        *ACCEPTED[:2],
        "4dGkq31FQwz2xKs: milter-reject: END-OF-MESSAGE from outside.example[10.77.1.3]: "
        "4.7.1 Service unavailable - try again later; from=<a@omvarlden.example> "
        "to=<per@sjovalla.example> proto=ESMTP helo=<outside.example>",
    )
    assert not made.accepted
    refusal = made.rejection("per@sjovalla.example")
    assert refusal.reply == "4.7.1 Service unavailable - try again later"


def test_the_last_attempt_counts_and_keeps_its_reason():
    message_id = "<run.external.1@omvarlden.example>"
    made = trail(
        *ACCEPTED,
        "4dGkq31FQwz2xKs: to=<per@sjovalla.example>, relay=none, delay=0.1, "
        "delays=0.1/0/0/0, dsn=4.4.1, status=deferred (connect to mail.sjovalla.example"
        "[private/dovecot-lmtp]: Connection refused)",
    )
    assert made.delivery(message_id, "Per@sjovalla.example") == Delivery(
        "per@sjovalla.example",
        "deferred",
        "connect to mail.sjovalla.example[private/dovecot-lmtp]: Connection refused",
    )
    made.read(
        [
            "4dGkq31FQwz2xKs: to=<per@sjovalla.example>, relay=mail[private/dovecot-lmtp], "
            "delay=61, delays=60/0/0/1, dsn=2.0.0, status=sent (250 2.0.0 <per> kQ Saved)"
        ]
    )
    assert made.delivery(message_id, "per@sjovalla.example").status == "sent"


def test_an_alias_is_known_by_what_the_sender_wrote():
    made = trail(
        *ACCEPTED,
        "4dGkq31FQwz2xKs: to=<per@sjovalla.example>, orig_to=<P.Klint@sjovalla.example>, "
        "relay=mail[private/dovecot-lmtp], delay=1, dsn=2.0.0, status=sent (250 2.0.0 ok)",
    )
    assert made.recipients("4dGkq31FQwz2xKs") == ("p.klint@sjovalla.example",)


def test_a_refused_recipient_is_told_by_the_reply():
    made = trail(
        "NOQUEUE: reject: RCPT from outside.example[10.77.1.3]: 550 5.1.1 <x@sjovalla.example>: "
        "Recipient address rejected: User unknown in virtual mailbox table; "
        "from=<a@omvarlden.example> to=<x@sjovalla.example> proto=ESMTP helo=<outside.example>"
    )
    assert made.rejection("x@sjovalla.example").reply.startswith("550 5.1.1")
    assert made.rejection("y@sjovalla.example") is None


def test_a_milter_that_is_away_refuses_everybody():
    made = trail(
        "NOQUEUE: milter-reject: CONNECT from outside.example[10.77.1.3]: "
        "451 4.7.1 Service unavailable - try again later; proto=SMTP"
    )
    assert made.rejection("anyone@sjovalla.example").reply.startswith("451 4.7.1")


def test_what_a_stranger_was_refused_before_any_recipient_is_not_ours():
    made = trail(
        "NOQUEUE: reject: CONNECT from spam.example[203.0.113.9]: 554 5.7.1 blocked; proto=SMTP"
    )
    assert made.rejection("anyone@sjovalla.example") is None
