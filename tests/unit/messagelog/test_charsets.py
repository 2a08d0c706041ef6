"""Charsets of mail: known by a table, and guessed so that Swedish text always reads."""

import codecs
import encodings

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from compliance.messagelog.charsets import charset_text, codec_of, eight_bit
from compliance.messagelog.text import readable

LETTERS = "abcdefghijklmnopqrstuvwxyzåäöéABCDEFGHIJKLMNOPQRSTUVWXYZÅÄÖÉ0123456789"
_word = st.text(LETTERS, min_size=1, max_size=8)


def swedish(*dressed):
    """Give texts of words, some of them dressed as in `”{}”`."""
    words = st.one_of(_word, *(_word.map(dress.format) for dress in dressed))
    return st.lists(words, min_size=1, max_size=8).map(" ".join)


@pytest.mark.parametrize(
    "name",
    [
        "base64", "zlib", "zip", "bz2", "uu", "quopri", "rot13", "rot_13", "hex", "idna",
        "punycode", "undefined", "unicode_escape", "raw_unicode_escape", "charmap", "mbcs", "oem",
        "us-ascii", "8bit", "unknown-8bit", "x-unknown", "x-user-defined", "binary", "", "x",
        "utf-8\n", "u\u212a-8", "../utf_8", "a" * 16_000,
    ],
)  # fmt: skip
def test_a_name_that_is_no_charset_says_nothing(name):
    assert codec_of(name) is None
    assert charset_text("Årsta".encode(), name) == "Årsta"


def test_each_charset_of_the_table_can_be_read():
    for name in ["utf-8", "utf-16", "iso-2022-kr", "cp720", "x-mac-cyrillic", "johab", "koi8-u"]:
        assert codecs.lookup(codec_of(name) or "")._is_text_encoding
    assert codec_of("GB2312") == codec_of("gbk") == codec_of("x-gbk") == "gb18030"
    assert codec_of("ks_c_5601-1987") == "cp949"
    assert codec_of("ISO-8859-1") == codec_of("iso_8859-1") == codec_of("windows-1252") == "cp1252"


def test_names_that_strangers_make_up_are_not_kept():
    readable(b"=?utf-8?Q?a?= =?utf-7?Q?a?=")
    before = len(encodings._cache)
    readable(b" ".join(b"=?made-up-%d?Q?a?=" % number for number in range(2_000)))
    charset_text(b"a", "made-up" * 2_000)
    assert len(encodings._cache) == before


@given(swedish("”{}”", "{},", "({})", "– {}", "”{}”."))
@example("”KÖ” på")
def test_swedish_text_in_windows_1252_reads(text):
    assert eight_bit(text.encode("cp1252")) == text


@given(swedish("({})", "{}, §", "'{}'", '"{}"'))
def test_swedish_text_in_latin_1_reads(text):
    assert eight_bit(text.encode("latin-1")) == text


@given(swedish("”{}”", "– {}", "{} 😀"), st.integers(0, 200))
@example("åÖ", 3)
@example("” –", 6)
@example("0 😀 ”", 8)
def test_swedish_text_in_utf_8_reads_up_to_where_it_was_cut(text, length):
    cut = text.encode()[:length]
    whole = cut.decode("utf-8", "ignore")
    read = eight_bit(cut)
    assert read.startswith(whole)
    assert len(read) - len(whole) <= 3  # of the character that was cut
    if not whole.isascii() and len(whole.encode()) < len(cut):
        assert read == whole + "\ufffd"


@given(swedish("”{}”"), swedish("– {}"), st.sampled_from("åäöÅÄÖé”"))
def test_one_byte_that_is_not_utf_8_spoils_no_more_than_itself(before, after, loose):
    raw = f"{before} å".encode() + loose.encode("cp1252") + f" {after}".encode()
    assert eight_bit(raw) == f"{before} å{loose} {after}"
