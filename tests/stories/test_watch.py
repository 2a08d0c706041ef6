"""The watch: an unread letter in a function mailbox leads to reminders, in turn, by mail."""

import json
import shlex
import time
from datetime import timedelta
from email import message_from_bytes
from email.message import Message
from email.policy import default
from urllib.parse import quote

import pytest
from test_log_list import Browser, reader_of

from compliance.clock import today
from compliance.workdays import is_working_day
from lablib.letters import letter

CONFIG = "KOMMUNPOST_CONFIG=/etc/kommunpost/watch/settings.yml"
PROGRAM = f"{CONFIG} /opt/kommunpost/bin/kommunpost watch"
TOLD = "/var/lib/kommunpost-watch/told.json"


@pytest.fixture
def unread_letter(world, on_host):
    """Lay an unread letter of two weeks ago into a function mailbox; give the mailbox."""
    box = f"kommunstyrelsen@{world.domain}"
    message = letter(world.outsider, box, "Ansökan som ingen har läst")
    at = f"{today() - timedelta(days=14)}"
    on_host("mail", f"rm -f {TOLD}")
    on_host(
        "mail",
        f"printf %s {shlex.quote(message.as_string())}"
        f" | doveadm save -u {box} -m INBOX -r {shlex.quote(at)}",
    )
    yield box
    on_host("mail", f"doveadm expunge -u {box} mailbox INBOX SUBJECT {shlex.quote('Ansökan som')}")
    on_host("mail", f"rm -f {TOLD}")


def _due(on_host, box) -> dict:
    """Look anew, and show who would be reminded of the mailbox now."""
    on_host("mail", f"{PROGRAM} unread --output /var/lib/kommunpost-watch/unread.json")
    rows = json.loads(on_host("mail", f"{PROGRAM} remind --dry-run --json"))
    found = [row for row in rows if row["mailbox"] == box]
    return found[0] if found else {}


def _reminder(world, address: str, seconds: float = 60) -> Message:
    """Wait until a letter of the system's lies in somebody's INBOX; give its header."""
    deadline = time.monotonic() + seconds
    with world.mailbox(world.person(address)) as client:
        client.select_folder("INBOX", readonly=True)
        while not (found := client.search(["FROM", f"kommunpost@{world.domain}"])):
            left = deadline - time.monotonic()
            assert left > 0, f"no reminder reached {address}"
            client.idle()
            client.idle_check(timeout=min(left, 5))
            client.idle_done()
        raw = client.fetch(found, ["BODY.PEEK[HEADER]"])[found[-1]][b"BODY[HEADER]"]
    return message_from_bytes(raw, policy=default)


def test_first_the_watcher_and_the_next_day_the_deputy_is_reminded(
    world, on_host, rows, unread_letter
):
    on_host("mail", "systemctl start kommunpost-watch.service")
    if not is_working_day(today()):
        assert not _due(on_host, unread_letter), "on a day off nobody is reminded"
        return
    told = json.loads(on_host("mail", f"cat {TOLD}"))[unread_letter]
    assert list(told["days"]) == ["watcher"]
    assert not _due(on_host, unread_letter), "one letter a day"
    yesterday = str(today() - timedelta(days=1))
    on_host("mail", f"sed -i s/{today()}/{yesterday}/ {TOLD}")
    following = _due(on_host, unread_letter)
    assert following["keeper"] == "deputy"
    assert following["age_working_days"] >= 8
    on_host("mail", "systemctl start kommunpost-watch.service")
    assert list(json.loads(on_host("mail", f"cat {TOLD}"))[unread_letter]["days"]) == [
        "watcher", "deputy",
    ]  # fmt: skip
    reminder = _reminder(world, following["to"])
    assert reminder["Auto-Submitted"] == "auto-generated"
    assert reminder["From"].addresses[0].addr_spec == f"kommunpost@{world.domain}"
    assert reminder["Subject"] == (
        "Oläst e-post i brevlådan Kommunstyrelsen \N{EN DASH} du är ersättare"
    )
    [row] = rows(reminder["Message-ID"])
    assert row["recipient"] == following["to"]


def test_the_overview_tells_a_mailbox_that_nobody_reads_until_it_is_read(
    world, on_host, unread_letter
):
    office = reader_of(world, lambda one: one["everything"])
    browser = Browser(world)
    assert browser.log_in(office["login"], office["password"]) == 302
    of_mailbox = f'href="/units/ks/?address={quote(unread_letter)}"'
    on_host("mail", "systemctl start kommunpost-watch.service")
    assert browser.open("/units/ks/overview/") == 200
    assert f"Vad som låg oläst antecknades {today()}" in browser.text
    assert of_mailbox in browser.text
    assert browser.open("/overview/") == 200
    assert 'href="/units/ks/overview/#unwatched"' in browser.text
    old = f"mailbox INBOX UNSEEN BEFORE {today()}"  # other tests' letters are of today
    on_host("mail", rf"doveadm flags add -u {unread_letter} '\Seen' {old}")
    on_host("mail", "systemctl start kommunpost-watch.service")
    assert browser.open("/units/ks/overview/") == 200
    assert of_mailbox not in browser.text
