"""Statements are stamped by a third party, by RFC 3161; here by one of our own making."""

import hashlib
import os
from datetime import UTC, datetime, timedelta

import pytest
from authority import Authority

from compliance.errors import UserError
from compliance.messagelog.seal import time_stamp

DIGEST = hashlib.sha256("förseglingsbevis".encode()).digest()


@pytest.fixture
def authority(tmp_path):
    with Authority(tmp_path) as made:
        yield made


def test_a_stamp_tells_when_the_statement_was_there(authority):
    token = time_stamp.obtain(authority.url, authority.ca_file, DIGEST)
    moment = time_stamp.stamped_at(token, DIGEST, authority.ca_file)
    assert abs(moment - datetime.now(UTC)) < timedelta(minutes=5)


def test_a_stamp_on_something_else_does_not_hold(authority):
    token = time_stamp.obtain(authority.url, authority.ca_file, DIGEST)
    other = hashlib.sha256(b"another text").digest()
    with pytest.raises(ValueError, match="message imprint mismatch"):
        time_stamp.stamped_at(token, other, authority.ca_file)


def test_a_stamp_of_another_authority_does_not_hold(authority, tmp_path_factory):
    token = time_stamp.obtain(authority.url, authority.ca_file, DIGEST)
    other = Authority(tmp_path_factory.mktemp("other"))
    with pytest.raises(ValueError, match="certificate"):
        time_stamp.stamped_at(token, DIGEST, other.ca_file)


def with_status(answer, text):
    """The same answer with a text in its status, which nobody signs (RFC 3161 section 2.4.2)."""
    _, body, _ = part(answer)
    _, status, rest = part(body)
    _, granted, _ = part(status)
    free_text = der(0x30, der(0x0C, text.encode()))
    return der(0x30, der(0x30, der(0x02, granted) + free_text) + rest)


def part(data):
    """A DER value's tag, its content and what comes behind it."""
    start, size = 2, data[1]
    if size & 0x80:
        start += size & 0x7F
        size = int.from_bytes(data[2:start], "big")
    return data[0], data[start : start + size], data[start + size :]


def der(tag, content):
    size = len(content).to_bytes((len(content).bit_length() + 7) // 8 or 1, "big")
    short = len(content) < 0x80
    return bytes([tag]) + (size if short else bytes([0x80 | len(size)]) + size) + content


# When the authority had no certificate yet, and when it still has.
FORGED = [
    f"ok\nTime stamp: {moment:%b %d %H:%M:%S %Y} GMT\n"
    for moment in (datetime(1999, 1, 1, tzinfo=UTC), datetime.now(UTC) + timedelta(days=20))
]


@pytest.mark.parametrize("text", FORGED, ids=["before", "after"])
def test_a_time_in_the_unsigned_status_is_not_believed(authority, text):
    answer = time_stamp.obtain(authority.url, authority.ca_file, DIGEST)
    true = time_stamp.stamped_at(answer, DIGEST, authority.ca_file)
    forged = with_status(answer, text)
    assert time_stamp.stamped_at(forged, DIGEST, authority.ca_file) == true


@pytest.mark.parametrize("text", FORGED, ids=["before", "after"])
def test_an_answer_with_such_a_status_is_kept_for_what_is_signed(authority, text):
    """Some authorities greet there; over HTTP anybody may."""
    honest = authority.answer
    authority.answer = lambda query: with_status(honest(query), text)
    answer = time_stamp.obtain(authority.url, authority.ca_file, DIGEST)
    moment = time_stamp.stamped_at(answer, DIGEST, authority.ca_file)
    assert abs(moment - datetime.now(UTC)) < timedelta(minutes=5)


def test_a_stamp_that_tells_two_times_is_not_taken(authority, monkeypatch):
    """A name or an extension behind the time may have lines of its own."""
    told = "Time stamp: Nov 24 09:05:00.5 2026 GMT\nTSA: DNS:x\n"
    assert time_stamp._time_of(told) == datetime(2026, 11, 24, 9, 5, tzinfo=UTC)
    for text in (told + told, "TSA: x", told.replace(" GMT", "")):
        with pytest.raises(ValueError, match=r"times|does not match"):
            time_stamp._time_of(text)
    honest = time_stamp._openssl
    monkeypatch.setattr(
        time_stamp, "_openssl", lambda *words: honest(*words) + told * ("-text" in words)
    )
    with pytest.raises(UserError, match="it tells 2 times"):
        time_stamp.obtain(authority.url, authority.ca_file, DIGEST)


def test_a_stamp_that_does_not_hold_is_not_taken(authority):
    authority.altered = True
    with pytest.raises(UserError, match="got no time stamp"):
        time_stamp.obtain(authority.url, authority.ca_file, DIGEST)


def test_an_authority_that_is_away_is_named(authority):
    away = r"http://127\.0\.0\.1:9/.*no answer(.|\n)*next run asks again"
    with pytest.raises(UserError, match=away):
        time_stamp.obtain("http://127.0.0.1:9/", authority.ca_file, DIGEST)


def test_an_openssl_that_hangs_is_told_as_a_stamp_that_cannot_be_judged(
    authority, tmp_path, monkeypatch
):
    token = time_stamp.obtain(authority.url, authority.ca_file, DIGEST)
    hanging = tmp_path / "openssl"
    hanging.write_text("#!/bin/sh\nexec sleep 60\n", encoding="ascii")
    hanging.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(time_stamp, "_SECONDS", 0.2)
    with pytest.raises(ValueError, match="openssl ts gives no answer"):
        time_stamp.stamped_at(token, DIGEST, authority.ca_file)
