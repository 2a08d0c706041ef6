"""What unit tests share."""

import os
import signal
import stat
import tempfile
from pathlib import Path

import pytest
from audit_town import town
from hypothesis import settings

from compliance.probes.facts import Facts

PATIENCE = 40  # seconds

# How long an example takes says how busy the machine is.
settings.register_profile("kommunpost", deadline=None)
settings.load_profile("kommunpost")


@pytest.fixture
def facts() -> Facts:
    """What an audit sees of a municipality that follows its strategy in everything."""
    return town()


@pytest.fixture
def patience():
    """Fail once so many seconds of the processor are used, even within a pattern."""

    def give_up(*_):
        pytest.fail(f"still at it after {PATIENCE} s")

    before = signal.signal(signal.SIGVTALRM, give_up)
    signal.setitimer(signal.ITIMER_VIRTUAL, PATIENCE)  # others on the machine don't count
    yield
    signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    signal.signal(signal.SIGVTALRM, before)


@pytest.fixture
def make_device():
    """Make a character device of one's own, which a wrong program may replace. As root.

    In /dev: where files are kept (Debian's /tmp too) devices often don't work (nodev).
    """
    with tempfile.TemporaryDirectory(dir="/dev", prefix="kommunpost-") as folder:

        def make(name, major, minor):
            path = Path(folder, name)
            os.mknod(path, stat.S_IFCHR | 0o600, os.makedev(major, minor))
            return path

        yield make
