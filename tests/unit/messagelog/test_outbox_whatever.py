"""Whatever befalls the folder of an outbox, each record that was answered is stored or named."""

import itertools
import os
import re
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_outbox_damage import MailHost

from compliance.messagelog import health
from compliance.messagelog import outbox as outbox_module
from compliance.messagelog.outbox_folder import RESCUED, all_chains, segments

HARMS = ("cut", "damage", "empty", "delete", "identity")
STEPS = st.one_of(
    st.tuples(st.just("log"), st.integers(1, 5)),
    st.tuples(st.sampled_from(("ship", "save", "restore")), st.just(0)),
    st.tuples(st.sampled_from(HARMS), st.integers(0, 2**20)),
)
_numbers = itertools.count(1)


@pytest.fixture
def reader(connect):
    """One connection for all examples."""
    return connect("reader")


class Trial:
    """A mail host to which anything happens, and what it has answered for."""

    def __init__(self, host):
        self.host = host
        self.answered = {}
        self.heard = set()

    def step(self, kind, number):
        if kind == "log":
            fresh = [f"h{next(_numbers):06d}" for _ in range(number)]
            self.answered |= self.host.log(*fresh)
        elif kind == "ship":
            self.host.ship()
        elif kind == "save":
            shutil.rmtree(self._backup, ignore_errors=True)
            shutil.copytree(self.host.folder, self._backup)
        elif kind == "restore" and self._backup.exists():
            # What was never shipped and is in no backup leaves no trace: `reconcile` finds that.
            self.settle()
            shutil.rmtree(self.host.folder)
            shutil.copytree(self._backup, self.host.folder)
        elif kind in HARMS:
            self._harm(kind, number)
        self.heard |= {(one.where, one.what) for one in self.host.alarms()}

    def settle(self):
        """Let the milter take mail and the shipper work until all is as well as it can be."""
        for _ in range(3):
            self.step("log", 1)
            self.step("ship", 0)

    @property
    def _backup(self):
        return self.host.folder.with_name(f"{self.host.folder.name}-backup")

    def _harm(self, kind, number):
        found = [path for chain in all_chains(self.host.folder) for path in segments(chain)]
        if not found:
            return
        path = found[number % len(found)]
        data = bytearray(path.read_bytes())
        if kind == "identity":
            (path.parent / "identity").write_bytes(b"\xff")
        elif kind == "delete":
            path.unlink()
        elif kind == "empty":
            path.write_bytes(b"")
        elif kind == "cut":
            path.write_bytes(data[: number % (len(data) + 1)])
        elif data:
            at = number % len(data)
            data[at : at + 3] = b"\xff\n{"[: len(data) - at]
            path.write_bytes(data)

    def is_named(self, name):
        chain, sequence = self.answered[name]
        return any(
            _names(chain, sequence, Path(where), what) for where, what in self.heard if where
        )


def _names(chain, sequence, where, what):
    if chain / RESCUED in (where, *where.parents):
        return True  # lost again where it was saved
    if chain not in (where, where.parent):
        return False
    lost = re.search(r"lost: ([\d, to]+),", what)
    spans = re.findall(r"(\d+)(?: to (\d+))?", lost[1]) if lost else []
    return (
        any(int(first) <= sequence <= int(last or first) for first, last in spans)
        or any(sequence > int(after) for after in re.findall(r"after record (\d+)", what))
        or any(sequence < int(first) for first in re.findall(r"begins with (\d+)", what))
        or any(sequence >= int(first) for first in re.findall(r"begins with record (\d+)", what))
    )


@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=st.lists(STEPS, max_size=12))
def test_what_was_answered_is_stored_once_or_named_whatever_befell_the_folder(
    steps, tmp_path, dsn, reader, monkeypatch
):
    monkeypatch.setattr(outbox_module, "SEGMENT_BYTES", 2500)
    monkeypatch.setattr(health, "_PAUSE_SECONDS", 0)  # no milter is there to be waited for
    for sync in ("fsync", "fdatasync"):  # no power fails here
        monkeypatch.setattr(os, sync, lambda _: None)
    trial = Trial(MailHost(tmp_path / f"outbox{next(_numbers)}", dsn, reader))
    trial.step("log", 3)
    for step in steps:
        trial.step(*step)
    trial.settle()
    stored = [name for name in trial.host.stored() if name in trial.answered]
    assert len(stored) == len(set(stored))
    lost = set(trial.answered) - set(stored)
    assert [name for name in sorted(lost) if not trial.is_named(name)] == []
