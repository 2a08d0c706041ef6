"""Subjects as they come from the world: each reads as a person would read it, none breaks us."""

import base64
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from compliance.messagelog.text import readable


def b64(text, charset):
    return f"=?{charset}?B?{base64.b64encode(text.encode(charset)).decode()}?=".encode()


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"", ""),
        (b" Bygglov for altan ", "Bygglov for altan"),
        (b"=?ISO-8859-1?Q?Bygglov_f=F6r_altan?=", "Bygglov för altan"),
        (b"=?utf-8?B?QnlnZ2xvdiBmw7ZyIGFsdGFu?=", "Bygglov för altan"),
        (b"Re: =?utf-8?q?=C3=85rsta?= park", "Re: Årsta park"),
        (b"=?utf-8?q?a?=\r\n =?utf-8?q?b?=", "ab"),
        (b"=?utf-8?q?a?= x =?utf-8?q?b?=", "a x b"),
        # A character split between two words, as careless programs do.
        (b"=?utf-8?B?w6XD?= =?utf-8?B?pMO2?=", "åäö"),
        (b"=?utf-8?Q?=C3?=\r\n\t=?UTF-8?Q?=A5?=", "å"),
        (b"=?iso-8859-1?q?=E5?= =?utf-8?q?=C3=A4?=", "åä"),
        (b"=?iso-8859-1*sv?q?=E5?=", "å"),
        (b"=?us-ascii?q?=80_5=95?=", "€ 5•"),
        (b"=?x-nonsense?q?=C3=A5?=", "å"),
        (b"=?x-nonsense?q?=E5?=", "å"),
        (b"=?base64?q?abc?=", "abc"),
        (b"=?unicode_escape?q?=5Cx41?=", "\\x41"),
        (b"=?utf-8?B?w6U?=", "å"),
        (b"=?utf-8?B?w6U=!!?=", "å"),
        (b"=?utf-8?B?w?=", ""),
        (b"=?utf-8?q?=ZZ?=", "=ZZ"),
        (b"=?utf-8?q?broken", "=?utf-8?q?broken"),
        (b"=?utf-8?x?abc?=", "=?utf-8?x?abc?="),
        (b"=?utf-8?q?two words?=", "two words"),
        ("Förskoleplats".encode(), "Förskoleplats"),
        ("Förskoleplats".encode("latin-1"), "Förskoleplats"),
        (b"\x81\x8d", "\ufffd\ufffd"),
        (b"a\x00b\x07c\x1b[31m", "a b c [31m"),
        (b"first\r\n second\n\tthird", "first second third"),
        (b"no fold\r\nBcc: x@y", "no fold  Bcc: x@y"),
        ("faktura\u202efdp.exe".encode(), "fakturafdp.exe"),
        ("a\u2028b".encode(), "a b"),
        (b"\xed\xa0\x80", "í\xa0€"),
        ("a\u030a".encode(), "å"),
        (b"=?utf-7?q?+2AA-?=", "\ufffd"),
    ],
)
def test_reads_as_a_person_would_read_it(raw, expected):
    assert readable(raw) == expected


@pytest.mark.parametrize(
    ("charset", "text"),
    [
        ("iso-8859-15", "Kostnad 5 €"),
        ("windows-1252", "”Bråttom” – svar önskas"),
        ("koi8-r", "Заявление"),
        ("windows-1256", "طلب"),
        ("iso-2022-jp", "会議の件"),
        ("gb2312", "会议通知"),
        ("ks_c_5601-1987", "회의"),
        ("shift_jis", "会議"),
        ("big5", "會議"),
        ("iso-8859-8", "פגישה"),
    ],
)
def test_charsets_of_the_world(charset, text):
    assert readable(b64(text, charset)) == text


def test_a_subject_of_64_kilobytes_is_kept_whole():
    text = "Yttrande över detaljplan " * 2600
    word = b64("å" * 30, "utf-8")
    assert readable(text.encode()) == text.strip()
    assert readable(b"\r\n ".join([word] * 800)) == "å" * 24_000


def assert_safe(text):
    assert "\x00" not in text
    text.encode("utf-8")
    assert not any(unicodedata.category(character) in {"Cc", "Cs"} for character in text)
    assert not set(text) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


@given(st.binary(max_size=300))
@example(b"=?utf-16?b?2AA=?=")
@example(b"=?utf-8?B?====?=")
@example(b"=?cp037?q?=00=01?=")
def test_any_bytes_give_a_safe_string(raw):
    assert_safe(readable(raw))


_words = st.builds(
    lambda charset, encoding, content: b"=?%b?%b?%b?=" % (charset, encoding, content),
    st.sampled_from(
        [
            b"utf-8",
            b"utf-7",
            b"utf-16",
            b"hz",
            b"iso-2022-kr",
            b"idna",
            b"punycode",
            b"zlib",
            b"a*b",
        ]
    ),
    st.sampled_from([b"q", b"B"]),
    st.binary(max_size=40),
)


@given(st.lists(st.one_of(_words, st.binary(max_size=10)), max_size=8))
def test_any_encoded_words_give_a_safe_string(parts):
    assert_safe(readable(b" ".join(parts)))


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["Cc", "Cf", "Zl", "Zp"])))
def test_well_formed_words_come_back_as_written(text):
    form_c = unicodedata.normalize("NFC", text).strip()
    assert readable(b64(text, "utf-8")) == form_c
