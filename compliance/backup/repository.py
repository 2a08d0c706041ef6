"""A month's copies on the backup host, by restic; the host there lets nothing be deleted."""

import json
import os
import shlex
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from compliance.backup.plan import Plan
from compliance.errors import UserError

_CACHE = "/var/cache/kommunpost-backup"
_NO_REPOSITORY = 10
_INCOMPLETE = 3
_WRITES = ("init", "unlock", "backup")
# A maildir lives while it is read: a message that was read or moved meanwhile has another name.
_VANISHED = "no such file or directory"


@dataclass(frozen=True)
class Copy:
    """One copy: the month that it lies in, its number there (hexadecimal), when it was taken."""

    month: str
    id: str
    at: datetime

    @property
    def name(self) -> str:
        """What a person calls it by: 2026-11/1a2b3c4d."""
        return f"{self.month}/{self.id[:8]}"


def month_of(at: datetime) -> str:
    """Return the month that a copy taken then lies in, by UTC."""
    return f"{at.astimezone(UTC):%Y-%m}"


def months_back(at: datetime, count: int) -> Iterator[str]:
    """Yield the month of `at` and those before it, `count` in all, newest first."""
    year, month = at.astimezone(UTC).year, at.astimezone(UTC).month
    for _ in range(count):
        yield f"{year:04}-{month:02}"
        year, month = (year, month - 1) if month > 1 else (year - 1, 12)


class Repository:
    """The copies of one month. Every method raises UserError when the backup host says no."""

    def __init__(self, plan: Plan, month: str) -> None:
        """Remember where; nothing is asked yet."""
        self._plan, self.month = plan, month
        self._where = f"copies of {plan.host}, {month}"

    def copies(self) -> list[Copy]:
        """Return the copies, oldest first; none where the month has no repository."""
        done = self._run("snapshots", "--json", "--host", self._plan.host)
        if done.returncode == _NO_REPOSITORY:
            return []
        self._hold(done)
        found = [
            Copy(self.month, row["id"], datetime.fromisoformat(row["time"]))
            for row in json.loads(done.stdout)
        ]
        return sorted(found, key=lambda copy: copy.at)

    def make(self) -> None:
        """Make the month's repository if it is not there."""
        if self._run("cat", "config").returncode == _NO_REPOSITORY:
            self._hold(self._run("init"))

    def take(self, paths: Sequence[Path]) -> str:
        """Copy these paths; return the copy's number. What vanished meanwhile is no fault."""
        self._hold(self._run("unlock"))  # what a run that was cut off left; living locks stay
        words = [*("backup", "--json", "--host", self._plan.host), *map(str, paths)]
        done = self._run(*words)
        rows = _rows(done.stdout) + _rows(done.stderr)
        errors = [row for row in rows if row.get("message_type") == "error"]
        faults = [row for row in errors if _VANISHED not in str(row.get("error", "")).lower()]
        if done.returncode != _INCOMPLETE:
            self._hold(done)
        elif faults or not errors:
            told = faults[0] if faults else {"item": "?", "error": "restic does not say what"}
            raise UserError.of(
                f"{len(faults)} files could not be read, the first: {told.get('item')} "
                f"({told.get('error')})",
                self._where,
                "see to it that root can read them, and take a copy again",
            )
        (summary,) = (row for row in rows if row.get("message_type") == "summary")
        return str(summary["snapshot_id"])

    def check(self, share: str) -> None:
        """Hold the repository to its own sums and read a share of its data, e.g. 5%."""
        self._hold(self._run("check", f"--read-data-subset={share}"))

    def restore(self, copy: Copy, paths: Sequence[Path], target: Path) -> None:
        """Lay paths of a copy below a folder, with modes and numeric owners as they were."""
        chosen = [word for path in paths for word in ("--include", str(path))]
        self._hold(self._run("restore", copy.id, "--target", str(target), *chosen))

    def files(self, copy: Copy, path: Path) -> Iterator[tuple[Path, int, int]]:
        """Yield each path of the copy below this one with its numeric owner and group."""
        done = self._run("ls", "--json", "--recursive", copy.id, str(path))
        self._hold(done)
        for row in _rows(done.stdout):
            if row.get("struct_type") == "node":
                yield Path(row["path"]), row.get("uid", 0), row.get("gid", 0)

    def _run(self, *words: str) -> subprocess.CompletedProcess[str]:
        ssh = shlex.join(["ssh", "-F", str(self._plan.ssh_config), "store"])
        command = [
            *("restic", "--repo", f"rclone:{self.month}", "--option", f"rclone.program={ssh}"),
            *("--option", "rclone.args=serve restic --stdio"),
            *("--password-file", str(self._plan.password_file), "--cache-dir", _CACHE),
            # A lock that a dead run or an intruder left must not keep anybody from reading.
            *(() if words[0] in _WRITES else ("--no-lock",)),
        ]
        return subprocess.run(  # noqa: S603 - words of this program's own
            [*command, *words],
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
            env={**os.environ, "LC_ALL": "C.UTF-8"},
        )

    def _hold(self, done: subprocess.CompletedProcess[str]) -> None:
        if done.returncode == 0:
            return
        said = (done.stderr or done.stdout).strip().splitlines() or ["it says nothing"]
        raise UserError.of(
            f"restic ended with {done.returncode}: {' / '.join(said[-3:])}",
            self._where,
            "see that the backup host is up and has room: `df -h /srv/copies` there",
        )


def _rows(text: str) -> list[dict[str, Any]]:
    """Return the lines that are JSON objects; restic mixes them with words."""
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def all_copies(plan: Plan, now: datetime) -> list[Copy]:
    """Return every copy of this host that is left, newest first."""
    found = [
        copy for month in months_back(now, plan.months) for copy in Repository(plan, month).copies()
    ]
    return sorted(found, key=lambda copy: copy.at, reverse=True)


def newest(plan: Plan, now: datetime) -> Copy | None:
    """Return the newest copy of this host, looking no further back than needed."""
    for month in months_back(now, plan.months):
        if copies := Repository(plan, month).copies():
            return copies[-1]
    return None


def choose(plan: Plan, now: datetime, name: str) -> Copy:
    """Return the copy of that name, or the newest for `latest`. Raises UserError."""
    if name == "latest":
        found = newest(plan, now)
    else:
        month, _, number = name.partition("/")
        known = list(months_back(now, plan.months))
        copies = Repository(plan, month).copies() if month in known and number else []
        found = next((copy for copy in copies if copy.id.startswith(number)), None)
    if found is None:
        raise UserError.of(
            f"there is no copy {name}", plan.host, "`kommunpost backup list` shows those there are"
        )
    return found
