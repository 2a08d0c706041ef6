"""The outbox: what it took is on disk and stays in order, whatever happens to process and disk."""

import json
import os
import signal
import subprocess
import sys
import threading
import tracemalloc
from pathlib import Path

import pytest

from compliance.errors import UserError
from compliance.messagelog import outbox as outbox_module
from compliance.messagelog import outbox_reader
from compliance.messagelog.entry import digest, first_chain, from_json, is_linked
from compliance.messagelog.outbox import Outbox, OutboxUnavailableError
from compliance.messagelog.outbox_folder import BrokenChainError, read_identity, segments
from compliance.messagelog.outbox_reader import OutboxReader


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "outbox"


def records(folder, limit=100_000):
    """Everything that the shipper would see, held to be one unbroken chain."""
    reader = OutboxReader(folder)
    found = [from_json(json.loads(line)) for line in reader.read(limit).lines]
    previous = first_chain(read_identity(folder))
    for number, record in enumerate(found, 1):
        assert record.sequence == number
        assert is_linked(previous, record)
        assert digest(record.entry, record.seed, record.version) == record.digest
        previous = record.chain
    return found


def append_and_close(folder, entries):
    box = Outbox(folder)
    box.append(entries)
    box.close()


def test_what_was_appended_is_read_back_as_it_was(folder, entry):
    entries = [
        entry(subject="a\u2603\U0001f600"),
        entry(recipient="bo@sjovalla.example", label="x"),
    ]
    append_and_close(folder, entries)
    assert [record.entry for record in records(folder)] == entries


def test_the_chain_goes_on_after_a_restart(folder, entry):
    for number in range(3):
        append_and_close(folder, [entry(queue_id=str(number))])
    assert [record.entry.queue_id for record in records(folder)] == ["0", "1", "2"]


def test_many_threads_each_get_their_own_in_and_share_syncs(folder, entry, monkeypatch):
    syncs = []
    real = os.fdatasync
    monkeypatch.setattr(os, "fdatasync", lambda fd: (syncs.append(fd), real(fd)))
    box = Outbox(folder)

    def session(name):
        for number in range(20):
            box.append([entry(queue_id=f"{name}-{number}")])

    threads = [threading.Thread(target=session, args=(name,)) for name in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    box.close()
    found = [record.entry.queue_id for record in records(folder)]
    assert sorted(found) == sorted(f"{name}-{number}" for name in range(20) for number in range(20))
    for name in range(20):  # each session's own order is kept
        own = [queue_id for queue_id in found if queue_id.startswith(f"{name}-")]
        assert own == [f"{name}-{number}" for number in range(20)]
    assert len(syncs) < 200


def test_the_shipper_sees_nothing_that_is_not_durable(folder, entry, monkeypatch):
    box = Outbox(folder)
    box.append([entry(queue_id="first")])
    seen = []
    real = os.fdatasync

    def look_before_the_sync(fd):
        seen.append([record.entry.queue_id for record in records(folder)])
        real(fd)

    monkeypatch.setattr(os, "fdatasync", look_before_the_sync)
    box.append([entry(queue_id="second")])
    assert seen == [["first"]]
    assert [record.entry.queue_id for record in records(folder)] == ["first", "second"]


@pytest.mark.parametrize("failing", ["write", "fdatasync"])
def test_a_disk_that_fails_refuses_and_recovers(folder, entry, monkeypatch, failing):
    box = Outbox(folder)
    box.append([entry(queue_id="before")])
    real_write = os.write

    def half_then_full(fd, data):
        if len(data) < 100:
            raise OSError(28, "No space left on device")
        return real_write(fd, data[: len(data) // 2])

    def failed_sync(fd):
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as broken:
        broken.setattr(os, failing, half_then_full if failing == "write" else failed_sync)
        for _ in range(3):
            with pytest.raises(OutboxUnavailableError):
                box.append([entry(queue_id="lost")])
            assert [record.entry.queue_id for record in records(folder)] == ["before"]
    box.append([entry(queue_id="after")])
    box.close()
    append_and_close(folder, [entry(queue_id="restarted")])
    assert [record.entry.queue_id for record in records(folder)] == [
        "before",
        "after",
        "restarted",
    ]


def test_what_a_failed_sync_took_back_stays_gone_after_a_restart(folder, entry, monkeypatch):
    box = Outbox(folder)
    box.append([entry(queue_id="before")])

    def failed_sync(fd):
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as broken:
        broken.setattr(os, "fdatasync", failed_sync)
        with pytest.raises(OutboxUnavailableError):
            box.append([entry(queue_id="refused")])
    box.close()
    append_and_close(folder, [entry(queue_id="after")])
    assert [record.entry.queue_id for record in records(folder)] == ["before", "after"]


def test_what_was_put_off_is_not_in_the_log_though_only_the_mark_cannot_be_written(
    folder, entry, monkeypatch
):
    box = Outbox(folder)
    box.append([entry(queue_id="before")])

    def failed_write(fd, data, offset):
        raise OSError(5, "Input/output error")

    accepted = ["before"]
    with monkeypatch.context() as broken:
        broken.setattr(os, "pwrite", failed_write)
        for number in range(3):
            try:
                box.append([entry(queue_id=str(number))])
                accepted.append(str(number))
            except OutboxUnavailableError:
                pass  # answered with 451: it will come again
    box.append([entry(queue_id="after")])
    box.close()
    assert [record.entry.queue_id for record in records(folder)] == [*accepted, "after"]


def test_a_torn_tail_is_set_aside_and_the_chain_goes_on(folder, entry):
    append_and_close(folder, [entry(queue_id="whole")])
    path = segments(folder)[-1]
    line = path.read_bytes().splitlines(keepends=True)[-1]
    with path.open("ab") as file:
        file.write(line[:50] + b"\0" * 30 + b"\n" + line)
    append_and_close(folder, [entry(queue_id="next")])
    assert [record.entry.queue_id for record in records(folder)] == ["whole", "next"]
    assert len(list(folder.glob("*.torn-*"))) == 1


def test_a_segment_cut_off_at_birth_is_passed_over(folder, entry):
    append_and_close(folder, [entry(queue_id="one")])
    (folder / f"{2:020d}.jsonl").write_bytes(b'{"outbox_id":')
    append_and_close(folder, [entry(queue_id="two")])
    assert [record.entry.queue_id for record in records(folder)] == ["one", "two"]


def test_an_altered_record_is_found(folder, entry):
    append_and_close(folder, [entry(subject="Hemlig affär"), entry()])
    path = segments(folder)[-1]
    path.write_bytes(path.read_bytes().replace(b"Hemlig", "Öppen".encode(), 1))
    with pytest.raises(BrokenChainError, match="record 1 is damaged"):
        records(folder)


def test_segments_roll_and_old_ones_are_forgotten_only_when_shipped(folder, entry, monkeypatch):
    monkeypatch.setattr(outbox_module, "SEGMENT_BYTES", 2000)
    box = Outbox(folder)
    for number in range(12):
        box.append([entry(queue_id=str(number))])
    box.close()
    assert len(segments(folder)) > 3
    assert len(records(folder)) == 12
    reader = OutboxReader(folder)
    reader.seek(7)
    assert reader.read(3).first == 8
    reader.forget(12)
    assert len(records(folder)) == 12  # a database restored from backup may ask again
    monkeypatch.setattr(outbox_reader, "RETENTION_SECONDS", -60)
    reader.forget(3)
    reader.seek(3)
    assert reader.read(100).last == 12
    reader.forget(12)
    assert len(segments(folder)) == 1
    reader.seek(0)
    with pytest.raises(UserError, match="not in the outbox any more"):
        reader.read(1)


def test_a_long_letter_to_many_is_read_in_batches_that_memory_can_hold(folder, entry):
    letter = entry(subject="å" * 30_000, subject_raw=b"\xe5" * 60_000)
    append_and_close(folder, [entry(), *[letter] * 100, entry()])
    reader, sizes, last = OutboxReader(folder), [], 0
    while (batch := reader.read(1_000)).lines:
        assert batch.first == last + 1
        last = batch.last
        sizes.append(sum(len(line.encode()) for line in batch.lines))
    assert last == 102
    assert max(sizes) < 5_000_000  # of 18 in all


def test_a_long_letter_to_many_is_in_memory_once(folder, entry):
    letter = entry(subject="å" * 30_000, subject_raw=b"\xe5" * 60_000)
    box = Outbox(folder)
    tracemalloc.start()
    try:
        box.append([letter] * 100)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    (segment,) = segments(folder)
    assert most < 1.5 * segment.stat().st_size
    assert len(segment.read_bytes().splitlines()) == 1 + 100  # with its head


def test_a_record_that_cannot_be_written_harms_no_other(folder, entry):
    box = Outbox(folder)
    with pytest.raises(OutboxUnavailableError):
        box.append([entry(subject="\ud800")])
    box.append([entry(queue_id="good")])
    assert [record.entry.queue_id for record in records(folder)] == ["good"]


def test_only_one_process_writes(folder):
    box = Outbox(folder)
    with pytest.raises(UserError, match="another process"):
        Outbox(folder)
    box.close()
    Outbox(folder).close()


def test_the_reader_says_that_there_is_no_outbox(folder):
    with pytest.raises(UserError, match="kommunpost-milter"):
        OutboxReader(folder)


_WRITER = """
import sys, threading
sys.path[:0] = [{tests!r}]
from pathlib import Path
from conftest import make_entry
from compliance.messagelog.outbox import Outbox, OutboxUnavailableError
box = Outbox(Path({folder!r}))
def session(name):
    for number in range(100_000):
        box.append([make_entry(queue_id=f"{{name}}-{{number}}")])
        sys.stdout.write(f"{{name}}-{{number}}\\n"); sys.stdout.flush()
for name in {names}:
    threading.Thread(target=session, args=(name,), daemon=True).start()
threading.Event().wait()
"""


def test_a_killed_writer_lost_nothing_that_it_had_answered(folder, tmp_path):
    answered = []
    for life in range(3):
        names = [f"{life}{name}" for name in "abcd"]
        code = _WRITER.format(folder=str(folder), tests=str(Path(__file__).parent), names=names)
        writer = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
        lines = [writer.stdout.readline() for _ in range(50)]
        writer.send_signal(signal.SIGKILL)
        lines += writer.communicate()[0].splitlines(keepends=True)
        answered += [line.strip() for line in lines if line.endswith("\n")]
    append_and_close(folder, [])
    found = [record.entry.queue_id for record in records(folder)]
    assert len(found) == len(set(found))
    assert set(answered) <= set(found)
