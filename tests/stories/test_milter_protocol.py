"""What the log's milter understands of Postfix: odd letters in one session, each logged as it was.

`tests/unit/messagelog/test_milter.py` speaks to the milter in Postfix's stead; here Postfix does.
"""

import json
import smtplib
import uuid
from collections import defaultdict

import pytest

# A body comes in parts of this size (MILTER_CHUNK_SIZE).
PART = 65_535

LINE = b"x" * 76 + b"\r\n"


def _body(size: int) -> bytes:
    """A body of exactly so many bytes, in lines."""
    lines = LINE * (size // len(LINE))
    rest = size - len(lines)
    return lines if not rest else lines + b"y" * max(rest - 2, 0) + b"\r\n"


ODD = {
    "no subject at all": (b"", b"hej\r\n", ""),
    "an empty subject": (b"Subject:\r\n", b"hej\r\n", ""),
    "nothing after the header": (b"Subject: tomt\r\n", b"", "tomt"),
    "no space after the colon": (b"Subject:tajt\r\n", b"hej\r\n", "tajt"),
    "a tab and a space before the text": (b"Subject: \t inryckt\r\n", b"hej\r\n", "inryckt"),
    "a space before the colon": (b"Subject : glest\r\n", b"hej\r\n", "glest"),
    "folded over lines": (b"Subject: ett\r\n\ttv\xc3\xa5\r\n tre\r\n", b"hej\r\n", "ett två tre"),
    "raw bytes": (b"Subject: r\xe4ksm\xf6rg\xe5s\r\n", b"hej\r\n", "räksmörgås"),
    "lines of dots": (b"Subject: punkter\r\n", b".\r\n..\r\n...\r\n", "punkter"),
    "a last line without end": (b"Subject: slut\r\n", b"hej", "slut"),
    "a body of one part": (b"Subject: en del\r\n", _body(PART), "en del"),
    "a body of one part and a byte more": (b"Subject: del\r\n", _body(PART + 3), "del"),
    "a body of five parts": (b"Subject: fem\r\n", _body(5 * PART + 17), "fem"),
    "five million bytes": (b"Subject: stort\r\n", _body(5_000_000), "stort"),
    "three hundred header fields": (
        b"".join(b"X-Rad-%d: %d\r\n" % (n, n) for n in range(300)) + b"Subject: rader\r\n",
        b"hej\r\n",
        "rader",
    ),
    "a header field of 60,000 bytes": (
        b"X-Lang: " + b"a" * 900 + b"\r\n" + b" b" * 450 * 64 + b"\r\nSubject: efter\r\n",
        b"hej\r\n",
        "efter",
    ),
}


@pytest.fixture(scope="module")
def mx(world):
    """One session with the MX for all letters, as a mailing program keeps it."""
    with _dial(world) as made:
        yield made


def _dial(world) -> smtplib.SMTP:
    where = world.service("mx")
    return smtplib.SMTP(where["address"], where["port"], "klient.omvarlden.example", timeout=60)


def _send(mx, sender, recipients, header: bytes, body: bytes) -> str:
    """Send bytes as they are; return the Message-ID."""
    message_id = f"<{uuid.uuid4()}@omvarlden.example>"
    head = (
        f"From: {sender}\r\nDate: Sun, 29 Nov 2026 14:00:00 +0100\r\nMessage-ID: {message_id}\r\n"
    )
    mx.ehlo_or_helo_if_needed()
    assert mx.mail(sender)[0] == 250
    for recipient in recipients:
        assert mx.rcpt(recipient)[0] == 250
    assert mx.data(head.encode() + header + b"\r\n" + body)[0] == 250
    return message_id


@pytest.fixture(scope="module")
def logged(world, mx, rows, kommunpost):
    """Send every odd letter; return the rows of each."""
    reader = world.colleagues(1)[0].address
    sent = {
        _send(mx, world.outsider.address, [reader], header, body): what
        for what, (header, body, _) in ODD.items()
    }
    rows(list(sent)[-1])  # the log keeps their order, so the others stand there by then
    found = defaultdict(list)
    for line in kommunpost("log", "export", "--format", "jsonl").stdout.splitlines():
        row = json.loads(line)
        if row["message_id"] in sent:
            found[sent[row["message_id"]]].append(row)
    return found


@pytest.mark.parametrize("what", ODD)
def test_an_odd_letter_is_logged_as_it_was(logged, what):
    _, _, subject = ODD[what]
    (row,) = logged[what]
    assert row["subject"] == subject
    assert row["direction"] == "in"


def test_the_size_is_that_of_the_letter_as_sent(logged):
    own = ("a body of one part", "a body of one part and a byte more", "a body of five parts")
    others = {
        what: logged[what][0]["size"] - len(ODD[what][0]) - len(ODD[what][1])
        for what in (*own, "nothing after the header", "five million bytes", "lines of dots")
    }
    assert len(set(others.values())) == 1, others  # From, Date, Message-ID: as long in each


def test_a_letter_that_is_given_up_leaves_no_trace_in_the_next(world, mx, rows):
    one, other = (person.address for person in world.colleagues(2))
    assert mx.mail(world.outsider.address)[0] == 250
    assert mx.rcpt(one)[0] == 250
    assert mx.rset()[0] == 250
    message_id = _send(mx, world.outsider.address, [other], b"Subject: kvar\r\n", b"hej\r\n")
    (row,) = rows(message_id)
    assert row["recipient"] == other


def test_each_of_many_recipients_has_its_row(world, mx, rows):
    people = [person.address for person in world.colleagues(12)]
    message_id = _send(mx, world.outsider.address, people, b"Subject: alla\r\n", b"hej\r\n")
    assert sorted(row["recipient"] for row in rows(message_id)) == sorted(people)
    assert {row["subject"] for row in rows(message_id)} == {"alla"}


def test_a_session_that_breaks_off_in_a_letter_logs_nothing(world, kommunpost, rows):
    reader = world.colleagues(1)[0].address
    smtp = _dial(world)
    smtp.ehlo()
    smtp.mail(world.outsider.address)
    smtp.rcpt(reader)
    smtp.docmd("DATA")
    smtp.send(b"Subject: avbrutet\r\n\r\nhej\r\n")
    smtp.close()
    with _dial(world) as after:
        whole = _send(after, world.outsider.address, [reader], b"Subject: helt\r\n", b"hej\r\n")
    assert len(rows(whole)) == 1  # in the order of the log, so the other would stand there by now
    found = kommunpost("log", "search", "--part", "avbrutet", "--json")
    assert (found.returncode, found.stdout) == (0, "")
