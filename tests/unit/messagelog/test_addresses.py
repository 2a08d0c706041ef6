"""Addresses in envelopes and From headers."""

import re

import pytest
from hypothesis import example, given
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
        # Many programs show a comment as the name.
        (
            "anna@a.example (a (nested) comment, bo@b.example)",
            ("anna@a.example",),
            ("bo@b.example",),
        ),
        ("bo@b.example: anna@a.example;", ("anna@a.example",), ("bo@b.example",)),
        # A name with a comma that lacks its quotes.
        ("Berg, Bo <bo@b.example>", ("bo@b.example",), ()),
        ("Berg, Bo, bo@b.example", ("bo@b.example",), ()),
        ("=?utf-8?q?chef=40a.example?=, Bo <bo@b.example>", ("bo@b.example",), ("chef@a.example",)),
        ('"chef@a.example", Bo <bo@b.example>', ('"chef@a.example"', "bo@b.example"), ()),
        ("Kommunchefen", ("Kommunchefen",), ()),
        ("Chef <chef>, Bo <bo@b.example>", ("chef", "bo@b.example"), ()),
        # Comments and routes stay where they were: whatever is shown of it, it is nobody's own.
        ("<anna@a.example (hej)>", ("anna@a.example (hej)",), ()),
        ("<@r.example:anna@a.example>", ("@r.example:anna@a.example",), ()),
        ("a@[IPv6:2001:db8::1]", ("a@[IPv6:2001:db8::1]",), ()),
        ("a@[192.0.2.1], bo@b.example", ("a@[192.0.2.1]", "bo@b.example"), ()),
        ("a@[x, <bo@b.example>", ("a@[x", "bo@b.example"), ()),
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


@pytest.mark.parametrize(
    ("written", "looked_for"),
    [
        ("anna@a.example", "anna@a.example"),
        ("åsa@öster.example", "åsa@öster.example"),
        ('"anna å"@a.example', '"anna å"@a.example'),
        ("a@[IPv6:2001:db8::1]", "a@[IPv6:2001:db8::1]"),
        ("Kommunchefen", "Kommunchefen"),
        ("", ""),
        ("anna at a.example", "anna at a.example"),
        ("=?utf-8?B?Qm8gPGJvQGIuZXhhbXBsZT4=?=", "bo@b.example"),
        ("Bo <=?utf-8?Q?bo=40b.example?=>", "bo@b.example"),
        ("Bo Berg bo@b.example", "bo@b.example"),
        ("Bo bo@b.example>", "bo@b.example"),
        ("<bo@b.example", "bo@b.example"),
        ("mailto:bo@b.example", "bo@b.example"),
        ("@r.example,@s.example:bo@b.example", "bo@b.example"),
        ("bo@b.example (hej)", "bo@b.example"),
    ],
)
def test_an_address_is_found_whatever_its_writer_left_around_it(written, looked_for):
    assert addresses.bare(written) == looked_for


@given(st.text())
def test_whatever_stands_for_an_address_is_bared_to_something(text):
    assert bool(addresses.bare(text)) == bool(text)


def test_every_from_header_counts():
    both = addresses.of_header([b"anna@a.example", b"<bo@b.example>"])
    assert both.addresses == ("anna@a.example", "bo@b.example")


@pytest.mark.parametrize(
    ("written", "logged"),
    [
        (b'<"anna"@a.example>', "anna@a.example"),
        (b'<"anna berg"@a.example>', '"anna berg"@a.example'),
        (b'<"an\\na"@a.example>', "anna@a.example"),
        (b"<an\\na@a.example>", "anna@a.example"),
        (b'<"an\\"na"@a.example>', '"an\\"na"@a.example'),
        (b"<@r.example,@s.example:anna@a.example>", "anna@a.example"),
        (b'<"@r.example:anna"@a.example>', '"@r.example:anna"@a.example'),
        (b"<anna(a (nested) comment)@a.example>", "anna@a.example"),
        (b"<anna @ a.example>", "anna@a.example"),
        (b'<"anna@a.example">', "anna@a.example"),
        (b"<Anna@a.example.>", "Anna@a.example."),
        (b"<postmaster>", "postmaster"),
    ],
)
def test_an_envelope_address_is_kept_as_postfix_logs_it(written, logged):
    assert addresses.of_envelope(written) == logged


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("Anna@A.example", "anna@a.example"),
        ("anna@a.example.", "anna@a.example"),
        ('"anna"@a.example', "anna@a.example"),
        ("@r.example:anna@a.example", "anna@a.example"),
        ("anna%a.example", "anna@a.example"),
        ("anna%b.example%a.example.", "anna%b.example@a.example"),
        ("a.example!anna", "anna@a.example"),
        ("a.example.!anna", "anna@a.example"),
        ("anna%b.example@a.example", "anna%b.example@a.example"),
        ("anna", "anna@sjovalla.example"),
        ("anna@", "anna@sjovalla.example"),
        ('"anna berg"@a.example', '"anna berg"@a.example'),
        ("", ""),
        (".", ""),
    ],
)
def test_addresses_are_compared_in_one_form(written, key):
    assert addresses.key_of(written, "Sjovalla.example") == key
    assert addresses.domain_of(written, "Sjovalla.example") == key.rpartition("@")[2]


def test_without_an_origin_a_bare_name_stays_bare():
    assert (addresses.key_of("Anna"), addresses.domain_of("Anna")) == ("anna", "")


@given(
    st.text(alphabet='aB"\\!%. ', max_size=12), st.sampled_from(["", "@B.a", "@a.", "%a", "@a.B."])
)
def test_the_form_for_comparing_is_one_form(local, domain):
    key = addresses.key_of(f"c{local}d{domain}", "sjovalla.example")
    assert addresses.key_of(key, "sjovalla.example") == key
    assert key == key.lower()


@given(st.from_regex(r"[a-z]{1,8}(\.[a-z]{1,8})?", fullmatch=True), st.data())
def test_however_an_address_is_written_it_is_that_one(local, data):
    plain = f"{local}@a.example"
    quoted = "".join(data.draw(st.sampled_from([one, f"\\{one}"])) for one in local)
    written = data.draw(
        st.sampled_from([f'"{quoted}"@a.example', f"{quoted}@a.example.", f"@r:{plain}",
                         f"{local}%a.example", f"a.example!{local}", plain.upper()])
    )  # fmt: skip
    assert addresses.key_of(addresses.of_envelope(f"<{written}>".encode()), "b.example") == plain


_EARLIER = re.compile(r"[^\s<>()\",;:@]+@[^\s<>()\",;:@]+")


@given(st.text(alphabet='ab@<>()",;:. \n', max_size=30))
@example("a@b@c x@y@z (c@d)")
def test_addresses_shown_are_found_from_the_beginning_of_their_words(text):
    assert addresses._ADDRESS.findall(text) == _EARLIER.findall(text)


def test_no_letter_within_a_word_is_where_an_address_may_begin():
    """Tried at each, a word of 100 kB takes a minute within one call, and the watchdog strikes."""
    tried = [place for place in range(12) if addresses._ADDRESS.match("aaaa@b aaa@b", place)]
    assert tried == [0, 7]


@given(st.lists(st.binary(max_size=60), max_size=3))
def test_no_header_raises(values):
    addresses.of_header(values)
    for value in values:
        addresses.without_extension(addresses.of_envelope(value))


@given(st.text(alphabet='a@<>()",;:\\ ', max_size=40))
def test_no_punctuation_raises_or_hangs(value):
    addresses.of_header([value.encode()])
