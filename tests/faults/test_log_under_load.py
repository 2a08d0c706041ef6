"""Mail keeps coming while a part of the log falls: what was answered with 250 is logged once."""

import pytest
from mail_load import MAIL_HOSTS, Ledger, mail_under_load


@pytest.fixture
def ledger(on_host, kommunpost):
    return Ledger(on_host, kommunpost)


def test_the_database_is_killed(world, on_host, ledger):
    with mail_under_load(world) as load:
        load.wait_for(10)
        on_host("mail", "systemctl kill --signal=KILL postgresql@17-main.service", check=False)
        load.wait_for(20)
        on_host("mail", "systemctl start postgresql@17-main.service")
        load.wait_for(10)
    ledger.hold(load.accepted)


def test_two_mail_hosts_write_at_once(world, on_host, ledger):
    """One has mailboxes, database and directory; the other reaches them over the network."""
    with mail_under_load(world, sessions=6, hosts=MAIL_HOSTS) as load:
        load.wait_for(20)
        for host in MAIL_HOSTS:
            on_host(host, "systemctl kill --signal=KILL kommunpost-shipper.service")
        load.wait_for(10)
        on_host("mail", "systemctl kill --signal=KILL postgresql@17-main.service", check=False)
        load.wait_for(20)
        on_host("mail", "systemctl start postgresql@17-main.service")
        load.wait_for(10)
    ledger.hold(load.accepted)
    assert ledger.hosts_of(load.accepted) == {"mail.sjovalla.example", "mx2.sjovalla.example"}


def test_the_milter_is_killed_again_and_again(world, on_host, ledger):
    with mail_under_load(world) as load:
        for _ in range(5):
            load.wait_for(5)
            on_host("mail", "systemctl kill --signal=KILL kommunpost-milter.service", check=False)
        load.wait_for(10)
    assert load.refused, "the milter was never away while mail came"
    ledger.hold(load.accepted)


def test_shipper_and_follower_are_killed_and_paused(world, on_host, ledger):
    services = "kommunpost-shipper.service kommunpost-follower.service"
    with mail_under_load(world) as load:
        load.wait_for(10)
        on_host("mail", f"systemctl kill --signal=KILL {services}")
        load.wait_for(20)
        on_host("mail", f"systemctl kill --signal=STOP {services}", check=False)
        load.wait_for(20)
        on_host("mail", f"systemctl kill --signal=CONT {services}", check=False)
    ledger.hold(load.accepted)


def test_the_journal_is_rotated_meanwhile(world, on_host, ledger):
    with mail_under_load(world) as load:
        load.wait_for(10)
        on_host("mail", "journalctl --rotate")
        load.wait_for(10)
        on_host("mail", "systemctl restart kommunpost-follower.service && journalctl --rotate")
        load.wait_for(10)
    ledger.hold(load.accepted)


def test_the_host_is_killed_and_started_again(world, lab, ledger):
    with mail_under_load(world) as load:
        load.wait_for(20)
        lab("kill", "mail")
        lab("start", "mail")
        load.wait_for(20, seconds=240)
    ledger.hold_after_a_crash(load.accepted)


def test_what_postfix_said_last_dies_with_the_host(world, lab, on_host, ledger):
    """journald stands still, as if it had not come to read, while letters are delivered."""
    with mail_under_load(world, sessions=1) as load:
        load.wait_for(3)
        on_host("mail", "systemctl kill --signal=STOP systemd-journald.service")
        load.wait_for(3)
    lab("kill", "mail")
    lab("start", "mail")
    ledger.hold_after_a_crash(load.accepted, seconds=60)
