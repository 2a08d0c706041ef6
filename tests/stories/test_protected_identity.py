"""P1: mail to and from a protected identity leaves no name, only the neutral address."""

import csv
from pathlib import Path

import pytest

from lablib.letters import letter

EXAMPLE = Path(__file__).parents[2] / "inventory/example"


def _protected() -> list[dict[str, str]]:
    with (EXAMPLE / "people.csv").open(encoding="utf-8-sig") as file:
        return [row for row in csv.DictReader(file, delimiter=";") if row["protected"] == "yes"]


@pytest.fixture(scope="module")
def letters(world, rows):
    """Write to and from the first of them; give the rows of both letters in the log."""
    neutral = f"referens.{_protected()[0]['id']}@{world.domain}"
    hidden, colleague = world.person(neutral), world.colleagues(1)[0]
    found = []
    for sender, recipient in ((hidden, colleague), (colleague, hidden)):
        message = letter(sender, recipient.address, "Om ärendet")
        world.submit(sender, message)
        world.arrival(recipient, message["Message-ID"])
        found += rows(message["Message-ID"])
    return neutral, found


def test_the_log_knows_the_neutral_address_alone(letters):
    neutral, found = letters
    assert len(found) == 2
    assert all(neutral in str(row) for row in found)
    for person in _protected():
        assert person["surname"].casefold() not in str(found).casefold()


def _hosts(world) -> set[str]:
    """Return all hosts but the municipality's own directory, where the name is at home."""
    return set(world.facts["hosts"]) - {"ad"}


@pytest.mark.usefixtures("letters")
def test_no_host_s_journal_holds_the_name(world, on_host):
    for host in _hosts(world):
        journal = on_host(host, "journalctl --no-pager -o cat").casefold()
        assert "systemd" in journal, "a journal that is empty shows nothing"
        for person in _protected():
            assert person["surname"].casefold() not in journal
            assert f"{person['given_name']}.".casefold() not in journal


@pytest.mark.usefixtures("letters")
def test_no_file_of_a_host_holds_the_name(world, on_host):
    """Neither settings nor mail; the technician's list of people stays on the control machine."""
    for host in _hosts(world):
        for person in _protected():
            found = on_host(
                host, f"grep -rlis {person['surname']} /etc /srv /var",
                check=False,
            )  # fmt: skip
            assert found == ""
