"""Which files a message carries, however its sender wrote it down."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.messagelog.mime import MAX_NAME, Scanner, parameters


def scan(body, content_type=b'multipart/mixed; boundary="b1"', disposition=b"", size=65_535):
    scanner = Scanner()
    scanner.begin(content_type, disposition)
    for start in range(0, len(body), size):
        scanner.feed(body[start : start + size])
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


def test_a_forwarded_message_is_one_attachment_whatever_it_carries():
    inner = b"Content-Type: multipart/mixed; boundary=b2\r\n\r\n" + file("x.pdf", boundary="b2")
    body = b"--b1\r\nContent-Type: message/rfc822\r\n\r\n" + inner + END
    assert scan(body) == (1, [])


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
        ('a; filename="=?utf-8?q?=C3=85rsredovisning.pdf?="', "Årsredovisning.pdf"),
        ('a; filename="=?UTF-8?B?w4U=?= =?UTF-8?B?LnBkZg==?="', "Å.pdf"),
        ("a; filename==?iso-8859-1?Q?=C5.pdf?=", "Å.pdf"),
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


_pieces = st.sampled_from(
    [
        *(b"--b1", b"--b1--", b"\r\n", b"\n", b"\r", b"\r\n\r\n", b":", b";", b"=", b'"', b"*0*="),
        *(b"Content-Type: ", b"Content-Disposition: attachment", b"; filename", b"utf-8''%C3"),
        *(b"multipart/mixed; boundary=b2", b"--b2", b"message/rfc822", b"\\", b"%", b"'", b"?="),
        b"=?utf-8?q?",
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
