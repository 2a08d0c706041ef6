"""A control group per host, so that a host can be killed at once and leaves nothing behind.

On a machine with cgroup 2 alone there is one tree; where version 1 is mounted beside it (hybrid)
the host's launcher must be moved in systemd's tree too, or all hosts share one.
"""

import contextlib
import time
from pathlib import Path

from . import LabError

ROOT = Path("/sys/fs/cgroup")
HYBRID = (ROOT / "systemd").is_dir() and (ROOT / "unified").is_dir()
TREES = [ROOT / "unified", ROOT / "systemd"] if HYBRID else [ROOT]


def paths(lab: str, host: str) -> list[Path]:
    """Return the host's folder in each tree, the one with cgroup.kill first."""
    return [tree / "kommunpost-lab" / lab / host for tree in TREES]


def create(lab: str, host: str) -> list[Path]:
    """Make the host's groups and return the files that a launcher writes its id to."""
    for path in paths(lab, host):
        path.mkdir(parents=True, exist_ok=True)
    return [path / "cgroup.procs" for path in paths(lab, host)]


def kill(lab: str, host: str, seconds: float = 60) -> None:
    """End every process of the host and remove its groups.

    Returns when all are gone: what is left of one makes the next start of the host half a host.
    """
    deadline = time.monotonic() + seconds
    for path in paths(lab, host):
        while path.is_dir():
            if time.monotonic() > deadline:
                raise LabError(f"processes of host {host} do not end: see {path}/cgroup.procs")
            _end(path)
            time.sleep(0.02)  # a group is busy until its last process is reaped


def _end(path: Path) -> None:
    """Kill what is in a tree of groups, and remove those that are empty by now, leaves first."""
    with contextlib.suppress(OSError):  # version 1 has no such switch
        (path / "cgroup.kill").write_text("1")
    groups = sorted(path.rglob("*/"), key=lambda group: len(group.parts), reverse=True)
    for group in [*groups, path]:
        with contextlib.suppress(OSError):
            group.rmdir()


def remove_lab(lab: str) -> None:
    """Remove the lab's own folder in each tree."""
    for tree in TREES:
        for path in (tree / "kommunpost-lab" / lab, tree / "kommunpost-lab"):
            try:
                path.rmdir()
            except OSError:
                break
