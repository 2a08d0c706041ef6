"""The bytes that seal an entry: fixed for good, and different for every different entry."""

import dataclasses
import json
import uuid

import pytest
from conftest import make_entry, make_old_entry
from hypothesis import given
from hypothesis import strategies as st

from compliance.messagelog.entry import (
    FIELDS,
    digest,
    first_chain,
    from_json,
    instant,
    is_linked,
    link,
    new_seed,
    to_json,
)
from compliance.messagelog.seal import cells

OUTBOX = uuid.UUID("7c1f2e0a-5b52-4b52-9a53-1d1f4c3b2a10")
SEED = bytes(range(32))


@pytest.mark.parametrize(
    ("version", "digest_value", "chain"),
    [
        (
            1,
            "d6e3c60dc8926c2bea6c49e1687f4f224d6e617c0b6edc922d5b89d4d0d370bc",
            "2222739e5db7b0d9864654b7240faa77e96de227e409942209847ffdd2823d1c",
        ),
        (
            2,
            "1dc5561fdc93bbfb112629599a47514d28f5ee64304f922f787ee3169363431a",
            "1abe0edcb595fb7ac464a4129b9e9ff50eb2a0e7e57f734de5a5eda99958d242",
        ),
        (
            3,
            "ee091a3f4bd4c07a8c973250137738078760759cabbee0aed1965720d1b1b3cf",
            "2996c7da53ae3535b3fb8147f72d17a10f94becf74542f2a27955b04e5cc6637",
        ),
        (
            4,
            "98231c5fa970e736d67f2a376e8403aab2c4a943b0911cf51df539435ae535c2",
            "b2f555e771de9991ea47e15f7980ccc6e56f5294e9a3768ae7a7945319d897fe",
        ),
    ],
)
def test_the_encoding_never_changes(entry, version, digest_value, chain):
    """Rows that were sealed years ago must still verify: these values are written in stone."""
    verdict = {"spam_verdict": "no action"} if version > 2 else {}
    made = entry(**verdict) if version == 4 else make_old_entry(version, **verdict)
    record = link(first_chain(OUTBOX), 1, made, SEED if version > 1 else b"", version)
    assert (record.digest.hex(), record.chain.hex()) == (digest_value, chain)


def test_a_record_of_version_1_has_no_seed():
    record = link(first_chain(OUTBOX), 1, make_old_entry(1), b"", 1)
    plain = to_json(record)
    assert from_json({key: value for key, value in plain.items() if key != "seed"}) == record


@pytest.mark.parametrize(
    ("version", "added"), [(1, "attachments"), (2, "attachments"), (3, "references")]
)
def test_what_an_old_entry_did_not_have_cannot_be_added(version, added):
    seed = SEED if version > 1 else b""
    old = make_old_entry(version)
    record = link(first_chain(OUTBOX), 1, old, seed, version)
    assert added not in to_json(record)
    assert from_json(to_json(record)) == record
    added = dataclasses.replace(old, **{added: getattr(make_entry(), added)})
    assert digest(added, seed, version) != digest(old, seed, version)
    assert cells.leaf(added, seed, version) != cells.leaf(old, seed, version)


def test_equal_entries_have_different_digests(entry):
    assert digest(entry(), new_seed()) != digest(entry(), new_seed())


def test_time_is_utc_with_microseconds(entry):
    assert instant(entry().accepted_at) == "2026-11-24T09:05:00.000120Z"


@pytest.mark.parametrize("name", FIELDS)
def test_every_field_is_sealed(entry, name):
    original = entry()
    value = getattr(original, name)
    if value is None or isinstance(value, str):
        other = f"{value or ''}x"
    elif isinstance(value, bytes):
        other = value + b"x"
    elif isinstance(value, int):
        other = value + 1
    else:
        other = value.replace(microsecond=121)
    assert digest(dataclasses.replace(original, **{name: other}), SEED) != digest(original, SEED)


def test_missing_and_empty_are_not_the_same(entry):
    assert digest(entry(label=None), SEED) != digest(entry(label=""), SEED)


def test_text_cannot_move_from_one_field_to_the_next(entry):
    one = entry(envelope_sender="ab", recipient="c")
    assert digest(one, SEED) != digest(entry(envelope_sender="a", recipient="bc"), SEED)


def test_a_record_holds_only_after_the_one_before_it(entry):
    start = first_chain(OUTBOX)
    first = link(start, 1, entry(), SEED)
    second = link(first.chain, 2, entry(recipient="bo@sjovalla.example"), SEED)
    assert is_linked(start, first)
    assert is_linked(first.chain, second)
    assert not is_linked(start, second)
    assert not is_linked(first_chain(uuid.uuid4()), first)
    assert not is_linked(start, dataclasses.replace(first, sequence=2))


_text = st.text(alphabet=st.characters(exclude_categories=["Cs"]))


@given(_text, _text, st.binary(), st.one_of(st.none(), _text))
def test_json_carries_an_entry_unharmed(subject, sender, raw, unit):
    entry = make_entry(subject=subject, envelope_sender=sender, subject_raw=raw, sender_unit=unit)
    record = link(first_chain(OUTBOX), 1, entry, SEED)
    assert from_json(json.loads(json.dumps(to_json(record)))) == record


@pytest.mark.parametrize("change", [{"version": 5}, {"digest": "xyz"}, {"accepted_at": "igår"}])
def test_json_of_another_kind_is_refused(entry, change):
    plain = to_json(link(first_chain(OUTBOX), 1, entry(), SEED)) | change
    with pytest.raises(ValueError, match=r".+"):
        from_json(plain)
