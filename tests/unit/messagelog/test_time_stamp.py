"""Statements are stamped by a third party, by RFC 3161; here by one of our own making."""

import hashlib
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


def test_a_stamp_that_does_not_hold_is_not_taken(authority):
    authority.altered = True
    with pytest.raises(UserError, match="got no time stamp"):
        time_stamp.obtain(authority.url, authority.ca_file, DIGEST)


def test_an_authority_that_is_away_is_named(authority):
    away = r"http://127\.0\.0\.1:9/.*no answer(.|\n)*next run asks again"
    with pytest.raises(UserError, match=away):
        time_stamp.obtain("http://127.0.0.1:9/", authority.ca_file, DIGEST)
