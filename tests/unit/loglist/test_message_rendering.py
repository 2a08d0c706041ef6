"""What a page shows of a message: the text that its sender meant, and nothing that acts."""

import re
from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.loglist.message import rendering

from .hostile_messages import HTML, MIME, html_message, nested

LETTER = b"""\
From: =?utf-8?q?=C3=85sa_Ek?= <asa@omvarlden.example>\r
To: ks@sjovalla.example\r
Date: Tue, 24 Nov 2026 10:05:00 +0100\r
Subject: =?iso-8859-1?q?Bygglov_f=F6r_altan?=\r
Content-Type: multipart/mixed; boundary="yttre"\r
\r
Inledning som ingen ser\r
--yttre\r
Content-Type: multipart/alternative; boundary=inre\r
\r
--inre\r
Content-Type: text/plain; charset=iso-8859-1\r
Content-Transfer-Encoding: quoted-printable\r
\r
Hej p=E5 er!\r
\r
\tVi vill bygga =\r
en altan.\r
--inre\r
Content-Type: text/html\r
\r
<p>Hej i HTML</p>\r
--inre--\r
--yttre\r
Content-Type: application/pdf; name="ritning.pdf"\r
Content-Transfer-Encoding: base64\r
Content-Disposition: attachment; filename*=utf-8''ritning%20%C3%B6ver%20altan.pdf\r
\r
JVBERi0x\r
--yttre\r
Content-Type: message/rfc822\r
\r
Subject: Inlagt brev\r
\r
Text i brevet\r
--yttre--\r
Efterord\r
"""


# What these hold is text, or where a link leads: the page escapes it like all text.
TOLD_AS_TEXT = {
    "entities", "written out", "cdata", "processing", "split script", "data link", "nul in a tag",
    "other charset declared", "javascript link", "javascript link in disguise",
}  # fmt: skip


def everything(letter):
    return "\n".join(
        [*letter.headers.values(), letter.text, *(one.name for one in letter.attachments)]
    )


def test_a_letter_is_shown_as_its_sender_meant_it():
    letter = rendering.read(LETTER)
    assert letter.headers == {
        "from": "Åsa Ek <asa@omvarlden.example>",
        "to": "ks@sjovalla.example",
        "date": "2026-11-24 10:05:00",
        "subject": "Bygglov för altan",
    }
    assert letter.text == "Hej på er!\n\n    Vi vill bygga en altan."
    assert (letter.is_from_html, letter.has_html, letter.is_whole) == (False, True, True)
    assert [(one.number, one.name, one.kind, one.size) for one in letter.attachments] == [
        (1, "ritning över altan.pdf", "application/pdf", 6),
        (2, "", "message/rfc822", 37),
    ]


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("Mon, 29 Jun 2026 23:30:00 -0700 (PDT)", "2026-06-30 08:30:00"),
        ("29 Jun 26 06:30 GMT", "2026-06-29 08:30:00"),
        ("Mon, 29 Jun 2026 23:30:00 -0000", "Mon, 29 Jun 2026 23:30:00 -0000"),  # of no zone
        ("Fri, 31 Dec 9999 23:59:59 -1200", "Fri, 31 Dec 9999 23:59:59 -1200"),
        ("i går kväll", "i går kväll"),
        ("", ""),
    ],
)
def test_a_date_is_written_as_swedes_do_or_as_it_stands(written, shown):
    raw = LETTER.replace(b"Tue, 24 Nov 2026 10:05:00 +0100", written.encode())
    assert rendering.read(raw).headers["date"] == shown


@given(st.binary(max_size=60).filter(lambda text: not set(text) & set(b"\r\n")))
def test_no_date_breaks_the_page(written):
    raw = LETTER.replace(b"Tue, 24 Nov 2026 10:05:00 +0100", written)
    assert rendering.read(raw).text


def test_an_attachment_comes_out_as_it_was():
    assert rendering.attachment(LETTER, 1) == ("ritning över altan.pdf", b"%PDF-1")
    assert rendering.attachment(LETTER, 2) == ("", b"Subject: Inlagt brev\r\n\r\nText i brevet")
    assert [rendering.attachment(LETTER, number) for number in (0, 3, -1)] == [None] * 3


def test_without_plain_text_the_html_is_shown_as_text_with_where_its_links_lead():
    letter = rendering.read(
        html_message(
            "<h1>Kallelse</h1><p>Möte <b>kl 9</b>.<br>Se <a href='https://x.example/a'>här</a>, "
            "skriv till <a href='mailto:ks@x.example'>ks@x.example</a>.</p>"
            "<ul><li>Altan<li>Garage</ul><table><tr><td>Sal</td><td>B</td></tr></table>"
            "<img src='https://x.example/logo' alt='Sjövalla kommun'>"
        )
    )
    assert letter.is_from_html
    assert letter.text == (
        "Kallelse\n\nMöte kl 9.\nSe här <https://x.example/a>, skriv till ks@x.example.\n\n"
        "• Altan\n• Garage\n\nSal  B\n\n[Sjövalla kommun]"
    )


def test_an_empty_plain_text_gives_way_to_the_html():
    raw = LETTER.replace(b"Hej p=E5 er!", b"").replace(b"\tVi vill bygga =\r\nen altan.", b"")
    assert rendering.read(raw).text == "Hej i HTML"


@pytest.mark.parametrize(
    ("html", "shown"),
    [
        ("<html><body>Varning</body></html><html><body><p>Hej</body></html>", "Varning\nHej"),
        ("<p>Hej</p></BODY ></HTML\n><p>Sidfot</p>", "Hej\n\nSidfot"),
        ("<p>Betala</p><svg><text>till</text></svg><p>oss</p>", "Betala\ntill\noss"),
        ("<svg><p>Hej</p>", "Hej"),
        ("<object data=x><p>Hej</p></object>", "Hej"),
        ("<svg><style>a{}</style><title>b</title>Hej</svg>", "Hej"),
        ("<pre>Namn: Åsa\nÄrende:  altan</pre> och\nmer", "Namn: Åsa\nÄrende:  altan\noch mer"),
    ],
)
def test_all_that_a_mail_program_shows_is_shown(html, shown):
    assert rendering.read(html_message(html)).text == shown


@pytest.mark.parametrize("blank", ["\u00a0\r\n", "\u200b \ufeff", "\u2007"])
def test_a_plain_text_in_which_nothing_is_seen_gives_way_to_the_html(blank):
    raw = LETTER.replace(b"\tVi vill bygga =\r\nen altan.", b"")
    raw = raw.replace(b"iso-8859-1\r", b"utf-8\r").replace(b"quoted-printable", b"8bit")
    raw = raw.replace(b"Hej p=E5 er!", blank.encode())
    assert rendering.read(raw).text == "Hej i HTML"


@pytest.mark.parametrize("how", ["base64 (RFC 2045)", "base64;", '"base64"', "Base64 ;x", "BASE64"])
def test_how_a_part_is_encoded_may_be_said_with_more_words(how):
    raw = b"Content-Transfer-Encoding: " + how.encode() + b"\r\n\r\nSGVq\r\n"
    assert rendering.read(raw).text == "Hej"


@pytest.mark.parametrize("name", HTML)
def test_hostile_html_becomes_text(name):
    letter = rendering.read(html_message(HTML[name]))
    assert len(letter.text) <= 8 * rendering.MAX_TEXT
    if name not in ("split script", "other target"):
        assert "Hej" in letter.text
    if name not in TOLD_AS_TEXT:
        assert "alert" not in letter.text
    if name != "other target":
        assert "spion" not in letter.text


def test_a_link_tells_where_it_really_leads():
    letter = rendering.read(html_message(HTML["other target"]))
    assert letter.text == "https://bank.example/ <https://bank.spion.example/>"


@pytest.mark.parametrize("name", MIME)
def test_broken_and_hostile_mime_is_read_within_bounds(name):
    letter = rendering.read(MIME[name])
    assert len(everything(letter)) <= 10 * rendering.MAX_TEXT
    assert len(letter.attachments) <= 500
    assert not set("\0\x1b\x07\u202e\u2066\r") & set(everything(letter))
    everything(letter).encode("utf-8")
    if name in ("no boundary", "no part", "no end", "only line feeds", "no type", "nested",
                "no charset known", "charset that is none", "utf-16", "no headers",
                "boundary within itself", "unknown encoding", "turned around"):  # fmt: skip
        assert "Hej" in letter.text


@pytest.mark.parametrize("name", ["nested too deep", "many parts", "one line of 20 MB"])
def test_what_is_left_out_is_told(name):
    assert not rendering.read(MIME[name]).is_whole


def test_a_name_for_a_file_holds_no_line_end():
    (one,) = rendering.read(MIME["name with line ends"]).attachments
    assert not re.search(r"[\r\n]", one.name)


def test_ten_levels_are_read_and_the_eleventh_is_told():
    assert rendering.read(nested(10)).is_whole
    assert not rendering.read(nested(11)).is_whole


def test_base64_that_was_encoded_piece_by_piece_is_shown_to_its_end():
    pieces = [b64encode(piece.encode()) for piece in ("Hej på er,", "vi vill", " bygga ", "altan.")]
    for between in (b"", b"\r\n"):
        raw = b"Content-Transfer-Encoding: base64\r\n\r\n" + between.join(pieces)
        assert rendering.read(raw).text == "Hej på er,vi vill bygga altan."


@pytest.mark.parametrize("received", ["", "Received: by mail.sjovalla.example\n", "X: y\r\n"])
def test_a_message_whose_lines_end_with_cr_alone_is_shown(received):
    """As Postfix keeps it: what it writes above ends with LF."""
    raw = received.encode() + LETTER.replace(b"\r\n", b"\r")
    letter = rendering.read(raw)
    assert letter.headers["subject"] == "Bygglov för altan"
    assert letter.text == "Hej på er!\n\n    Vi vill bygga en altan."
    assert [found.name for found in letter.attachments] == ["ritning över altan.pdf", ""]
    assert rendering.attachment(raw, 1)[1] == b"%PDF-1"


def test_a_cr_alone_in_a_message_with_lines_of_its_own_makes_no_header():
    letter = rendering.read(b"Subject: Ett\rFrom: chefen@sjovalla.example\r\n\r\nText\r\n")
    assert "from" not in letter.headers
    assert letter.text == "Text"
