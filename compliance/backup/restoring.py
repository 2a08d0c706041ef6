"""Lay a copy's data back on this host: all of it, one role's, the keys, or one mailbox's."""

import grp
import os
import pwd
import subprocess
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from compliance.backup.plan import Part, Plan
from compliance.backup.repository import Copy, Repository
from compliance.backup.taking import alone, call
from compliance.errors import UserError

_FOLDER = "Återläst"


def restore_keys(plan: Plan, copy: Copy) -> list[str]:
    """Lay back the keys that are missing here, which roles would make anew or miss; return them."""
    with alone(plan):
        missing = [path for part in plan.parts for path in part.keys if not path.exists()]
        if missing:
            Repository(plan, copy.month).restore(copy, missing, Path("/"))
    return [str(path) for path in missing if path.exists()]


def restore(plan: Plan, copy: Copy, only: str | None) -> list[str]:
    """Stop what uses the data, lay them back, start it again; return what was done, in words.

    only: a role's name, or None for every role. What the host has and the copy has not stays.
    If something fails, what was stopped stays so: it would go on with half of the data.
    Raises UserError.
    """
    parts = [part for part in plan.parts if only in (None, part.role)]
    if not any(part.data or part.program for part in parts):
        known = ", ".join(part.role for part in plan.parts if part.data or part.program)
        raise UserError.of(f"{only} has no data here", plan.host, f"name one of {known}")
    with alone(plan):
        # systemd stops and starts them in the order that the units themselves ask for.
        units = _present([unit for part in parts for unit in part.units])
        _systemctl("stop", *units)
        told = [f"stopped {len(units)} units", *_lay_back(plan, copy, parts)]
        enabled = [unit for unit in units if _enabled(unit)]
        _systemctl("start", *enabled)
    return [*told, f"started {len(enabled)} units"]


def restore_mailbox(plan: Plan, copy: Copy, address: str) -> str:
    """Lay the copy of one mailbox into a folder of it, beside what it holds. Raises UserError."""
    home = Path(_output("doveadm", "user", "-f", "home", address).strip() or "/")
    if home == Path("/"):
        raise UserError.of("no mailbox has this address", address, "write its primary address")
    owner = home.parent.stat()
    with alone(plan), TemporaryDirectory(dir="/srv/vmail", prefix="restore-") as scratch:
        target = Path(scratch)
        Repository(plan, copy.month).restore(copy, [home / "Maildir"], target)
        maildir = target / home.relative_to("/") / "Maildir"
        if not maildir.is_dir():
            raise UserError.of(
                f"copy {copy.name} has no such mailbox",
                address,
                "choose another copy: `kommunpost backup list`",
            )
        for folder, _, files in os.walk(target):
            for name in ("", *files):
                os.lchown(Path(folder, name), owner.st_uid, owner.st_gid)
        location = f"maildir:{maildir}"
        _output("doveadm", "import", "-u", address, location, _FOLDER, "all")
    return f"{address}: what copy {copy.name} had lies in the folder {_FOLDER}"


def _lay_back(plan: Plan, copy: Copy, parts: Sequence[Part]) -> list[str]:
    repository, told = Repository(plan, copy.month), []
    data = [path for part in parts for path in part.data]
    with TemporaryDirectory(dir=plan.state) as scratch:
        repository.restore(copy, [plan.dumps], Path(scratch))
        dumps = Path(scratch) / plan.dumps.relative_to("/")
        if not dumps.is_dir():
            raise UserError.of(f"copy {copy.name} is not whole", plan.host, "choose another copy")
        if data:
            repository.restore(copy, data, Path("/"))
            _give_back(repository, copy, data, dumps)
            told += [f"{path}: laid back" for path in data if path.exists()]
        for part in parts:
            if part.program is not None:
                told.append(f"{part.role}: {call(part, 'load', dumps / part.role)}")
    return told


def _give_back(repository: Repository, copy: Copy, data: Sequence[Path], dumps: Path) -> None:
    """Give what was laid back to whom it belonged by name: a host made anew numbers otherwise."""
    users = _moved(dumps / "passwd", {user.pw_name: user.pw_uid for user in pwd.getpwall()})
    groups = _moved(dumps / "group", {group.gr_name: group.gr_gid for group in grp.getgrall()})
    if not users and not groups:
        return
    for root in data:
        for path, uid, gid in repository.files(copy, root):
            if path.is_symlink() or path.exists():
                mode = path.lstat().st_mode
                os.lchown(path, users.get(uid, uid), groups.get(gid, gid))
                if not path.is_symlink():
                    path.chmod(mode & 0o7777)  # a change of owner takes set-id bits away


def _moved(then: Path, now: dict[str, int]) -> dict[int, int]:
    """Return number then to number now, of those names that have another one now."""
    rows = (line.split(":") for line in then.read_text(encoding="utf-8").splitlines())
    return {
        int(row[2]): now[row[0]] for row in rows if row[0] in now and now[row[0]] != int(row[2])
    }


def _present(units: Sequence[str]) -> list[str]:
    return [
        unit
        for unit in units
        if _output("systemctl", "show", "--value", "-p", "LoadState", unit).strip() == "loaded"
    ]


def _enabled(unit: str) -> bool:
    state = _output("systemctl", "show", "--value", "-p", "UnitFileState", unit).strip()
    return state == "enabled"


def _systemctl(verb: str, *units: str) -> None:
    if units:
        _output("systemctl", verb, *units)


def _output(*command: str) -> str:
    done = subprocess.run(  # noqa: S603 - words of this program's own
        command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip().splitlines() or [f"exit {done.returncode}"]
        raise UserError.of(" / ".join(said[-3:]), " ".join(command), "mend that and run it again")
    return done.stdout
