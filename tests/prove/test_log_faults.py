"""What takes long to prove of the log's durability, under the load of `smtp-source`.

The short forms stand in tests/faults. What is asked after each is the same: every letter that was
answered with 250 is logged once and delivered, and `log reconcile` and `log verify` agree.
"""

import random
from contextlib import contextmanager

import pytest
from mail_load import Ledger
from mail_source import smtp_source
from milter_clock import milter_clock

KILLS = 100
POSTGRESQL = "postgresql@17-main.service"
DATA = "/var/lib/postgresql/17/main"
OUTBOX = "/var/lib/kommunpost/outbox"
MILTER, SHIPPER = "kommunpost-milter.service", "kommunpost-shipper.service"


@pytest.fixture
def ledger(on_host, kommunpost):
    return Ledger(on_host, kommunpost)


@pytest.fixture
def mail(on_host):
    """Run a command on the mail host."""
    return lambda command, check=True: on_host("mail", command, check=check)


@contextmanager
def small_disk(mail, folder: str, size: str, services: str):
    """Lay a folder on a disk of its own, whose filling is the test's to make and remove."""
    stop, start = f"systemctl stop {services}", f"systemctl start {services}"
    move = "cp -a --no-target-directory"
    mail(
        f"{stop} && mv {folder} {folder}.kept && mkdir {folder} && mount -t tmpfs -o size={size}"
        f" small {folder} && {move} {folder}.kept {folder} && {start}"
    )
    try:
        yield
    finally:
        mail(
            f"{stop}; rm -rf {folder}/filler {folder}.kept && {move} {folder} {folder}.new"
            f" && umount {folder} && rmdir {folder} && mv {folder}.new {folder} && {start}"
        )


def test_the_milter_is_killed_a_hundred_times_at_random(world, on_host, mail, ledger):
    chance = random.Random(17)
    with smtp_source(world, on_host, 4000, pause=1) as source:
        source.wait_for(20)
        for _ in range(KILLS):
            pause = chance.uniform(0, 1)
            mail(f"sleep {pause:.2f}; systemctl kill --signal=KILL {MILTER}", check=False)
        accepted = source.finish()
        assert source.refused(), "the milter was never away while mail came"
    ledger.hold(accepted, seconds=300)


def test_the_database_is_stopped_for_ten_minutes(world, on_host, mail, ledger):
    with smtp_source(world, on_host, 1200, sessions=5, pause=4) as source:
        source.wait_for(20)
        mail(f"systemctl stop {POSTGRESQL}")
        try:
            for _ in range(3):
                mail("sleep 200")
            said = mail("systemctl start kommunpost-log-health.service", check=False)
            said = mail("journalctl -u kommunpost-log-health.service -n 20 --output=cat")
            assert "PostgreSQL cannot be reached" in said
        finally:
            mail(f"systemctl start {POSTGRESQL}")
        accepted = source.finish()
        assert source.refused() == [], "mail had to wait for the database"
    ledger.hold(accepted, seconds=300)


def test_the_database_is_killed_ten_times(world, on_host, mail, ledger):
    with smtp_source(world, on_host, 1500, pause=1) as source:
        source.wait_for(20)
        for _ in range(10):
            mail(f"systemctl kill --signal=KILL {POSTGRESQL}", check=False)
            mail(f"sleep 2; systemctl start {POSTGRESQL}")
        accepted = source.finish()
        assert source.refused() == [], "mail had to wait for the database"
    ledger.hold(accepted, seconds=300)


def test_the_databases_disk_is_full(world, on_host, mail, ledger):
    """The write-ahead log gets a small disk of its own, which is filled while mail comes."""
    wal = f"{DATA}/pg_wal"
    with small_disk(mail, wal, "400m", POSTGRESQL):
        with smtp_source(world, on_host, 1500, pause=1) as source:
            source.wait_for(20)
            mail(f"dd if=/dev/zero of={wal}/filler bs=64k", check=False)
            mail("runuser -u postgres -- psql -c 'SELECT pg_switch_wal()'", check=False)
            source.wait_for(600)
            told = mail(f"journalctl -u {SHIPPER} --since -2min --output=cat")
            assert "shipping waits" in told, "the full disk was not felt"
            mail(f"rm {wal}/filler; systemctl restart {POSTGRESQL}")
            accepted = source.finish()
            assert source.refused() == [], "mail had to wait for the database"
        ledger.hold(accepted, seconds=300)


def test_the_outboxs_disk_is_full(world, on_host, mail, ledger):
    with small_disk(mail, OUTBOX, "200m", f"{MILTER} {SHIPPER}"):
        with smtp_source(world, on_host, 2000, pause=1) as source:
            source.wait_for(20)
            mail(f"dd if=/dev/zero of={OUTBOX}/filler bs=4k", check=False)
            mail("systemctl start kommunpost-log-health.service", check=False)
            said = mail("journalctl -u kommunpost-log-health.service -n 20 --output=cat")
            assert "the outbox cannot write, so no mail is accepted" in said
            mail(f"sleep 10; rm {OUTBOX}/filler")
            accepted = source.finish()
            answers = source.refused()
            assert answers, "every letter was accepted"
            assert [one for one in answers if " 451 4." not in f" {one}"] == []
        ledger.hold(accepted, seconds=300)


def test_the_host_is_killed_and_started_again(world, on_host, lab, ledger):
    with smtp_source(world, on_host, 2000, pause=1) as source:
        for many in (50, 600):
            source.wait_for(many, seconds=240)
            lab("kill", "mail")
            lab("start", "mail")
        accepted = source.finish()
    ledger.hold_after_a_crash(accepted, seconds=300)


def test_the_shipper_is_paused_for_a_day_of_entries(world, on_host, mail, ledger):
    """Ten thousand letters, a day of a municipality of a thousand employees."""
    mail(f"systemctl stop {SHIPPER}")
    try:
        with smtp_source(world, on_host, 10_000) as source:
            accepted = source.finish(seconds=900)
    finally:
        mail(f"systemctl start {SHIPPER}")
    ledger.hold(accepted, seconds=900)


def test_the_milters_clock_is_set_back_over_midnight(world, on_host, mail, ledger):
    with (
        milter_clock(on_host) as step,
        smtp_source(world, on_host, 1500, pause=1) as source,
    ):
        source.wait_for(100)
        step("-26h")
        source.wait_for(600)
        step("+0")
        accepted = source.finish()
        assert source.refused() == [], "mail had to wait for the clock"
    days = mail(
        'runuser -u postgres -- psql -Atd kommunpost -c "SELECT count(DISTINCT'
        " accepted_at::date) FROM log.entry WHERE subject LIKE 'Under last%'\""
    )
    assert int(days) > 1, "the clock never went back"
    ledger.hold(accepted, seconds=300)
