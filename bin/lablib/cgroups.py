"""A control group per host, so that a host can be killed at once and leaves nothing behind.

On a machine with cgroup 2 alone there is one tree; where version 1 is mounted beside it (hybrid)
the host's launcher must be moved in systemd's tree too, or all hosts share one.
"""

import time
from pathlib import Path

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


def kill(lab: str, host: str) -> None:
    """End every process of the host and remove its groups."""
    switch = paths(lab, host)[0] / "cgroup.kill"
    if switch.exists():
        switch.write_text("1")
    for path in paths(lab, host):
        _remove(path)


def _remove(path: Path) -> None:
    """Remove a tree of groups, leaves first; a group is busy until its last process is reaped."""
    if not path.is_dir():
        return
    groups = sorted(path.rglob("*/"), key=lambda group: len(group.parts), reverse=True)
    for group in [*(group for group in groups if group.is_dir()), path]:
        for _ in range(200):
            try:
                group.rmdir()
            except FileNotFoundError:
                break
            except OSError:
                time.sleep(0.02)
            else:
                break


def remove_lab(lab: str) -> None:
    """Remove the lab's own folder in each tree."""
    for tree in TREES:
        for path in (tree / "kommunpost-lab" / lab, tree / "kommunpost-lab"):
            try:
                path.rmdir()
            except OSError:
                break
