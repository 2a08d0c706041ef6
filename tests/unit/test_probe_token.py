"""A probe's token: only the audit can make one, for one envelope and a short time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance import probe_token

KEY = b"k" * 32
NOW = 1_800_000_000
SENDER = "kommunpost-audit@sjovalla.example"
RECIPIENT = "anna.astrom@sjovalla.example"


def signed(**changes):
    fields = {"run": "r-1", "sender": SENDER, "recipient": RECIPIENT, "expires": NOW + 600}
    return probe_token.sign(KEY, **(fields | changes))


def verified(value, key=KEY, sender=SENDER, recipient=RECIPIENT, now=NOW):
    return probe_token.verify(key, value, sender=sender, recipient=recipient, now=now)


def test_a_token_holds_for_its_own_envelope_and_names_its_run():
    assert verified(signed()) == "r-1"
    assert verified(f"  {signed()} \r\n") == "r-1"


def test_case_of_addresses_does_not_matter():
    assert verified(signed(), recipient=RECIPIENT.upper()) == "r-1"


@pytest.mark.parametrize(
    "change",
    [
        {"sender": "someone@omvarlden.example"},
        {"sender": ""},
        {"recipient": "bo.berg@sjovalla.example"},
        {"key": b"x" * 32},
        {"now": NOW + 601},
        {"now": NOW - 100_000},
    ],
)
def test_it_holds_for_nothing_else(change):
    assert verified(signed(), **change) is None


def test_the_last_second_of_its_life_counts():
    assert verified(signed(), now=NOW + 600) == "r-1"


def test_a_changed_run_or_expiry_is_found():
    value = signed()
    assert verified(value.replace("r-1", "r-2")) is None
    assert verified(value.replace(str(NOW + 600), str(NOW + 601))) is None


def test_moving_a_character_between_fields_changes_the_mac():
    one = signed(sender="ab@x", recipient="c@x").split()[-1]
    two = signed(sender="ab@xc", recipient="@x").split()[-1]
    assert one != two


@pytest.mark.parametrize("run", ["", "a b", "å", "x" * 65, "r\n"])
def test_a_run_that_a_header_cannot_carry_is_refused(run):
    with pytest.raises(ValueError, match="run id"):
        signed(run=run)


def test_a_short_key_is_refused():
    with pytest.raises(ValueError, match="32"):
        probe_token.sign(b"short", run="r", sender="", recipient="", expires=NOW)


@given(st.text(), st.text())
def test_hostile_values_never_raise_and_never_verify(value, address):
    assert verified(value) is None
    assert verified(signed(), sender=address + "!") is None
