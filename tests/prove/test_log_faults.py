"""Long forms of tests/faults/test_log_under_load.py: a hundred kills, and disks that are full."""

import random

import pytest
from mail_load import Ledger, mail_under_load

KILLS = 100
DATA = "/var/lib/postgresql/17/main"


@pytest.fixture
def ledger(on_host, kommunpost):
    return Ledger(on_host, kommunpost)


def test_the_milter_is_killed_a_hundred_times_at_random(world, on_host, ledger):
    chance = random.Random(17)
    with mail_under_load(world, sessions=10) as load:
        for _ in range(KILLS):
            load.wait_for(chance.randint(0, 6))
            on_host("mail", "systemctl kill --signal=KILL kommunpost-milter.service", check=False)
        load.wait_for(20)
    ledger.hold(load.accepted, seconds=600)


def test_the_databases_disk_is_full(world, on_host, ledger):
    """The write-ahead log gets a small disk of its own, which is filled while mail comes."""
    stop = "systemctl stop postgresql@17-main.service"
    start = "systemctl start postgresql@17-main.service"
    on_host(
        "mail",
        f"{stop} && mv {DATA}/pg_wal {DATA}/../pg_wal.kept && mkdir {DATA}/pg_wal"
        f" && mount -t tmpfs -o size=400m,mode=0700 wal {DATA}/pg_wal"
        f" && cp -a {DATA}/../pg_wal.kept/. {DATA}/pg_wal/"
        f" && chown postgres: {DATA}/pg_wal && {start}",
    )
    try:
        with mail_under_load(world) as load:
            load.wait_for(10)
            on_host("mail", f"dd if=/dev/zero of={DATA}/pg_wal/filler bs=64k", check=False)
            on_host("mail", "runuser -u postgres -- psql -c 'SELECT pg_switch_wal()'", check=False)
            load.wait_for(50)
            on_host(
                "mail", f"rm {DATA}/pg_wal/filler; systemctl restart postgresql@17-main.service"
            )
            load.wait_for(10)
        ledger.hold(load.accepted, seconds=600)
    finally:
        on_host(
            "mail",
            f"{stop}; rm -f {DATA}/pg_wal/filler; mkdir {DATA}/../pg_wal.new"
            f" && cp -a {DATA}/pg_wal/. {DATA}/../pg_wal.new/ && umount {DATA}/pg_wal"
            f" && rmdir {DATA}/pg_wal && mv {DATA}/../pg_wal.new {DATA}/pg_wal"
            f" && chown postgres: {DATA}/pg_wal && chmod 700 {DATA}/pg_wal"
            f" && rm -rf {DATA}/../pg_wal.kept && {start}",
        )


def test_the_outboxs_disk_is_full_under_load(world, on_host, ledger):
    folder = "/var/lib/kommunpost"
    on_host(
        "mail",
        "systemctl stop kommunpost-shipper kommunpost-milter"
        f" && mv {folder}/outbox {folder}/outbox.kept && mkdir {folder}/outbox"
        f" && mount -t tmpfs -o size=40m,mode=0750 full {folder}/outbox"
        f" && cp -a {folder}/outbox.kept/. {folder}/outbox/ && chown kommunpost: {folder}/outbox"
        " && systemctl start kommunpost-milter kommunpost-shipper",
    )
    try:
        with mail_under_load(world) as load:
            load.wait_for(10)
            on_host("mail", f"dd if=/dev/zero of={folder}/outbox/filler bs=4k", check=False)
            load.wait_for_refusal()
            on_host("mail", f"rm {folder}/outbox/filler")
            load.wait_for(20)
        ledger.hold(load.accepted, seconds=600)
        assert set(load.refused) <= {451}
    finally:
        on_host(
            "mail",
            "systemctl stop kommunpost-shipper kommunpost-milter"
            f" && rm -rf {folder}/outbox.kept && cp -a {folder}/outbox {folder}/outbox.new"
            f" && umount {folder}/outbox && rmdir {folder}/outbox"
            f" && mv {folder}/outbox.new {folder}/outbox && rm -f {folder}/outbox/filler"
            " && systemctl start kommunpost-milter kommunpost-shipper",
        )
