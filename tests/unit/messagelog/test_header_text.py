"""Subjects as they come from the world: each reads as a person would read it, none breaks us."""

import base64
import json
import unicodedata
from collections import Counter

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from compliance.messagelog.text import clean, readable


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
        (b"=?utf-8?B?w?=", "=?utf-8?B?w?="),  # holds no byte: shown as it stands
        (b"=?UTF-8?B??=", ""),  # an empty subject, as some programs write it
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


# Headers as mail servers meet them, and what a mail program shows, or what was meant.
ODDITIES = [
    # Question marks that should have been encoded.
    (b"=?utf-8?Q?Hur_g=C3=A5r_det??=", "Hur går det?"),
    (b"=?utf-8?Q?Vad?_=C3=A5?=", "Vad? å"),
    (b"=?utf-8?Q?Vad?=20g=C3=B6rs??= =?utf-8?Q?_=C3=85h?=", "Vad? görs? Åh"),
    (b"=?utf-8?Q?=?=", "=?utf-8?Q?=?="),
    (b"=?utf-8?Q?=3D?=", "="),
    (b"=?utf-8?Q??= a", "a"),
    (b"=?utf-8?q?no end =?utf-8?q?=C3=A5?=", "=?utf-8?q?no end å"),
    (b"=?utf-8?Q?=C3=A5?==?utf-8?Q?=C3=A4?=", "åä"),
    (b"=?utf-8?Q?=C3=A5?=x", "åx"),
    (b"=?utf-8?Q?a=?=", "a"),
    # 8-bit characters within and beside words.
    (b"=?iso-8859-1?Q?\xd6verklagande?=", "Överklagande"),
    (b"=?iso-8859-1?Q?=C5rsta?= p\xe5 \xf6n", "Årsta på ön"),
    (b"\xd6n =?utf-8?Q?\xc3\xa5=C3=A5?=", "Ön åå"),
    (b"=?gb2312?Q?" + "会议通知".encode("gb2312") + b"?=", "会议通知"),
    (b"=?utf-8?Q?\xd6verklagande?=", "Överklagande"),
    # Raw 8-bit that is nearly UTF-8, and that isn't.
    ("Överklagande från Ås".encode() + b"\xc3", "Överklagande från Ås\ufffd"),
    ("Överklagande".encode() + b" \xf6", "Överklagande ö"),
    ("Överklagande".encode() + b" p\xe5", "Överklagande på"),
    ("Заявление".encode() + b"\xe5", "Заявлениеå"),
    ("Svar: ”KÖ” – ”Å”".encode("cp1252"), "Svar: ”KÖ” – ”Å”"),
    ("¿Qué pasó?".encode("latin-1"), "¿Qué pasó?"),
    # Charsets by all their names.
    (b"=?iso8859-1?Q?=93Hej=94?=", "“Hej”"),
    (b"=?ISO_8859-1:1987?Q?=E5?=", "å"),
    (b"=?latin1?Q?=E5?=", "å"),
    (b"=?cp-850?Q?=86?=", "å"),
    (b"=?win-1251?Q?=C7?=", "З"),
    (b"=?x-mac-roman?Q?=8C?=", "å"),
    (b"=?x-sjis?B?ie8=?=", "会"),
    (b"=?windows-949?B?yLjAxw==?=", "회의"),
    (b"=?unicode-1-1-utf-8?Q?=C3=A5?=", "å"),
    (b"=?unicode-1-1-utf-7?Q?+AOU-?=", "å"),
    (b'=?"utf-8"?Q?=C3=A5?=', "å"),
    (b"=?utf-8 ?Q?=C3=A5?=", "å"),
    (b"=?utf-8*sv?Q?=C3=A5?=", "å"),
    # Charsets that say nothing.
    (b"=?us-ascii?Q?=C3=A5?=", "å"),
    (b"=?us-ascii?Q?=E5?=", "å"),
    (b"=?ansi_x3.4-1968?Q?=C3=A5?=", "å"),
    (b"=??Q?=E5?=", "å"),
    (b"=??Q?=C3?= =??Q?=A5?=", "å"),
    (b"=?8bit?Q?=E5?=", "å"),
    (b"=?unknown-8bit?Q?=C3=A5?=", "å"),
    (b"=?x-user-defined?Q?=C3=A5?=", "å"),
    # Codecs that are no charsets.
    (b"=?rot13?Q?Hej?=", "Hej"),
    (b"=?hex?Q?41?=", "41"),
    (b"=?punycode?Q?a-b?=", "a-b"),
    (b"=?undefined?Q?a?=", "a"),
    (b"=?mbcs?Q?=E5?=", "å"),
    # UTF-16 and UTF-32 are big-endian without a mark; charsets that shift begin anew in each word.
    (b"=?utf-16?B?AOUA5A==?=", "åä"),
    (b"=?utf-16?B?//7lAOQA?=", "åä"),
    (b"=?utf-16?B?//7lAOQA?= =?utf-16?B?/v8A5Q==?=", "åäå"),
    (b"=?utf-16?B?//7l?= =?utf-16?B?AOQA?=", "åä"),
    (b"=?utf-32?B?AAAA5Q==?=", "å"),
    (b"=?utf-7?Q?+AOU?= =?utf-7?Q?+AOQ-?=", "åä"),
    (b"=?iso-2022-jp?B?GyRCMnE1RA==?= =?iso-2022-jp?B?YWJj?=", "会議abc"),
    (b"=?iso-2022-jp?B?GyRCMnE1?= =?iso-2022-jp?B?RBsoQg==?=", "会議"),
    (b"=?iso-2022-jp?B?GyhJMTIbKEI=?=", "ｱｲ"),
    (b"=?iso-2022-kr?B?GyQpQw5IOA8=?= =?iso-2022-kr?B?DkBHDw==?=", "회의"),
    # Words cut and padded anyhow.
    (b"=?utf8?Q?=C3?= =?utf-8?Q?=A5?=", "å"),
    (b"=?utf-8?Q?=F0=9F=98?= =?utf-8?B?gA==?=", "😀"),
    (b"=?utf-8?B?w6U=w6Q=?=", "åä"),
    (b"=?utf-8?Q?=C3=A5=C3?=", "å\ufffd"),
    # What is never seen.
    ("by\u00adgg\u200blov\u2060 \ufeffi Ås".encode(), "bygglov i Ås"),
    ("می\u200cخواهم".encode(), "می\u200cخواهم"),
    ("👨\u200d👩\u200d👧".encode(), "👨\u200d👩\u200d👧"),
    ("\u200fאב".encode(), "\u200fאב"),
    ("🏴\U000e0067\U000e007f".encode(), "🏴"),
]


@pytest.mark.parametrize(("raw", "expected"), ODDITIES)
def test_an_oddity_of_the_world_reads_as_it_was_meant(raw, expected):
    assert readable(raw) == expected


def test_a_run_of_marks_that_nobody_writes_is_broken_up_with_nothing_lost():
    text = "a" + "\u0300\u0316\u0f73" * 2000
    for result in (readable(text.encode()), clean(text)):
        assert max(map(len, result.split("\u034f"))) <= 30
        without = unicodedata.normalize("NFD", result.replace("\u034f", ""))
        assert Counter(without) == Counter(unicodedata.normalize("NFD", text))


_written = st.characters(codec="utf-8", categories=["L", "M", "N", "S", "Zs"])


@given(st.text(_written, max_size=10))
@example("\u1100\u1161\u11a8")
@example("\u09c7\u09be")
@example("q\u0307\u0323\u0344\u0f73")
def test_ordinary_text_is_in_form_c(text):
    assert clean(text) == unicodedata.normalize("NFC", text).strip()


def test_a_subject_of_64_kilobytes_is_kept_whole():
    text = "Yttrande över detaljplan " * 2600
    word = b64("å" * 30, "utf-8")
    assert readable(text.encode()) == text.strip()
    assert readable(b"\r\n ".join([word] * 800)) == "å" * 24_000


def assert_safe(text):
    assert "\x00" not in text
    text.encode("utf-8")
    assert json.loads(json.dumps(text)) == text
    assert not any(unicodedata.category(character) in {"Cc", "Cs"} for character in text)
    assert not set(text) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


@given(st.binary(max_size=300))
@example(b"=?utf-16?b?2AA=?=")
@example(b"=?utf-8?B?====?=")
@example(b"=?cp037?q?=00=01?=")
def test_any_bytes_give_a_safe_string(raw):
    text = readable(raw)
    assert_safe(text)
    if b"=?" not in raw and any(0x20 < byte < 0x7F for byte in raw):
        assert text


_words = st.builds(
    lambda charset, encoding, content: b"=?%b?%b?%b?=" % (charset, encoding, content),
    st.sampled_from(
        [
            b"utf-8",
            b"utf-7",
            b"utf-16",
            b"",
            b"iso-2022-jp",
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
