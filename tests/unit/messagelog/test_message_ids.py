"""Which Message-IDs a letter refers to, however its program wrote them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.messagelog.message_ids import MAX_REFERENCES, own, referred
from compliance.messagelog.text import INDEXED_CHARACTERS

ODDITIES = {
    "as it should be": ([b"<1@x.example> <2@x.example>"], ["<1@x.example>", "<2@x.example>"]),
    "folded between": ([b"<1@x.example>\n <2@x.example>"], ["<1@x.example>", "<2@x.example>"]),
    "folded within": ([b"<a-very-long\r\n -id@x.example>"], ["<a-very-long-id@x.example>"]),
    "no space between": ([b"<1@x.example><2@x.example>"], ["<1@x.example>", "<2@x.example>"]),
    "commas between": ([b"<1@x.example>,<2@x.example>"], ["<1@x.example>", "<2@x.example>"]),
    "words around": ([b'Your letter "Hi" of Monday <1@x.example> (again)'], ["<1@x.example>"]),
    "the same twice": ([b"<1@x.example> <1@x.example>", b"<1@x.example>"], ["<1@x.example>"]),
    "no brackets": ([b"1@x.example"], []),
    "only brackets": ([b"<> <  > <<>>"], []),
    "an open end": ([b"<1@x.example> <2@x.exam"], ["<1@x.example>"]),
    "two openings": ([b"<<1@x.example>>"], ["<1@x.example>"]),
    "raw latin-1": (["<å@x.example>".encode("latin-1")], ["<å@x.example>"]),
    "a null byte": ([b"<a\x00b@x.example>"], ["<ab@x.example>"]),
    "text turned around": (["<\u202ea@x.example>".encode()], ["<a@x.example>"]),
    "nothing": ([b""], []),
}


@pytest.mark.parametrize("name", ODDITIES)
def test_references_however_they_are_written(name):
    values, ids = ODDITIES[name]
    assert referred(values, []) == ids


def test_the_letter_answered_counts_though_references_are_missing():
    assert referred([], [b"<1@x.example>"]) == ["<1@x.example>"]
    assert referred([b"<1@x.example>"], [b"<2@x.example>"]) == ["<1@x.example>", "<2@x.example>"]


def test_of_a_long_thread_the_first_and_the_last_letters_are_kept():
    thread = [f"<{number}@x.example>" for number in range(10_000)]
    kept = referred([" ".join(thread).encode()], [])
    assert kept == [thread[0], *thread[1 - MAX_REFERENCES :]]
    assert len(kept) == MAX_REFERENCES


def test_a_long_id_is_found_again_by_its_beginning():
    long = b"<" + "å".encode() * 50_000 + b"@x.example>"
    assert referred([long], []) == [own([long])]
    assert len(own([long])) == INDEXED_CHARACTERS


@pytest.mark.parametrize("written", [b"<abc\n def@x>", b"<a@x> (note)", b"note <a@x>", b"<<a@x>>"])
def test_a_message_is_found_by_its_replies_however_it_wrote_its_id(written):
    assert referred([written], []) == [own([written])]


_written = st.lists(st.sampled_from(["<", ">", " ", "\n ", "a", "@x", "(n)", "å"])).map("".join)


@given(_written, _written, _written)
def test_a_messages_own_id_is_what_its_replies_refer_to(before, within, behind):
    value = f"{before}<{within}>{behind}".encode()
    assert referred([value], [])[:1] in ([own([value])], [])
    assert referred([], [own([value]).encode()])[:1] == referred([value], [])[:1]


@given(st.lists(st.binary(max_size=300)), st.lists(st.binary(max_size=300)))
def test_no_header_breaks_it_nor_gives_a_line_end_within_an_id(references, in_reply_to):
    ids = referred(references, in_reply_to)
    assert len(ids) <= MAX_REFERENCES
    assert all(len(one.splitlines()) == 1 and one[0] == "<" and one[-1] in ">…" for one in ids)
    assert len(own(references).splitlines()) <= 1
