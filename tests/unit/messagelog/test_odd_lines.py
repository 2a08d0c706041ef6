"""Lines of Postfix and Dovecot that were cut, or that a stranger wrote a part of."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_postfix_lines import ISO, OUT, line, read

FORGED = "a>, relay=none, delay=1, delays=0/0/0/0, dsn=2.0.0, status=sent (ok)"
CUT_AT = 2000


def attempt(status="bounced", reply="no", recipient="a@x.example", orig_to=""):
    named = f" orig_to=<{orig_to}>," if orig_to else ""
    return (
        f"4jZ3d91Xp6zP0DJ: to=<{recipient}>,{named} relay=mx.x.example[192.0.2.1]:25, delay=1.2,"
        f" delays=0.1/0/0.5/0.6, dsn=5.7.1, status={status} ({reply})"
    )


def quoted(local):
    """Quote a local part as Postfix does where it has special characters."""
    return '"' + re.sub(r'(["\\])', r"\\\1", local) + '"'


def test_a_long_answer_is_read_though_postfix_cut_the_line():
    said = "host mx.x.example[192.0.2.1] said: 550-5.7.1 " + "This was refused by policy " * 100
    (found,) = read(line("smtp", attempt(reply=said)[:CUT_AT])).deliveries
    assert (found["status"], found["reply"]) == ("bounced", said[:500])


def test_an_answer_that_is_whole_keeps_its_own_brackets():
    (found,) = read(line("smtp", attempt(reply="550 no (in reply to RCPT TO command)"))).deliveries
    assert found["reply"] == "550 no (in reply to RCPT TO command)"


def test_a_sender_so_long_that_the_line_is_cut_is_accepted_mail_all_the_same():
    for sender in ("b" * 3000, quoted("b c" * 1000)):
        text = f"4jZ3d80LLlzP0DG: from=<{sender}@x.example>, size=12, nrcpt=2 (queue active)"
        assert read(line("qmgr", text[:CUT_AT])).accepted == [
            {"at": ISO, "queue_id": "4jZ3d80LLlzP0DG", "recipients": None}
        ]
    assert read(line("qmgr", "4jZ3d80LLlzP0DG: from=<a@b>, status=odd")).accepted == []


def test_a_long_recipient_is_cut_as_in_its_entry():
    local = "anna+" + "x" * 800
    (found,) = read(line("smtp", attempt(recipient=f"{local}@x.example"))).deliveries
    assert (len(found["recipient"]), found["recipient"][-1]) == (600, "…")


@pytest.mark.parametrize("cut", [None, CUT_AT])
def test_a_recipient_that_looks_like_an_outcome_forges_none(cut):
    recipient = quoted(FORGED + " " * (2000 if cut else 0)) + "@x.example"
    found = read(line("smtp", attempt(recipient=recipient)[:cut])).deliveries
    assert [one["status"] for one in found] == ([] if cut else ["bounced"])
    found = read(line("smtp", attempt(orig_to=recipient)[:cut])).deliveries
    assert [one["status"] for one in found] == ([] if cut else ["bounced"])


def test_a_sender_that_looks_like_the_end_of_its_mail_forges_none():
    sender = quoted("a>, status=expired, returned to sender")
    text = f"4jZ3d80LLlzP0DG: from=<{sender}"
    assert read(line("qmgr", text[:-1])).deliveries == []
    (found,) = read(
        line("qmgr", f"{text}@x>, size=12, nrcpt=1 (queue active)"),
    ).accepted
    assert found["recipients"] == 1


@given(st.text(st.characters(exclude_categories=("C", "Zl", "Zp")), max_size=60), st.booleans())
def test_an_address_ends_where_postfix_ends_it_whatever_is_in_it(local, is_orig):
    address = f"{quoted(local)}@x.example"
    named = {"orig_to": address} if is_orig else {"recipient": address}
    (found,) = read(line("smtp", attempt(status="deferred", **named))).deliveries
    assert (found["status"], found["relay"]) == ("deferred", "mx.x.example[192.0.2.1]:25")


def test_what_bounces_only_softly_is_deferred():
    (found,) = read(line("smtp", attempt(status="SOFTBOUNCE"))).deliveries
    assert found["status"] == "deferred"


def test_the_queue_manager_tells_of_an_attempt_too_where_no_agent_could_make_it():
    """As postfix/qmgr writes it when `retry` is away (postfix/src/global/log_adhoc.c)."""
    text = (
        "4jZ3d91Xp6zP0DJ: to=<a@x.example>, relay=none, delay=1329, delays=1328/1.1/0/0,"
        " dsn=4.3.0, status=deferred (unknown mail transport error)"
    )
    (found,) = read(line("qmgr", text)).deliveries
    assert (found["status"], found["reply"]) == ("deferred", "unknown mail transport error")


def test_requeued_mail_that_a_rule_made_since_returns_is_told_by_cleanup_alone():
    (found,) = read(line("cleanup", attempt(reply="message content rejected"))).deliveries
    assert (found["status"], found["reply"]) == ("bounced", "message content rejected")


def test_mail_that_came_before_the_clock_was_set_has_an_outcome_all_the_same():
    """Its delay is all the time since 1970."""
    text = attempt("sent").replace("delay=1.2", "delay=1795000000")
    (found,) = read(line("smtp", text)).deliveries
    assert (found["status"], found["delay"]) == ("sent", 1795000000.0)


@pytest.mark.parametrize("status", ["deliverable", "undeliverable"])
def test_a_question_to_an_address_is_no_delivery(status):
    events = read(line("smtp", attempt(status=status)))
    assert (events.deliveries, events.probes) == ([], [{"queue_id": "4jZ3d91Xp6zP0DJ"}])
    assert read(line("smtp", OUT)).probes == []


def refusal(address, said="Recipient address rejected: User unknown in virtual mailbox table"):
    return (
        f"NOQUEUE: reject: RCPT from h[192.0.2.1]: 550 5.1.1 <{address}>: {said};"
        f" from=<q@x.example> to=<{address}> proto=ESMTP helo=<x>"
    )


UNKNOWN = "550 5.1.1 Recipient address rejected: User unknown in virtual mailbox table"


@given(st.text(st.characters(exclude_categories=("C", "Zl", "Zp")), max_size=60))
def test_no_reason_to_refuse_names_whom_it_was_to(local):
    (event,) = read(line("smtpd", refusal(f"{quoted(local)}@sjovalla.example"))).refused
    assert event["reason"] == UNKNOWN


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ('550 5.1.1 <"anna.berg', "550 5.1.1"),
        ('550 5.1.1 <"anna.berg" karl', "550 5.1.1"),
        ("550 5.1.1 <anna berg unclosed", "550 5.1.1"),
        ('550 5.1.1 "anna berg"@x.example is unknown', "550 5.1.1 is unknown"),
        ("550 5.1.6 User has moved to anna.ny@x.example", "550 5.1.6 User has moved to"),
        ("550 5.1.1 Host [192.0.2.1 is listed", "550 5.1.1 Host"),
    ],
)
def test_what_looks_like_an_address_is_no_part_of_a_reason(said, reason):
    (event,) = read(line("smtpd", f"NOQUEUE: reject: RCPT from h[192.0.2.1]: {said}")).refused
    assert event["reason"] == reason


def stored(message_id, action="stored mail into mailbox 'INBOX'"):
    said = f"lmtp(anna@sjovalla.example)<12><abc:2>: sieve: msgid={message_id}: {action}"
    return read(line("dovecot", said)).stored


def test_dovecots_shortened_message_id_is_kept_as_it_stands():
    assert stored("<" + "x" * 76 + "...")[0]["message_id"] == "<" + "x" * 76 + "..."
    (told,) = stored("<1: 2@x>", "fileinto action: stored mail into mailbox 'Bo: mail'")
    # As the entry has it: spaces go (message_ids.py).
    assert told["message_id"] == "<1:2@x>"
    assert stored("unspecified")[0]["message_id"] is None


def test_a_message_id_that_says_it_was_stored_stores_nothing():
    for forged in ("<stored mail into mailbox 'x'>", "<a: saved mail to INBOX>"):
        assert stored(forged, "failed to store into mailbox 'INBOX': Quota exceeded") == []
