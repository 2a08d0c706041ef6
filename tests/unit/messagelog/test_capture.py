"""What the milter decides: entries, direction, probes, and who may send as whom."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance import probe_token
from compliance.messagelog import capture as module
from compliance.messagelog.capture import Capture, Message, Origin

NOW = datetime(2026, 11, 24, 9, 5, 0, 120, tzinfo=UTC)
KEY = b"k" * 32
ANNA = "anna.astrom@sjovalla.example"
BO = "bo.berg@sjovalla.example"
BOARD = "namnden@sjovalla.example"
OUTSIDER = "medborgare@omvarlden.example"

KS = "kommunstyrelsen@sjovalla.example"
REGISTRY = "registrator@sjovalla.example"
FUNCTIONS = {KS, REGISTRY}

OUTSIDE = Origin("public", None)
AS_ANNA = Origin("public", ANNA)
LOCAL = Origin("local", None)


class FakeDirectory:
    def __init__(self, units, own=None):
        self.units, self.own = units, own

    def unit_of(self, address):
        return self.units.get(address.lower().replace("+sent", ""))

    def is_function(self, address):
        return address.lower() in FUNCTIONS

    def addresses_of(self, login, sender):
        return None if self.own is None else self.own.get((login, sender), frozenset())


@pytest.fixture
def directory():
    anna = frozenset({ANNA, "anna@sjovalla.example"})
    own = {(ANNA, ANNA): anna, (ANNA, BOARD): anna | {BOARD}, (ANNA, BO): anna}
    return FakeDirectory({ANNA: "bun", BO: "ks", "gammal@alias.example": "ks"}, own)


@pytest.fixture
def capture(directory):
    return Capture(
        host="mail.sjovalla.example",
        domain="sjovalla.example",
        probe_key=KEY,
        directory=directory,
        clock=lambda: NOW,
    )


def message(sender=OUTSIDER, recipients=(ANNA,), **headers):
    made = Message(sender)
    for recipient in recipients:
        made.add_recipient(recipient)
    for name, value in headers.items():
        made.add_header(name.replace("_", "-"), value)
    return made


def entries(capture, note, origin=OUTSIDE, is_probe=False):
    return capture.entries(note, origin, "4ZrX2b0Yk1z1", is_probe=is_probe)


def test_one_entry_per_envelope_recipient_hidden_copies_too(capture):
    note = message(
        recipients=[ANNA, BO, "ANNA.astrom@sjovalla.example"],
        From=b"=?utf-8?q?=C3=85ke?= <medborgare@omvarlden.example>",
        To=ANNA.encode(),
        Subject=b"=?iso-8859-1?q?Bygglov_f=F6r?=\n =?iso-8859-1?q?_altan?=",
        Message_ID=b"<1@omvarlden.example>",
        References=b"<0@sjovalla.example>\n <9@omvarlden.example>",
        In_Reply_To=b"<9@omvarlden.example>",
    )
    first, second = entries(capture, note)
    assert (first.recipient, second.recipient) == (ANNA, BO)
    assert (first.recipient_unit, second.recipient_unit) == ("bun", "ks")
    assert first.subject == "Bygglov för altan"
    assert first.subject_raw == b"=?iso-8859-1?q?Bygglov_f=F6r?=\n =?iso-8859-1?q?_altan?="
    assert first.from_address == OUTSIDER
    assert first.from_text == "Åke <medborgare@omvarlden.example>"
    assert first.message_id == "<1@omvarlden.example>"
    assert first.references == "<0@sjovalla.example>\n<9@omvarlden.example>"
    assert (first.accepted_at, first.queue_id, first.label) == (NOW, "4ZrX2b0Yk1z1", None)


def test_a_message_without_headers_has_an_empty_subject(capture):
    (only,) = entries(capture, message())
    assert (only.subject, only.from_text, only.message_id) == ("", "", "")


def test_several_subjects_are_all_read(capture):
    note = message(Subject=b"Ett")
    note.add_header("SUBJECT", b"Tv\xe5")
    assert entries(capture, note)[0].subject == "Ett | Två"


def test_the_size_counts_header_and_body_with_line_ends_of_two_bytes():
    note = Message(OUTSIDER)
    note.add_header("Subject", b"a\n b")
    note.size += len(b"body\r\n")
    assert note.size == len(b"Subject: a\r\n b\r\n" + b"\r\n" + b"body\r\n")


@pytest.mark.parametrize(
    ("origin", "sender", "recipient", "direction", "sender_unit"),
    [
        (OUTSIDE, OUTSIDER, ANNA, "in", None),
        (AS_ANNA, ANNA, BO, "internal", "bun"),
        (AS_ANNA, ANNA, OUTSIDER, "out", "bun"),
        (AS_ANNA, ANNA, "Bo.Berg@Sjovalla.Example", "internal", "bun"),
        (AS_ANNA, ANNA, "gammal@alias.example", "internal", "bun"),
        (AS_ANNA, "anna@sjovalla.example", BO, "internal", "bun"),
        (LOCAL, "", OUTSIDER, "out", None),  # a bounce
        (LOCAL, OUTSIDER, OUTSIDER, "out", None),  # redirected by a filter
        (LOCAL, ANNA, BO, "internal", "bun"),  # an absence note
        (LOCAL, ANNA, "root@mail.sjovalla.example", "internal", "bun"),  # the host's own name
        (LOCAL, ANNA, "anna@sjovalla.example.", "internal", "bun"),
        (LOCAL, ANNA, "postmaster", "internal", "bun"),
        (LOCAL, ANNA, "nobody%sjovalla.example", "internal", "bun"),
        # Who claims to be a colleague from outside is not inside, and belongs to no unit.
        (OUTSIDE, ANNA, BO, "in", None),
        (Origin("private", None), ANNA, BO, "in", None),
    ],
)
def test_direction_goes_by_who_hands_it_in(
    capture, origin, sender, recipient, direction, sender_unit
):
    (only,) = entries(capture, message(sender, [recipient]), origin)
    assert (only.direction, only.sender_unit) == (direction, sender_unit)


def test_what_a_mailbox_answers_by_itself_is_its_units(capture):
    """An answer has no envelope sender (RFC 3834); a bounce is from nobody here."""
    answer = message("", (OUTSIDER,), From=f"<{BO}>".encode())
    (entry,) = entries(capture, answer, LOCAL)
    assert (entry.direction, entry.sender_unit) == ("out", "ks")
    bounce = message("", (OUTSIDER,), From=b"MAILER-DAEMON@mail.sjovalla.example")
    assert entries(capture, bounce, LOCAL)[0].sender_unit is None
    assert entries(capture, answer, OUTSIDE)[0].sender_unit is None


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("192.0.2.1", "private"),  # documentation, not routed
        ("10.1.2.3", "private"),
        ("9.9.9.9", "public"),
        ("127.0.0.1", "loopback"),
        ("::1", "loopback"),
        ("fd00::1", "private"),
        ("2620:fe::fe", "public"),
        ("", "local"),
        ("/run/socket", "local"),
    ],
)
def test_only_the_class_of_the_client_is_kept(address, expected):
    assert module.client_class(address) == expected


@pytest.mark.parametrize(
    "sender",
    [
        ANNA,
        f"Anna Åström <{ANNA}>",
        "ANNA@sjovalla.example",
        "anna+projekt@sjovalla.example",
        f'"Anna Åström, {ANNA}" <{ANNA}>',
        f"Åström, Anna <{ANNA}>",
        f"{ANNA} (Anna Åström)",
    ],
)
def test_a_login_may_send_as_its_own_addresses(capture, sender):
    assert capture.judge(message(ANNA, From=sender.encode()), AS_ANNA).reply is None


@pytest.mark.parametrize(
    "sender",
    [
        BO,
        f"Anna <{BO}>",
        f"{ANNA}, {BO}",
        f"{BO} <{ANNA}>",
        f'"{BO}" <{ANNA}>',
        f"=?utf-8?q?{BO.replace('@', '=40')}?= <{ANNA}>",
        f"<{BO}> <{ANNA}>",
        f"({BO}) <{ANNA}",
        f"({BO}) <{ANNA}>",
        f"{ANNA} ({BO})",
        f"{BO}: {ANNA};",
        f"=?utf-8?q?{BO.replace('@', '=40')}?=, Anna <{ANNA}>",
        f'"{BO}", Anna <{ANNA}>',
        # What Postfix would strip of an envelope address, a mail program may show.
        f"<@bo.example:{ANNA}>",
        f"<{ANNA} ({BO})>",
        f"<({BO}) {ANNA}>",
        f"<{ANNA}.>",
        f"undisclosed: {BO};",
        "Kommunchefen",
        "",
    ],
)
def test_a_login_may_not_send_as_another(capture, sender):
    assert capture.judge(message(ANNA, From=sender.encode()), AS_ANNA).reply == module.NOT_YOURS


@pytest.mark.parametrize("sender", [BOARD, f"Nämnden <{BOARD}>", ANNA])
def test_a_login_may_send_as_a_mailbox_that_it_sends_for(capture, sender):
    assert capture.judge(message(BOARD, From=sender.encode()), AS_ANNA).reply is None


def test_the_envelope_too_must_be_that_mailboxs_so_that_a_copy_is_kept(capture):
    note = message(ANNA, From=BOARD.encode())
    assert capture.judge(note, AS_ANNA).reply == module.NOT_YOURS


@pytest.mark.parametrize("sender", [BO, f"Bo <{BO}>", f"<{ANNA}", f"{ANNA}, {BO}"])
def test_a_sender_header_names_no_other_either(capture, sender):
    note = message(ANNA, From=ANNA.encode(), Sender=sender.encode())
    assert capture.judge(note, AS_ANNA).reply == module.NOT_YOURS
    note = message(ANNA, From=ANNA.encode(), Sender=ANNA.encode())
    assert capture.judge(note, AS_ANNA).reply is None


def test_a_second_from_header_does_not_get_by(capture):
    note = message(ANNA, From=ANNA.encode())
    note.add_header("from ", BO.encode())
    assert capture.judge(note, AS_ANNA).reply == module.NOT_YOURS


def test_a_from_header_too_long_to_keep_does_not_get_by(capture):
    note = message(ANNA, From=ANNA.encode())
    note.add_header("From", BO.encode() + b" " * 200_000)
    assert capture.judge(note, AS_ANNA).reply == module.NOT_YOURS


def test_a_login_without_from_or_sender_is_refused(capture):
    assert capture.judge(message(ANNA), AS_ANNA).reply == module.NOT_YOURS
    assert capture.judge(message("", From=ANNA.encode()), AS_ANNA).reply == module.NULL_SENDER


def test_while_the_directory_is_unknown_only_the_login_itself_passes(capture, directory):
    directory.own = None
    assert capture.judge(message(ANNA, From=ANNA.encode()), AS_ANNA).reply is None
    note = message(ANNA, From=b"anna@sjovalla.example")
    assert capture.judge(note, AS_ANNA).reply == module.NOT_KNOWN_YET


def test_mail_without_login_may_say_what_it_likes(capture):
    assert capture.judge(message(From=BO.encode()), OUTSIDE).reply is None


def token(sender=OUTSIDER, recipient=ANNA, expires=None):
    expires = expires if expires is not None else int(NOW.timestamp()) + 60
    value = probe_token.sign(KEY, run="r1", sender=sender, recipient=recipient, expires=expires)
    return value.encode()


def test_a_probe_is_known_by_its_token_and_labelled(capture):
    note = message(X_Kommunpost_Probe_Token=token())
    assert capture.judge(note, OUTSIDE).is_probe
    assert entries(capture, note, is_probe=True)[0].label == "probe"


@pytest.mark.parametrize(
    "note",
    [
        message(),
        message(X_Kommunpost_Probe=b"verified"),
        message(X_Kommunpost_Probe_Token=b"v1 r1 1 00"),
        message(X_Kommunpost_Probe_Token=b"\xff\x00"),
        message(X_Kommunpost_Probe_Token=token(expires=1)),
        message(recipients=[BO], X_Kommunpost_Probe_Token=token()),
        message(recipients=[ANNA, BO], X_Kommunpost_Probe_Token=token()),
        message("other@omvarlden.example", X_Kommunpost_Probe_Token=token()),
    ],
)
def test_nothing_else_is_a_probe(capture, note):
    assert not capture.judge(note, OUTSIDE).is_probe


def test_two_tokens_are_none(capture):
    note = message(X_Kommunpost_Probe_Token=token())
    note.add_header("X-Kommunpost-Probe-Token", token())
    assert not capture.judge(note, OUTSIDE).is_probe


def test_forged_verdicts_are_counted_however_they_are_written():
    note = message(X_Kommunpost_Probe=b"verified")
    note.add_header("x-kommunpost-PROBE ", b"verified")
    assert note.forged_verdicts == 2


def test_of_a_subject_too_long_to_keep_the_beginning_is_kept(capture):
    written = b"x" + "Bygglov för altan ".encode() + "ö".encode() * 70_000
    (only,) = entries(capture, message(Subject=written))
    assert only.subject.startswith("xBygglov för altan öö")
    assert written.startswith(only.subject_raw)
    assert 131_069 <= len(only.subject_raw) <= 131_072
    later = message(Subject=b"a" * 131_070)
    later.add_header("Subject", b"Ett till")
    assert entries(capture, later)[0].subject_raw == b"a" * 131_070 + b"\nEt"


def test_two_spellings_of_a_recipient_are_two_as_in_postfixs_log(capture):
    note = message(recipients=[ANNA, ANNA + ".", ANNA.upper()])
    assert [entry.recipient for entry in entries(capture, note)] == [ANNA, ANNA + "."]


def test_what_strangers_make_us_keep_is_bounded(capture):
    note = message("a" * 5000 + "@x", recipients=["b" * 5000 + "@x"], Message_ID=b"c" * 5000)
    for _ in range(50):
        note.add_header("Subject", b"d" * 50_000)
        note.add_header("From", b"e" * 50_000)
    (only,) = entries(capture, note)
    assert len(only.envelope_sender) == len(only.recipient) == len(only.message_id) == 600
    assert len(only.subject) < 200_000
    assert len(only.from_text) <= 2000


_header = st.tuples(
    st.sampled_from(["Subject", "From", "Message-ID", "X-Kommunpost-Probe-Token", "To", "X\x00"]),
    st.binary(max_size=80),
)


@given(st.binary(max_size=30), st.lists(st.binary(max_size=30)), st.lists(_header, max_size=8))
def test_hostile_mail_is_judged_and_logged(sender, recipients, headers):
    capture = Capture(host="h", domain="d", probe_key=KEY, directory=FakeDirectory({}))
    note = Message(module.addresses.of_envelope(sender))
    for recipient in recipients:
        note.add_recipient(module.addresses.of_envelope(recipient))
    for name, value in headers:
        note.add_header(name, value)
    made = []
    for origin in (OUTSIDE, AS_ANNA, LOCAL):
        capture.judge(note, origin)
        made += entries(capture, note, origin)
    assert len(made) == 3 * len(note.recipients)
    for entry in made:
        assert "\x00" not in entry.subject + entry.recipient + entry.from_text + entry.message_id


@pytest.mark.parametrize(
    ("sender", "recipients", "origin", "author", "is_archived"),
    [
        (OUTSIDER, [REGISTRY], OUTSIDE, OUTSIDER, True),
        (OUTSIDER, [ANNA, KS.upper()], OUTSIDE, OUTSIDER, True),
        (KS, [OUTSIDER], AS_ANNA, KS, True),
        (ANNA, [BO], AS_ANNA, KS, True),
        ("", [REGISTRY], LOCAL, "", True),  # what comes back to a function mailbox
        (OUTSIDER, [ANNA], OUTSIDE, OUTSIDER, False),
        (ANNA, [OUTSIDER, BO], AS_ANNA, ANNA, False),
        (KS, [ANNA], OUTSIDE, KS, False),  # a stranger's word for it
    ],
)
def test_what_is_to_or_from_a_function_mailbox_is_archived(
    capture, sender, recipients, origin, author, is_archived
):
    note = message(sender, recipients, From=author.encode())
    archived = capture.archive_recipient(note, origin)
    assert archived == (f"archive+{NOW.date()}@archive.invalid" if is_archived else None)


@pytest.mark.parametrize("origin", [OUTSIDE, AS_ANNA, LOCAL])
@pytest.mark.parametrize(
    "written",
    [
        b"<archive+2026-11-24@Archive.invalid>",
        b"<archive+2026-11-24@archive.invalid.>",
        b"<archive+2026-11-24%archive.invalid>",
        b"<archive.invalid!archive+2026-11-24>",
        b"<@r.example:archive+2026-11-24@archive.invalid>",
        b'<"archive+2026-11-24"@archive.invalid>',
        b'<"archive+2026-11-24@archive.invalid">',
        b"<archive+2026-11-24@archive\\.invalid>",
        b"<archive+2026-11-24@archive.invalid(x)>",
    ],
)
def test_nobody_writes_to_the_archive(capture, origin, written):
    recipient = module.addresses.of_envelope(written)
    note = message(ANNA, [BO, recipient], From=ANNA.encode())
    assert capture.judge(note, origin).reply.code == "550"
