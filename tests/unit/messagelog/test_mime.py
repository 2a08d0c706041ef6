"""Which files a message carries, however its sender wrote it down."""

import itertools
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from compliance.messagelog import mime
from compliance.messagelog.mime import MAX_LINES, MAX_NAME, Scanner, parameters


def scan(body, content_type=b'multipart/mixed; boundary="b1"', disposition=b"", size=65_535):
    scanner = Scanner()
    scanner.begin(content_type, disposition)
    for start in range(0, len(body), size):
        scanner.feed(body[start : start + size])
    found = scanner.end()
    return found.count, found.names


def cut_at(body, cuts):
    scanner = Scanner()
    scanner.begin(b'multipart/mixed; boundary="b1"', b"")
    places = [0, *sorted(cuts), len(body)]
    for start, end in itertools.pairwise(places):
        scanner.feed(body[start:end])
    found = scanner.end()
    return found.count, found.names


def part(disposition="", content_type="application/pdf", boundary="b1"):
    head = f"Content-Type: {content_type}\r\n"
    if disposition:
        head += f"Content-Disposition: {disposition}\r\n"
    return f"--{boundary}\r\n{head}\r\ncontent\r\n".encode()


def file(name, **place):
    return part(f'attachment; filename="{name}"', **place)


TEXT = part(content_type="text/plain; charset=utf-8")
END = b"--b1--\r\n"


def test_a_letter_with_two_files():
    body = b"preamble\r\n" + TEXT + file("Ansökan.pdf") + file("karta.png") + END
    assert scan(body) == (2, ["Ansökan.pdf", "karta.png"])


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 65_535])
def test_where_the_chunks_are_cut_makes_no_difference(size):
    body = TEXT + file("a.pdf") + b"filler --b1 \r\n --b1\r\n" * 40 + file("b.pdf") + END
    assert scan(body, size=size) == (2, ["a.pdf", "b.pdf"])


def test_parts_within_parts_are_found():
    inner = file("logga.png", boundary="b2") + part(boundary="b2", content_type="text/html")
    nested = part(content_type="multipart/related; boundary=b2") + b"\r\n" + inner + b"--b2--\r\n"
    assert scan(nested + file("bilaga.docx") + END) == (2, ["logga.png", "bilaga.docx"])


def test_a_boundary_that_begins_as_another_is_told_from_it():
    inner = file("a.pdf", boundary="b12") + b"--b12--\r\n"
    body = part(content_type="multipart/mixed; boundary=b12") + inner + file("b.pdf") + END
    assert scan(body) == (2, ["a.pdf", "b.pdf"])


def test_a_longer_boundary_is_told_though_the_chunk_ends_within_it():
    body = part(content_type="multipart/mixed; boundary=b12") + file("a.pdf", boundary="b12") + END
    for cut in range(len(body)):
        assert cut_at(body, [cut]) == (1, ["a.pdf"])


def test_multiparts_one_after_the_other_are_all_looked_into():
    body = b""
    for number in range(15):
        body += part(content_type=f"multipart/mixed; boundary=i{number}")
        body += file(f"{number}.pdf", boundary=f"i{number}") + f"--i{number}--\r\n".encode()
    assert scan(body + END)[0] == 15
    # Also those whose end their program forgot.
    assert scan(re.sub(rb"--i\d+--\r\n", b"", body) + END)[0] == 15


def test_what_stands_behind_the_end_is_no_part():
    inner = part(content_type="multipart/mixed; boundary=b2") + file("a.pdf", boundary="b2")
    epilogue = b"--b2--\r\n" + file("no.pdf", boundary="b2")
    assert scan(inner + epilogue + file("b.pdf") + END + file("no.pdf")) == (2, ["a.pdf", "b.pdf"])


@pytest.mark.parametrize(
    ("written", "boundary"),
    [
        (b'"b\xe51"', b"b\xe51"),
        ('"a\u030a"'.encode(), "a\u030a".encode()),
        (b'" b1"', b" b1"),
        (b'"b 1"', b"b 1"),
        (b'"b1  "', b"b1"),
        (b'"b\\"1"', b'b"1'),
        (b'"=?utf-8?q?x?="', b"=?utf-8?q?x?="),
        (b"=?utf-8?q?x?=", b"=?utf-8?q?x?="),
        (b"b1 (comment)", b"b1"),
        (b"b1 ; charset=utf-8", b"b1"),
        (b"=_(1)", b"=_(1)"),
    ],
)
def test_a_boundary_is_taken_as_it_stands(written, boundary):
    body = file("a.pdf").replace(b"--b1", b"--" + boundary)
    assert scan(body, b"multipart/mixed; boundary=" + written) == (1, ["a.pdf"])


def test_a_boundary_in_pieces_is_joined():
    pieces = b"multipart/mixed; boundary*0=b; boundary*1*=%31"
    assert scan(file("a.pdf"), pieces) == (1, ["a.pdf"])


def test_in_a_digest_a_part_is_a_message_unless_it_says_otherwise():
    body = b"--b1\r\n\r\nSubject: a\r\n\r\nx\r\n--b1\r\n\r\nSubject: b\r\n\r\n" + TEXT + END
    assert scan(body, b"multipart/digest; boundary=b1") == (2, [])
    assert scan(body) == (0, [])


def test_a_forwarded_message_is_one_attachment_whatever_it_carries():
    inner = b"Content-Type: multipart/mixed; boundary=b2\r\n\r\n" + file("x.pdf", boundary="b2")
    body = b"--b1\r\nContent-Type: message/rfc822\r\n\r\n" + inner + END
    assert scan(body) == (1, [])


def test_a_scan_that_nobody_named_is_an_attachment():
    assert scan(TEXT + part() + part("inline", "image/jpeg") + END) == (2, [])
    assert scan(b"JVBERi0=\r\n", b"application/pdf") == (1, [])


@pytest.mark.parametrize(
    ("within", "kind"),
    [
        ("related", "image/png"),
        ("signed", "application/pgp-signature"),
        ("encrypted", "application/pgp-encrypted"),
        ("report", "application/x-report"),
        ("alternative", "application/rtf"),
    ],
)
def test_what_belongs_to_the_text_is_none(within, kind):
    body = TEXT + part(content_type=kind) + END
    assert scan(body, f"multipart/{within}; boundary=b1".encode()) == (0, [])


def test_a_message_that_is_a_file_itself():
    assert scan(b"JVBERi0=\r\n", b'application/pdf; name="faktura.pdf"') == (1, ["faktura.pdf"])
    assert scan(b"x", b"text/plain") == (0, [])
    assert scan(b"x", b"", b"attachment") == (1, [])


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"--b1\r\n" + b"Content-Disposition: attachment", (1, [])),  # cut off in the head
        (b"--b1", (0, [])),
        (b"--b1\r\n\r\n--b1\r\n\r\n" + file("a.pdf"), (1, ["a.pdf"])),  # parts without a head
        (b"--b1\r\nX: y\r\n" + file("a.pdf"), (1, ["a.pdf"])),  # a head that no empty line ends
        (file("a.pdf").replace(b"\r\n", b"\n"), (1, ["a.pdf"])),
        (b"--b1 \t\r\n" + file("a.pdf")[6:], (1, ["a.pdf"])),
        (b"x--b1\r\n" + file("a.pdf")[6:], (0, [])),
        (b"--b1x\r\n" + file("a.pdf")[6:], (0, [])),
        (part("ATTACHMENT; FileName=A.PDF"), (1, ["A.PDF"])),
        (
            part("attachment;\r\n filename*0=prot;\r\n\tfilename*1=okoll.pdf"),
            (1, ["protokoll.pdf"]),
        ),
        (part("inline", 'image/png; name="bild.png"'), (1, ["bild.png"])),
        (part("inline", "text/plain"), (0, [])),
        (part("attachment (c)"), (1, [])),
        (part('"attachment"'), (1, [])),
        (part(content_type="message/global"), (1, [])),
        (part(content_type="message/rfc822 (forwarded)"), (1, [])),
        (part('attachment; filename="a\r\n\tb.pdf"'), (1, ["a b.pdf"])),
        (b"--b1" + b" " * 1_000 + file("a.pdf")[4:], (1, ["a.pdf"])),
        (b"--b1\r\nno header at all\r\n\r\n", (0, [])),
        (b"--b1\r\n: \r\ncontent-disposition : attachment\r\n\r\n", (1, [])),
    ],
)
def test_careless_and_broken_structure(body, expected):
    assert scan(body) == expected


@pytest.mark.parametrize("content_type", [b"multipart/mixed", b"multipart/mixed; boundary=", b";"])
def test_a_multipart_without_a_boundary_has_no_parts(content_type):
    assert scan(file("a.pdf"), content_type) == (0, [])


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('a; filename="Bygglov.pdf"', "Bygglov.pdf"),
        ("a; filename=Bygglov ritning.pdf", "Bygglov ritning.pdf"),
        ("a; filename*=UTF-8''%C3%85rsredovisning.pdf", "Årsredovisning.pdf"),
        ("a; filename*=iso-8859-1'sv'%C5rsredovisning.pdf", "Årsredovisning.pdf"),
        ("a; filename=arsredovisning.pdf; filename*=utf-8''%C3%85.pdf", "Å.pdf"),
        ("a; filename*0*=utf-8''%C3%85rs; filename*1=redo; filename*2*=v.pdf", "Årsredov.pdf"),
        ("a; filename*1=b.pdf; filename*0=a", "ab.pdf"),
        # A character cut in two between the pieces.
        ("a; filename*0*=utf-8''%C3; filename*1*=%85.pdf", "Å.pdf"),
        ('a; filename*0="=?utf-8?q?=C3=85?="; filename*1=".pdf"', "Å.pdf"),
        ('a; filename*0="=?utf-8?q?=C3=85"; filename*1="rs?=.pdf"', "Års.pdf"),
        ('a; filename="=?utf-8?q?=C3=85rsredovisning.pdf?="', "Årsredovisning.pdf"),
        ('a; filename="=?UTF-8?B?w4U=?= =?UTF-8?B?LnBkZg==?="', "Å.pdf"),
        ("a; filename==?iso-8859-1?Q?=C5.pdf?=", "Å.pdf"),
        ("a; filename==?utf-8?Q?f=C3=B6r?=\r\n =?utf-8?Q?slag.pdf?=; size=1", "förslag.pdf"),
        ("a; filename==?utf-8?Q?f=C3=B6r slag.pdf?=", "för slag.pdf"),
        ("a; filename==?utf-8?Q?f=C3=B6r;_slag.pdf?=; size=1", "för; slag.pdf"),
        ("a; filename==?utf-8?Q?f=C3=B6r; size=1; filename=b.pdf", "=?utf-8?Q?f=C3=B6r"),
        ("a; filename*=utf-8''%ZZ.pdf", "%ZZ.pdf"),
        ("a; filename*=nonsense''%C3%85.pdf", "Å.pdf"),
        ("a; filename*=%C3%85.pdf", "Å.pdf"),
        ("a; filename*=utf-8'%C3%85.pdf", "utf-8'Å.pdf"),
        ('a; filename="sagt \\"ja\\".pdf"', 'sagt "ja".pdf'),
        ('a; filename="öppet.pdf', "öppet.pdf"),
        ('a; filename="semi;kolon.pdf"; size=1', "semi;kolon.pdf"),
        ('a; filename="rad\r\n bruten.pdf"', "rad bruten.pdf"),
        ('a; filename="faktura\u202efdp.exe"', "fakturafdp.exe"),
        ('a; filename="a\x00b\x1b.pdf"', "a b .pdf"),
        ("a; FILENAME = x.pdf", "x.pdf"),
        ('a; filename=""', ""),
        ("a; filename*99999=x", None),
        ("filename=x.pdf", None),
    ],
)
def test_file_names_read_as_a_person_would_read_them(text, name):
    assert parameters(text).get("filename") == name


def test_what_strangers_make_us_keep_and_do_is_bounded():
    count, names = scan(file("x" * 5_000) * 3_000)
    assert count == 1_000
    assert len(names) == 100
    assert {len(name) for name in names} == {MAX_NAME}
    endless = b"--b1\r\nContent-Disposition: attachment;" + b" filename=a;" * 100_000
    assert scan(endless)[0] == 1


class Counted(bytes):
    """A body that counts how many of its bytes are looked at or copied."""

    work = 0

    def __radd__(self, before):
        Counted.work += len(before) + len(self)
        return Counted(bytes(before) + bytes(self))

    def find(self, wanted, start=0, end=None):
        stop = len(self) if end is None else min(end, len(self))
        place = super().find(wanted, start, stop)
        Counted.work += (stop if place < 0 else place + len(wanted)) - min(start, stop)
        return place

    def __getitem__(self, key):
        found = super().__getitem__(key)
        Counted.work += len(found)
        return found


class CountedSearch:
    """The end of a head, looked for with each byte counted."""

    def __init__(self, pattern):
        self._pattern = pattern

    def search(self, data, start, end):
        found = self._pattern.search(data, start, end)
        Counted.work += (found.end() if found else min(end, len(data))) - start
        return found


NESTED = b"".join(
    b"--b%d\r\nContent-Type: multipart/mixed; boundary=b%d\r\n\r\n" % (number, number + 1)
    for number in range(1, 10)
)


@pytest.mark.parametrize(
    "body",
    [
        b"\n--b1x" * 9_000,
        b"\n--b1x\n\n" * 9_000,
        b"\n--b1" * 900,
        b"\n--b1\nX: y" * 9_000,
        b"\n--b1\n" + b"\n--b1x" * 9_000,
        NESTED + b"\n--b1--" * 9_000,
        NESTED + b"\n--b1x\n\n" * 9_000,
        NESTED + b"\n--b10" * 9_000,
        NESTED + b"\n--b" * 20_000,
        NESTED + b"x" * 200_000,
        b"\r\n" * 50_000,
        b"--b1" + b" " * 100_000,
        b"--b1\r\n" + b"\r" * 100_000,
    ],
    ids=range(13),
)
def test_the_work_grows_with_the_body_and_no_faster(body, monkeypatch):
    monkeypatch.setattr(mime, "_HEAD_END", CountedSearch(mime._HEAD_END))
    Counted.work = 0
    scanner = Scanner()
    scanner.begin(b"multipart/mixed; boundary=b1", b"")
    for start in range(0, len(body), 65_535):
        scanner.feed(Counted(body[start : start + 65_535]))
    scanner.end()
    open_at_most = 10
    assert Counted.work <= (open_at_most + 5) * (len(body) + 20_000)


def test_lines_that_only_begin_as_a_delimiter_are_looked_at_so_often_and_no_more():
    scanner = Scanner()
    scanner.begin(b"multipart/mixed; boundary=b1", b"")
    scanner.feed(b"\n--b1x" * (MAX_LINES + 1_000) + b"\r\n" + file("a.pdf"))
    assert scanner.end().count == 0
    assert scanner.lines == MAX_LINES


_pieces = st.sampled_from(
    [
        *(b"--b1", b"--b1--", b"\r\n", b"\n", b"\r", b"\r\n\r\n", b":", b";", b"=", b'"', b"*0*="),
        *(b"Content-Type: ", b"Content-Disposition: attachment", b"; filename", b"utf-8''%C3"),
        *(b"multipart/mixed; boundary=b2", b"--b2", b"message/rfc822", b"\\", b"%", b"'", b"?="),
        *(b"=?utf-8?q?", b"\n--b12\r\n", b"multipart/digest; boundary=b12", b"\n--b1--\n"),
    ]
)
_bodies = st.lists(st.one_of(_pieces, st.binary(max_size=12)), max_size=60).map(b"".join)


@given(_bodies, st.integers(1, 40), st.one_of(st.just(b"multipart/x; boundary=b1"), _bodies))
def test_any_bytes_are_read_alike_in_chunks_of_any_size(body, size, content_type):
    count, names = scan(body, content_type, size=size)
    assert (count, names) == scan(body, content_type)
    assert len(names) <= count
    for name in names:
        assert not set(name) & set("\x00\r\n\u2028\u202e")
        name.encode("utf-8")


@given(_bodies, st.lists(st.integers(0, 800), max_size=8))
@example(part(content_type="multipart/mixed; boundary=b12") + file("a.pdf", boundary="b12"), [60])
def test_any_body_cut_anywhere_is_read_as_if_whole(body, cuts):
    assert cut_at(body, cuts) == scan(body)


@given(st.text(max_size=300))
def test_any_text_gives_parameters(text):
    for value in parameters(text).values():
        assert "\n" not in value


@given(st.text(alphabet=st.characters(categories=["L", "N"]), min_size=1, max_size=40))
def test_a_name_written_by_the_rules_comes_back(name):
    import unicodedata
    from urllib.parse import quote

    expected = unicodedata.normalize("NFC", name)
    extended = f"attachment; filename*=utf-8''{quote(name, safe='')}"
    assert parameters(extended)["filename"] == expected
