"""A sealing key is followed by another: what both signed holds, and the old one signs no more."""

import json
from datetime import UTC, datetime, time, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from sealed_log import DOMAIN, KEY, MONDAY, ONE, PUBLIC, entry_of, seed_of, week

from compliance.errors import UserError
from compliance.messagelog.seal import published, verifier
from compliance.messagelog.seal.extract import make_extract, sealed_rows
from compliance.messagelog.seal.sealing import Sealer
from compliance.messagelog.seal.statement import read_public_keys, read_sealing_key
from compliance.messagelog.seal.unit_day import verify_unit_day
from compliance.messagelog.seal.verification import verify

NEW_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
NEW = (NEW_KEY.public_key().public_bytes_raw(),)
FRIDAY, SATURDAY = MONDAY + timedelta(days=4), MONDAY + timedelta(days=5)


def pem(*keys):
    own = [key.public_key() for key in keys]
    return b"".join(
        key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo) for key in own
    )


def close(log, key, days):
    """Close the days until so many after Monday, with a key."""
    now = datetime.combine(MONDAY + timedelta(days=days), time(0, 30), UTC)
    return Sealer(log, key, DOMAIN, now).close_days()


@pytest.fixture
def log():
    """Three days that the old key signed, two that the new one did, and one that is open."""
    made = week(days=3, per_day=2)
    for number, day in enumerate((4, 4, 5, 5), 9):
        entry = entry_of(number, ONE, MONDAY + timedelta(days=day))
        made.add(ONE, entry, seed_of(number))
    assert [one.number for one in close(made, NEW_KEY, 5)] == [4, 5]
    return made


@pytest.fixture
def key_file(tmp_path):
    path = tmp_path / "seal.pub"
    path.write_bytes(pem(KEY, NEW_KEY))
    return path


def wrong(log, keys):
    """Return the numbers of the statements that no key is found to have signed."""
    found = verify(log, keys, DOMAIN).findings
    return [int(str(one).split()[2].rstrip(":")) for one in found if "signature" in str(one)]


def test_what_the_old_key_signed_holds_and_what_the_new_one_signs(log):
    assert verify(log, PUBLIC + NEW, DOMAIN).findings == []
    for day in (MONDAY, FRIDAY):
        assert verify_unit_day(log, PUBLIC + NEW, DOMAIN, "ks", day).findings == []


def test_a_key_that_is_not_published_signed_nothing(log):
    assert wrong(log, PUBLIC) == [4, 5]
    assert wrong(log, NEW) == [1, 2, 3]


def test_the_old_key_adds_nothing_to_what_the_new_one_signed(log):
    close(log, KEY, 6)
    assert wrong(log, PUBLIC + NEW) == [6]


def test_all_keys_are_published_with_the_statements(log, key_file, tmp_path):
    folder = tmp_path / "logg"
    published.publish(folder, "Sjövalla", key_file, log.statements(), {})
    assert read_public_keys(folder / published.KEY_NAME) == PUBLIC + NEW
    assert len(published.read(folder)) == 5


def test_what_the_old_key_signed_after_the_new_one_is_not_published(log, key_file, tmp_path):
    close(log, KEY, 6)
    with pytest.raises(UserError, match="statement 6 is not signed by the published key"):
        published.publish(tmp_path / "logg", "Sjövalla", key_file, log.statements(), {})
    assert not (tmp_path / "logg").exists()


def rows(log, *days):
    return [row for day in days for row in sealed_rows(log, day, "ks")]


def test_an_extract_of_days_that_both_signed_holds(log):
    verified = verifier.verify(make_extract(rows(log, MONDAY, FRIDAY), {}, PUBLIC + NEW))
    assert verified.keys == PUBLIC + NEW
    told = verifier.describe(verified, key_is_known=False)
    assert told.count("Signed with the key of fingerprint") == 2


def test_an_extract_from_before_the_new_key_holds_by_the_keys_of_today(log):
    extract = make_extract(rows(log, MONDAY), {}, PUBLIC)
    assert verifier.verify(extract, PUBLIC + NEW).keys == PUBLIC
    for others in (NEW, NEW + PUBLIC):
        with pytest.raises(verifier.ExtractError, match="another key than the one given"):
            verifier.verify(extract, others)


def test_an_extract_with_a_key_that_the_published_file_lacks_does_not_hold(log):
    extract = make_extract(rows(log, FRIDAY), {}, PUBLIC + NEW)
    assert verifier.verify(extract, PUBLIC + NEW).keys == NEW
    with pytest.raises(verifier.ExtractError, match="a key that follows those given"):
        verifier.verify(extract, PUBLIC)


def test_what_the_old_key_signed_after_the_new_one_does_not_hold_beside_it(log):
    (forged,) = close(log, KEY, 6)
    assert forged.number == 6
    with pytest.raises(UserError, match="statement 6 is signed with a key that was followed"):
        make_extract(rows(log, FRIDAY, SATURDAY), {}, PUBLIC + NEW)


def test_it_is_told_that_a_key_was_followed_for_who_has_it_may_sign_what_they_like(log):
    close(log, KEY, 6)
    alone = make_extract(rows(log, SATURDAY), {}, PUBLIC + NEW)
    old, new = (make_extract(rows(log, day), {}, PUBLIC + NEW) for day in (MONDAY, FRIDAY))
    assert [verifier.verify(one).is_followed for one in (alone, old, new)] == [True, True, False]
    before = make_extract(rows(log, MONDAY), {}, PUBLIC)
    assert not verifier.verify(before).is_followed, "nobody can know it yet"
    told = verifier.describe(verifier.verify(before, PUBLIC + NEW), key_is_known=True)
    assert "Compare the statements with the published ones" in told


@pytest.mark.parametrize("key", ["", "00", "00" * 33, PUBLIC[0].hex() * 2])
def test_keys_are_of_their_length_and_each_once(log, key):
    extract = json.loads(make_extract(rows(log, MONDAY), {}, PUBLIC))
    with pytest.raises(verifier.ExtractError, match="the key is not 32 bytes, or several"):
        verifier.verify(json.dumps(extract | {"key": key}))


def test_keys_stand_below_one_another_in_their_file(key_file):
    assert verifier.read_keys(key_file) == PUBLIC + NEW
    key_file.write_bytes(b"Made in 2026:\r\n" + pem(KEY).replace(b"\n", b"\r\n") + b"\n"
                         b"Made in 2031:\n" + pem(NEW_KEY).rstrip())  # fmt: skip
    assert verifier.read_keys(key_file) == PUBLIC + NEW


def test_no_more_keys_are_tried_than_a_municipality_ever_has(log):
    extract = json.loads(make_extract(rows(log, MONDAY), {}, PUBLIC))
    many = "".join(number.to_bytes(32, "big").hex() for number in range(1, 101))
    with pytest.raises(verifier.ExtractError, match="more than 100 keys"):
        verifier.verify(json.dumps(extract | {"key": PUBLIC[0].hex() + many}))


@pytest.mark.parametrize("spoiled", [pem(KEY, NEW_KEY)[:-30], pem(KEY)[:60] + pem(NEW_KEY)])
def test_a_file_of_keys_that_was_cut_is_told(key_file, spoiled):
    key_file.write_bytes(spoiled)
    with pytest.raises(UserError, match="a key in it is cut off"):
        read_public_keys(key_file)


def test_a_key_that_stands_twice_is_told(key_file):
    key_file.write_bytes(pem(KEY, NEW_KEY, KEY))
    with pytest.raises(UserError, match="a key stands there twice"):
        read_public_keys(key_file)


def test_the_last_key_signs_and_no_earlier_one(key_file, tmp_path):
    path = tmp_path / "seal.key"
    for key in (NEW_KEY, KEY):
        own = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        path.write_bytes(own)
        if key is NEW_KEY:
            assert read_sealing_key(path, key_file).private_bytes_raw() == key.private_bytes_raw()
        else:
            with pytest.raises(UserError, match="not that of the last published one"):
                read_sealing_key(path, key_file)
