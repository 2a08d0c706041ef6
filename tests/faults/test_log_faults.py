"""The log is never behind the mail: what cannot be logged is not accepted, and nothing is lost."""

import smtplib
import time

import pytest

from lablib.letters import letter

# Postfix answers 451; when the milter is gone before a client has logged in, it says so at AUTH,
# with 454. Clients keep the letter for both.
TEMPORARY = {451, 454}


def until(is_so, seconds: float = 60) -> None:
    """Ask until it is so: Postfix tells nobody that it has delivered."""
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.3)


def test_without_the_milter_mail_is_put_off_not_lost(world, rows, on_host, stopped):
    stopped("kommunpost-milter.service")
    sender = world.colleagues(1)[0]
    note = letter(sender, world.commissioner.address, "Väntar på loggen")
    with pytest.raises(smtplib.SMTPResponseException) as refusal:
        world.submit(sender, note)
    assert refusal.value.smtp_code in TEMPORARY
    with smtplib.SMTP(world.service("mx")["address"], 25, timeout=60) as smtp:
        smtp.ehlo()
        assert smtp.mail(world.outsider.address)[0] == 451
    outside = letter(world.outsider, world.commissioner.address, "Väntar utanför")
    world.submit(world.outsider, outside)  # the other provider keeps it and tries again
    on_host("mail", "systemctl start kommunpost-milter.service")
    on_host("outside", "postqueue -f")
    world.arrival(world.commissioner, outside["Message-ID"], seconds=90)
    assert len(rows(outside["Message-ID"])) == 1
    assert rows(note["Message-ID"], seconds=0) == []


def test_without_the_database_mail_flows_and_the_rows_come_later(world, rows, on_host, stopped):
    stopped("postgresql@17-main.service")
    sender = world.colleagues(1)[0]
    notes = [letter(sender, world.commissioner.address, f"Utan databas {n}") for n in range(5)]
    for note in notes:
        world.submit(sender, note)
    world.arrival(world.commissioner, notes[-1]["Message-ID"])
    on_host("mail", "systemctl start postgresql@17-main.service")
    for note in notes:
        assert len(rows(note["Message-ID"], seconds=60)) == 1


def test_the_technician_is_told_once_a_day_when_the_database_is_away(world, on_host, stopped):
    unit, postmaster = "kommunpost-log-health.service", f"postmaster@{world.domain}"
    find = (
        f"doveadm -f tab fetch -u {postmaster} hdr.message-id"
        " mailbox INBOX SUBJECT 'E-postloggen beh' | tail -n +2"
    )
    # The timer looks every five minutes, so perhaps in the middle of the test before this one: what
    # it has begun is to be at its end, and its letter in the mailbox.
    stopped("kommunpost-log-health.timer")
    until(lambda: on_host("mail", f"systemctl is-active {unit}", check=False) != "activating\n")
    until(lambda: postmaster not in on_host("mail", "postqueue -j"))
    before = on_host("mail", find).split()
    on_host("mail", "rm -f /run/kommunpost-log-health/alarm")
    stopped("postgresql@17-main.service")
    for _ in range(2):
        on_host("mail", f"systemctl start {unit}", check=False)
        assert on_host("mail", f"systemctl is-failed {unit}", check=False).strip() == "failed"
    until(lambda: len(on_host("mail", find).split()) > len(before))
    assert len(on_host("mail", find).split()) == len(before) + 1, on_host("mail", find)
    on_host("mail", f"systemctl start postgresql@17-main.service && systemctl start {unit}")
    said = on_host("mail", f"journalctl -u {unit} -n 20 --output=cat")
    assert "all is well" in said


def test_a_full_outbox_puts_mail_off(world, on_host, rows):
    """The outbox's disk is filled for real; Postfix answers 451 and takes mail when it is free."""
    sender = world.colleagues(1)[0]
    folder = "/var/lib/kommunpost"
    on_host("mail", "systemctl stop kommunpost-shipper.service kommunpost-milter.service")
    on_host("mail", f"mount -t tmpfs -o size=1m,mode=0750 full {folder}/outbox")
    try:
        on_host("mail", f"chown kommunpost: {folder}/outbox")
        on_host("mail", "systemctl start kommunpost-milter.service")
        on_host("mail", f"dd if=/dev/zero of={folder}/outbox/filler bs=4k", check=False)
        note = letter(sender, world.commissioner.address, "Disken är full")
        with pytest.raises(smtplib.SMTPResponseException) as refusal:
            world.submit(sender, note)
        assert refusal.value.smtp_code in TEMPORARY
        on_host("mail", "systemctl is-active kommunpost-milter.service")
        on_host("mail", f"rm {folder}/outbox/filler")
        world.submit(sender, note)
        world.arrival(world.commissioner, note["Message-ID"])
        on_host("mail", "systemctl start kommunpost-shipper.service")
        assert len(rows(note["Message-ID"])) == 1
    finally:
        on_host("mail", "systemctl stop kommunpost-shipper.service kommunpost-milter.service")
        on_host("mail", f"umount {folder}/outbox")
        on_host("mail", "systemctl start kommunpost-milter.service kommunpost-shipper.service")


def test_a_killed_milter_comes_back_and_every_accepted_letter_has_its_row(world, on_host, rows):
    sender = world.colleagues(1)[0]
    accepted, refusals = [], []
    for number in range(30):
        note = letter(sender, world.commissioner.address, f"Under avbrott {number}")
        if number % 5 == 2:
            on_host("mail", "systemctl kill --signal=KILL kommunpost-milter.service")
        try:
            world.submit(sender, note)
        except smtplib.SMTPResponseException as refusal:
            refusals.append(refusal.smtp_code)
        else:
            accepted.append(note["Message-ID"])
    assert accepted
    assert set(refusals) <= TEMPORARY
    for message_id in accepted:
        assert len(rows(message_id)) == 1
    world.arrival(world.commissioner, accepted[-1])
