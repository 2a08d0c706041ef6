"""Addresses in envelopes and From headers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.messagelog import addresses


def test_an_envelope_address_comes_with_or_without_brackets():
    assert addresses.of_envelope(b"<Anna@Sjovalla.example>") == "Anna@Sjovalla.example"
    assert addresses.of_envelope(b"anna@sjovalla.example") == "anna@sjovalla.example"
    assert addresses.of_envelope(b"<>") == ""
    assert addresses.of_envelope("<åsa@öster.example>".encode()) == "åsa@öster.example"


def test_an_extension_is_cut_and_nothing_else():
    assert addresses.without_extension("registrator+sent@a.example") == "registrator@a.example"
    assert addresses.without_extension("anna@a.example") == "anna@a.example"
    assert addresses.without_extension("+x@a.example") == "+x@a.example"


@pytest.mark.parametrize(
    ("value", "expected", "shown"),
    [
        ("anna@a.example", ("anna@a.example",), ()),
        ("Anna Åström <anna@a.example>", ("anna@a.example",), ()),
        ('"Åström, Anna" <anna@a.example>', ("anna@a.example",), ()),
        ('"quoted \\" name" <anna@a.example>', ("anna@a.example",), ()),
        ("anna@a.example (a (nested) comment, bo@b.example)", ("anna@a.example",), ()),
        ("anna@a.example, Bo <bo@b.example>", ("anna@a.example", "bo@b.example"), ()),
        ("Group: anna@a.example, bo@b.example;", ("anna@a.example", "bo@b.example"), ()),
        ("undisclosed:;", (), ()),
        ("chef@a.example <bo@b.example>", ("bo@b.example",), ("chef@a.example",)),
        ('"chef@a.example" <bo@b.example>', ("bo@b.example",), ("chef@a.example",)),
        ("=?utf-8?q?chef=40a.example?= <bo@b.example>", ("bo@b.example",), ("chef@a.example",)),
        ('"anna å"@a.example', ('"anna å"@a.example',), ()),
        ("", (), ()),
    ],
)
def test_from_headers_are_read_as_mail_programs_read_them(value, expected, shown):
    found = addresses.of_header([value.encode()])
    assert (found.addresses, found.shown, found.sound) == (expected, shown, True)


@pytest.mark.parametrize(
    "value",
    ["<anna@a.example", '"anna <anna@a.example>', "(anna <anna@a.example>", "<a@a> <b@b>", "a(\\"],
)
def test_a_header_that_does_not_close_is_unsound(value):
    assert not addresses.of_header([value.encode()]).sound


def test_every_from_header_counts():
    both = addresses.of_header([b"anna@a.example", b"<bo@b.example>"])
    assert both.addresses == ("anna@a.example", "bo@b.example")


@given(st.lists(st.binary(max_size=60), max_size=3))
def test_no_header_raises(values):
    addresses.of_header(values)
    for value in values:
        addresses.without_extension(addresses.of_envelope(value))


@given(st.text(alphabet='a@<>()",;:\\ ', max_size=40))
def test_no_punctuation_raises_or_hangs(value):
    addresses.of_header([value.encode()])
