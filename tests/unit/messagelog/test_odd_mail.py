"""Mail as the world really sends it: each oddity gives one whole entry that a person can read.

The letters are written for this test after things that mail servers meet; nobody wrote them.
"""

import unicodedata
from datetime import UTC, datetime

import pytest

from compliance.messagelog.addresses import of_envelope
from compliance.messagelog.capture import Capture, Origin

RECIPIENT = "registrator@sjovalla.example"


class NoDirectory:
    def is_function(self, address):
        return False

    def unit_of(self, address):
        return None

    def addresses_of(self, login):
        return frozenset()


def read(head, body=b"", sender=b"<a@omvarlden.example>", spam_header=""):
    """Judge one letter as the milter would; return its entry."""
    capture = Capture(
        host="mail.sjovalla.example",
        domain="sjovalla.example",
        probe_key=b"k" * 32,
        directory=NoDirectory(),
        clock=lambda: datetime(2026, 11, 24, tzinfo=UTC),
        spam_header=spam_header,
    )
    message = capture.begin(of_envelope(sender))
    message.add_recipient(of_envelope(f"<{RECIPIENT}>".encode()))
    for line in head:
        name, _, value = line.partition(b":")
        message.add_header(name.decode("latin-1"), value.lstrip(b" "))
    message.add_body(body)
    origin = Origin("public", None)
    capture.judge(message, origin)
    (entry,) = capture.entries(message, origin, "4ZrX2b0Yk1z1", is_probe=False)
    return entry


ODDITIES = {
    "no headers at all": [],
    "an empty subject": [b"Subject:"],
    "a subject of spaces and folds": [b"Subject: \r\n \r\n\t\r\n "],
    "a header name without colon": [b"Subject"],
    "a header name with a space": [b"Subject : Hej"],
    "three subjects": [b"Subject: a", b"SUBJECT: b", b"subject: =?utf-8?q?c?="],
    "raw utf-8": ["Subject: Överklagande från Åsa".encode()],
    "raw latin-1": ["Subject: Överklagande från Åsa".encode("latin-1")],
    "utf-8 cut in a character": ["Subject: Överklagande från Å".encode()[:-1]],
    "utf-8 encoded twice": ["Subject: Överklagande".encode().decode("latin-1").encode()],
    "a word in a charset that nobody knows": [b"Subject: =?unknown-8bit?Q?=D6?="],
    "a word that says utf-8 and is latin-1": [b"Subject: =?utf-8?Q?=D6verklagande?="],
    "a word without an end": [b"Subject: =?utf-8?B?w5Z2ZXJr"],
    "a word cut by a fold": [b"Subject: =?utf-8?Q?=C3\r\n =96?="],
    "base64 without padding": [b"Subject: =?utf-8?B?w5Y?="],
    "a null byte": [b"Subject: a\x00b"],
    "escape sequences of a terminal": [b"Subject: \x1b]0;x\x07\x1b[2J"],
    "text turned around": ["Subject: \u202egpj.exe".encode()],
    "only emoji": ["Subject: \U0001f600\U0001f468\u200d\U0001f469".encode()],
    "a lone surrogate in utf-8": [b"Subject: \xed\xa0\x80"],
    "html": [b"Subject: <script>alert(1)</script>"],
    "sql": [b"Subject: '; DROP TABLE log.entry; --"],
    "a formula": [b"Subject: =HYPERLINK(1)"],
    "a From without address": [b"From: Kommunen"],
    "an empty From": [b"From: <>"],
    "a From with two addresses": [b"From: a@x.example, b@x.example"],
    "a From with a quote that never ends": [b'From: "a <a@x.example>'],
    "a From in a group": [b"From: undisclosed: a@x.example;"],
    "a From with a comment": [b"From: (hej) a@x.example (d\xe5)"],
    "a From of an Exchange account": [b"From: IMCEAEX-_O=ORG_OU=X_CN=A@x.example"],
    "a From of a literal domain": [b"From: a@[192.0.2.1]"],
    "a Message-ID without brackets": [b"Message-ID: abc"],
    "a Message-ID of 8-bit": [b"Message-ID: <\xe5@x>"],
    "References that are none": [b"References: <<>< >", b"In-Reply-To: \xe5\x00<\n>"],
    "References of megabytes": [b"References: " + b"<1@x.example> <" * 100_000],
    "a thousand References": [b"References: <%d@x.example>" % number for number in range(1_000)],
    "two Message-IDs": [b"Message-ID: <1@x>", b"Message-ID: <2@x>"],
    "a Content-Type of nothing": [b"Content-Type: ;;;=;"],
    "a boundary of nothing": [b'Content-Type: multipart/mixed; boundary=""'],
    "a boundary of spaces": [b'Content-Type: multipart/mixed; boundary="   "'],
    "a boundary of 8-bit": [b'Content-Type: multipart/mixed; boundary="\xe5"'],
    "a boundary that ends all parts": [b'Content-Type: multipart/mixed; boundary="--"'],
    "a Content-Type twice": [b"Content-Type: text/plain", b"Content-Type: multipart/x; boundary=b"],
    "a disposition of nothing": [b"Content-Disposition: ;filename"],
    "a file name over many lines": [
        b"Content-Disposition: attachment;\r\n filename*0*=utf-8''%C3;\r\n filename*1*=%85"
    ],
    "a forged verdict": [b"X-Spam: no", b"X-Kommunpost-Probe: verified"],
    "a header of megabytes": [b"Subject: " + b"=?utf-8?q?=C3=A5?= " * 50_000],
    "a thousand subjects": [b"Subject: x"] * 1_000,
}
BODIES = {
    "nothing": b"",
    "text": b"hej\r\n",
    "delimiters": b"--b\r\n--b\r\n--b--\r\n----\r\n--\r\n-- \r\n" * 20,
    "nulls": bytes(1_000),
    "a head without an end": b"--b\r\nContent-Type: multipart/mixed; boundary=" + b"c" * 70_000,
    "parts in parts in parts": b"".join(
        b"--b%s\r\nContent-Type: multipart/mixed; boundary=b%d\r\n\r\n" % (number, n + 1)
        for n, number in enumerate([b"", *(b"%d" % n for n in range(1, 200))])
    ),
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
@pytest.mark.parametrize("head", ODDITIES.values(), ids=ODDITIES)
def test_an_oddity_neither_breaks_nor_blanks_the_entry(head, body):
    entry = read(head, body)
    assert (entry.recipient, entry.envelope_sender) == (RECIPIENT, "a@omvarlden.example")
    assert entry.queue_id == "4ZrX2b0Yk1z1"
    for text in (entry.subject, entry.from_text, entry.from_address, entry.message_id):
        text.encode("utf-8")
        assert not any(unicodedata.category(letter) in {"Cc", "Cs", "Zl", "Zp"} for letter in text)
    assert entry.attachment_names is not None
    assert entry.references is not None
    assert entry.attachments >= 0


@pytest.mark.parametrize(
    ("oddity", "subject"),
    [
        ("a header name with a space", "Hej"),
        ("three subjects", "a | b | c"),
        ("raw latin-1", "Överklagande från Åsa"),
        ("a word in a charset that nobody knows", "Ö"),
        ("a word that says utf-8 and is latin-1", "Överklagande"),
        ("a word without an end", "=?utf-8?B?w5Z2ZXJr"),
        ("a null byte", "a b"),
        ("text turned around", "gpj.exe"),
        ("sql", "'; DROP TABLE log.entry; --"),
    ],
)
def test_an_odd_subject_reads_as_well_as_it_can(oddity, subject):
    assert read(ODDITIES[oddity]).subject == subject


def test_a_subject_that_is_not_all_kept_says_so():
    assert read([b"Subject: a", b"Subject: " + b"b" * 140_000]).subject.endswith("bb…")
    assert read([b"Subject: " + b"b" * 70_000]).subject == "b" * 70_000


def test_a_sender_that_is_all_one_encoded_word_is_found_by_its_address():
    entry = read([b"From: =?utf-8?B?w4VrZSA8YWtlQGIuZXhhbXBsZT4=?="])
    assert (entry.from_address, entry.from_text) == ("ake@b.example", "Åke <ake@b.example>")


def test_only_the_own_filter_is_believed_and_only_if_it_is_named():
    head = [b"X-Spamd-Result: default: False [0.10 / 15.00]"]
    assert read(head).spam_verdict is None
    own = read(head, spam_header="X-Spamd-Result")
    assert own.spam_verdict == "default: False [0.10 / 15.00]"
    assert read(head * 2, spam_header="X-Spamd-Result").spam_verdict is None
    assert read([], spam_header="X-Spamd-Result").spam_verdict is None


def test_attachments_stand_in_the_entry():
    head = [b"Content-Type: multipart/mixed;\r\n\tboundary=b"]
    body = b"--b\r\nContent-Disposition: attachment; filename*=utf-8''%C3%85.pdf\r\n\r\nx\r\n--b--"
    entry = read(head, body)
    assert (entry.attachments, entry.attachment_names) == (1, "Å.pdf")
    assert read([b"Subject: x"], b"hej").attachments == 0
