"""Mail by a second mail host, which has no mailboxes of its own."""

import smtplib
import uuid

import pytest

from lablib.letters import letter


@pytest.fixture
def second(world):
    """The second mail host's SMTP, as another mail host reaches it."""
    address = world.facts["hosts"]["mx2"]["address"]
    with smtplib.SMTP(address, 25, "mail.omvarlden.example", timeout=60) as smtp:
        yield smtp


def test_a_letter_by_the_second_host_arrives_and_is_logged_with_its_delivery(
    world, second, rows, ask
):
    (colleague,) = world.colleagues(1)
    note = letter(world.outsider, colleague.address, f"Andra vägen {uuid.uuid4().hex[:8]}")
    second.send_message(note, world.outsider.address, [colleague.address])
    assert world.arrival(colleague, note["Message-ID"])["Subject"] == note["Subject"]
    (row,) = rows(note["Message-ID"])
    assert row["host"] == "mx2.sjovalla.example"
    ask(
        f"SELECT status, tls FROM log.outcome WHERE queue_id = '{row['queue_id']}'",
        "sent|Verified TLSv1.3",
    )


def test_the_second_host_takes_no_logins(world, second):
    second.starttls(context=world.tls)
    second.ehlo()
    assert not second.has_extn("auth")
