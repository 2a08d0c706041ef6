"""An outbox that lost, damaged or got back files: mail goes on, and what was answered is shipped.

Each record that was answered for is in the database exactly once, or an alarm names it.
"""

import os
import re
import shutil
import threading
from datetime import UTC, datetime

import pytest
from conftest import make_entry

from compliance.errors import UserError
from compliance.messagelog import health, outbox_reader, ship
from compliance.messagelog import outbox as outbox_module
from compliance.messagelog.outbox import Outbox, OutboxUnavailableError
from compliance.messagelog.outbox_folder import REQUEST, RESCUED, chains, segments
from compliance.messagelog.outbox_reader import OutboxReader
from compliance.messagelog.ship import Shipper
from compliance.notify import Notifier
from compliance.settings import Capture, Log

HOST = "mail.sjovalla.example"


class Stop(threading.Event):
    """Ends the shipper after so many waits, without waiting."""

    def __init__(self, waits):
        super().__init__()
        self._waits = waits

    def wait(self, timeout=None):
        self._waits -= 1
        if self._waits <= 0:
            self.set()
        return self.is_set()


class MailHost:
    """An outbox, its database, and how the technician sees both."""

    def __init__(self, folder, dsn, reader):
        self.folder = folder
        self._dsn = dsn
        self._reader = reader

    def log(self, *queue_ids, host=HOST):
        """Start the milter, let it answer for mail, and stop it. Returns where each went."""
        box = Outbox(self.folder, host)
        where = {}
        for name in queue_ids:
            box.append([make_entry(queue_id=name, host=host)])
            where[name] = (box._chain, box._tail.sequence)
        box.close()
        return where

    def ship(self, waits=4, host=HOST):
        shipper = Shipper(self.folder, host, Log(dsn=self._dsn("writer")), Notifier("", 60))
        shipper.run(Stop(waits))
        return self.stored()

    def stored(self):
        rows = self._reader.execute("SELECT queue_id FROM log.entry")
        return sorted(name for (name,) in rows)

    def alarms(self):
        own = Capture(host=HOST, socket="unix:/x", outbox=self.folder, probe_key_file="/x")
        return health.look(Log(dsn=self._dsn("writer")), own, datetime.now(UTC)).problems

    def told(self):
        return "\n".join(str(problem) for problem in self.alarms())

    def last(self):
        return segments(self.folder)[-1]


@pytest.fixture
def reader(connect):
    return connect("reader")


@pytest.fixture
def host(tmp_path, dsn, reader, monkeypatch):
    monkeypatch.setattr(health, "_PAUSE_SECONDS", 0)  # no milter is there to be waited for
    return MailHost(tmp_path / "outbox", dsn, reader)


def names(first, last, letter="q"):
    return [f"{letter}{number:03d}" for number in range(first, last + 1)]


def lines(path):
    return path.read_bytes().splitlines(keepends=True)


def test_an_undamaged_outbox_gives_no_alarm_about_itself(host):
    host.log(*names(1, 5))
    host.log(*names(6, 9))
    assert host.ship() == names(1, 9)
    assert not re.search("record|chain", host.told())
    assert chains(host.folder) == [host.folder]


def test_a_segment_that_lost_its_shipped_end_costs_no_later_mail(host):
    host.log(*names(1, 10))
    host.ship()
    path = host.last()
    path.write_bytes(b"".join(lines(path)[:8]))
    host.log(*names(1, 3, "n"))
    assert host.ship() == names(1, 3, "n") + names(1, 10)
    assert "what comes after record 7 is lost or damaged" in host.told()


def test_a_segment_that_lost_its_unshipped_end_is_told_and_the_rest_is_shipped(host):
    host.log(*names(1, 10))
    path = host.last()
    path.write_bytes(b"".join(lines(path)[:8]))
    host.log("n001")
    assert "what comes after record 7 is lost or damaged" in host.told()  # before any shipping
    assert host.ship() == ["n001", *names(1, 7)]


@pytest.mark.parametrize("harm", ["empty", "deleted"])
def test_a_segment_that_lost_all_costs_no_later_mail(host, harm):
    host.log(*names(1, 3))
    host.ship()
    host.last().write_bytes(b"") if harm == "empty" else host.last().unlink()
    host.log("n001", "n002")
    assert host.ship() == ["n001", "n002", *names(1, 3)]
    assert "record" in host.told()


@pytest.mark.parametrize("is_stopped", [True, False])
def test_a_restored_backup_loses_nothing_that_was_answered_since(host, is_stopped):
    host.log("q001", "q002")
    backup = host.folder.with_name("backup")
    shutil.copytree(host.folder, backup)
    host.log(*names(3, 5))
    host.ship()
    shutil.rmtree(host.folder)
    shutil.move(backup, host.folder)
    host.log(*names(1, 3 if is_stopped else 1, "r"))
    host.ship()
    assert (host.folder / REQUEST).exists()
    what = "does not follow the one before|is not the one that the database has|which is lost"
    assert re.search(what, host.told())
    host.log("s001")
    assert host.ship() == names(1, 5) + names(1, 3 if is_stopped else 1, "r") + ["s001"]
    assert "records that the database lacked were saved" in host.told()
    assert host.ship() == names(1, 5) + names(1, 3 if is_stopped else 1, "r") + ["s001"]


@pytest.mark.parametrize("junk", [b"\xff\xfe\x00", b'"', b"A", b"\n"])
def test_damage_in_the_middle_takes_no_record_but_its_own(host, junk):
    host.log(*names(1, 6))
    path = host.last()
    broken = lines(path)
    broken[3] = broken[3].replace(b"Bygglov", junk, 1)
    path.write_bytes(b"".join(broken))
    host.log("n001")
    assert host.ship() == ["n001", "q001", "q002", "q004", "q005", "q006"]
    assert "lost: 3, and" in host.told()
    assert not list(host.folder.glob("*.torn-*"))


def test_damage_before_the_milter_stops_ends_neither_shipper_nor_alarm(host):
    host.log(*names(1, 4))
    path = host.last()
    path.write_bytes(path.read_bytes().replace(b"Bygglov", b"\xff\xfelov", 1))
    assert host.ship() == []
    assert "record 1 is damaged" in host.told()
    host.log("n001")
    assert host.ship() == ["n001", "q002", "q003", "q004"]


def test_the_sound_records_before_damage_are_shipped_at_once(host):
    host.log(*names(1, 4))
    broken = lines(host.last())
    host.last().write_bytes(b"".join([*broken[:3], b"\xff" + broken[3][1:], broken[4]]))
    assert host.ship() == ["q001", "q002"]
    assert f"{host.last()}: record 3 is damaged" in host.told()


def test_an_earlier_segment_that_was_cut_is_told_and_passed(host, monkeypatch):
    monkeypatch.setattr(outbox_module, "SEGMENT_BYTES", 2000)
    host.log(*names(1, 9))
    first = segments(host.folder)[0]
    kept = lines(first)
    first.write_bytes(b"".join(kept[:2]) + kept[2][:40])
    host.ship()
    assert f"{first}: record 2 is damaged" in host.told()
    host.log("n001")
    lost = int(segments(host.folder)[1].stem) - 1
    assert host.ship() == ["n001", "q001", *names(lost + 1, 9)]


def test_a_damaged_file_that_is_put_back_brings_what_was_lost(host):
    host.log(*names(1, 6))
    good = host.last().read_bytes()
    path = host.last()
    path.write_bytes(good.replace(b"q003", b"\xff\xff\xff\xff"))
    host.log("n001")
    assert "q003" not in host.ship()
    path.write_bytes(good)
    shutil.rmtree(host.folder / RESCUED)
    assert host.ship() == ["n001", *names(1, 6)]
    (host.folder / RESCUED / "damage").unlink()
    (host.folder / "chain-0002" / "damage").unlink()
    assert not re.search("record|chain", host.told())


def test_a_host_that_got_another_name_goes_on_shipping(host):
    host.log("q001", "q002")
    host.ship()
    host.log("q003")
    host.log("q004", host="new.example")
    assert host.ship(host="new.example") == names(1, 4)
    host.log("q005", host="new.example")
    assert host.ship(host="new.example") == names(1, 5)
    assert len(chains(host.folder)) == 2
    assert not re.search("record|chain", host.told())


def test_an_outbox_with_two_hosts_in_one_chain_is_shipped_all_the_same(host):
    box = Outbox(host.folder)
    box.append([make_entry(queue_id="q001")])
    box.append([make_entry(queue_id="q002", host="new.example")])
    box.close()
    host.ship(host="new.example")
    host.log("q003", host="new.example")
    assert host.ship(host="new.example") == names(1, 3)


@pytest.mark.parametrize("text", [None, "\xff", "0e7f3c3e-6f43-4d5c-9a3a-0d6a52d3c111\n"])
def test_a_lost_or_foreign_identity_stops_no_mail(host, text):
    host.log(*names(1, 3))
    identity = host.folder / "identity"
    identity.unlink() if text is None else identity.write_text(text, encoding="latin-1")
    host.log("n001")
    assert host.ship() == ["n001", *names(1, 3)]
    assert "identity" in host.told() or "not one of this outbox" in host.told()


def test_of_an_outbox_without_identity_the_records_before_its_first_segment_are_named(
    host, monkeypatch
):
    monkeypatch.setattr(outbox_module, "SEGMENT_BYTES", 2000)
    host.log(*names(1, 9))
    first, second, *_ = segments(host.folder)
    (host.folder / "identity").unlink()
    first.unlink()
    host.log("n001")
    lost = int(second.stem) - 1
    assert host.ship() == ["n001", *names(lost + 1, 9)]
    assert f"lost: 1 to {lost}, and" in host.told()


def test_a_restored_outbox_that_had_lost_its_identity_brings_nothing_twice(host):
    host.log(*names(1, 3))
    backup = host.folder.with_name("backup")
    shutil.copytree(host.folder, backup)
    (host.folder / "identity").unlink()
    host.log("n001")
    assert host.ship() == ["n001", *names(1, 3)]
    shutil.rmtree(host.folder)
    shutil.move(backup, host.folder)
    host.log("n002")
    host.ship()
    host.log("n003")
    assert host.ship() == ["n001", "n002", "n003", *names(1, 3)]


def test_files_that_are_taken_from_under_the_milter_are_noticed(host):
    box = Outbox(host.folder, HOST)
    box.append([make_entry(queue_id="q001")])
    segments(host.folder)[0].unlink()
    box.append([make_entry(queue_id="q002")])
    box.close()
    assert host.ship() == ["q002"]
    assert "changed while it was written to" in host.told()


def test_a_new_chain_that_cannot_be_begun_refuses_and_is_tried_again(host, monkeypatch):
    box = Outbox(host.folder, HOST)
    (host.folder / REQUEST).write_text("{}", encoding="utf-8")

    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(outbox_module, "begin_next", full)
        with pytest.raises(OutboxUnavailableError, match="No space"):
            box.append([make_entry()])
    box.append([make_entry(queue_id="q001")])
    box.close()
    assert host.ship() == ["q001"]


def test_a_folder_that_cannot_be_listed_for_a_moment_is_not_taken_for_an_empty_one(
    host, monkeypatch
):
    host.log("q001")

    def refuse(folder="."):
        raise PermissionError(13, "Permission denied", str(folder))

    with monkeypatch.context() as failing:
        failing.setattr(os, "listdir", refuse)
        failing.setattr(os, "scandir", refuse)
        with pytest.raises(UserError, match="Permission denied"):
            Outbox(host.folder, HOST)
    host.log("q002")
    assert host.ship() == ["q001", "q002"]
    assert chains(host.folder) == [host.folder]


def test_a_torn_end_of_before_with_whole_records_is_told(host):
    host.log("q001", "q002")
    torn = host.last().with_suffix(".torn-99")
    torn.write_bytes(lines(host.last())[2])
    assert "records 2 to 2 were cut off" in host.told()
    torn.write_bytes(lines(host.last())[2][:90])
    assert "cut off" not in host.told()


def test_a_crash_in_the_middle_of_saving_neither_loses_nor_doubles(host, monkeypatch):
    host.log(*names(1, 5))
    path = host.last()
    path.write_bytes(path.read_bytes().replace(b"q002", b"\xff\xff\xff\xff"))
    host.log("n001")
    for step in ("rescue", "_ship_left"):
        with monkeypatch.context() as killed:
            real = getattr(Shipper, step, None) or getattr(ship, step)

            def stop_there(*arguments, real=real, step=step):
                if step == "rescue" or arguments[1].name == RESCUED:
                    raise OSError("killed")
                return real(*arguments)

            killed.setattr(Shipper if step == "_ship_left" else ship, step, stop_there)
            assert host.ship() == ["q001"]
    assert host.ship() == ["n001", "q001", "q003", "q004", "q005"]
    assert host.ship() == ["n001", "q001", "q003", "q004", "q005"]


def test_a_full_disk_is_freed_of_what_is_shipped_oldest_first(host, monkeypatch):
    monkeypatch.setattr(outbox_module, "SEGMENT_BYTES", 2000)
    host.log(*names(1, 12))
    reader = OutboxReader(host.folder)
    reader.seek(12)
    before = segments(host.folder)
    reader.forget(12)
    assert segments(host.folder) == before  # kept for a database that comes from a backup
    monkeypatch.setattr(
        outbox_reader, "is_nearly_full", lambda folder: len(segments(folder)) > len(before) - 2
    )
    reader.forget(12)
    assert segments(host.folder) == before[2:]
    monkeypatch.setattr(outbox_reader, "is_nearly_full", lambda _: True)
    reader.forget(int(before[3].stem) - 1)
    assert segments(host.folder) == before[3:]  # nothing that is not shipped
    assert host.ship() == []  # and a database that asks for what is gone is told
    assert "not in the outbox any more" in host.told()
