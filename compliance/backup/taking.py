"""Take a copy of this host, and try whether the newest one can be used."""

import fcntl
import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from compliance.backup.plan import Part, Plan
from compliance.backup.repository import Copy, Repository, month_of, newest
from compliance.errors import UserError

# By them a restore knows whose a file was, wherever numbers differ.
_NAMES = ("/etc/passwd", "/etc/group")


@dataclass(frozen=True)
class Tried:
    """How the last trial ended. error: what failed, None if it went well."""

    at: datetime
    copy: str
    error: str | None


@contextmanager
def alone(plan: Plan) -> Iterator[None]:
    """Hold the one lock of this host's copies. Raises UserError if another run has it."""
    plan.state.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (plan.state / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UserError.of(
                "a copy is being taken, tried or laid back already",
                plan.host,
                "wait for it: `systemctl status 'kommunpost-backup*'`",
            ) from error
        yield


def take(plan: Plan, now: datetime) -> str:
    """Copy all that the plan names; return the copy's name. Raises UserError."""
    with alone(plan):
        repository = Repository(plan, month_of(now))
        repository.make()
        try:
            _dump(plan)
            number = repository.take([*_paths(plan), plan.dumps])
        finally:
            shutil.rmtree(plan.dumps, ignore_errors=True)  # they hold all of the log in the clear
    return Copy(repository.month, number, now).name


def call(part: Part, verb: str, folder: Path) -> str:
    """Run the program of a role with a verb; return what it prints. Raises UserError."""
    command = [str(part.program), verb, str(folder)]
    try:
        done = subprocess.run(  # noqa: S603 - a program that the role installed, root's alone
            command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, cwd="/"
        )
    except OSError as error:
        raise UserError.of(
            f"the program cannot be run ({error.strerror})",
            str(part.program),
            f"run the role {part.role} again",
        ) from error
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip().splitlines() or [f"exit {done.returncode}"]
        raise UserError.of(
            " / ".join(said[-3:]), f"{part.role}: {verb}", f"run {' '.join(command)} to see it all"
        )
    return done.stdout.strip()


def trial(plan: Plan, now: datetime) -> list[str]:
    """Try the newest copy; return what was seen, in words, and keep how it ended. Raises UserError.

    The repository is held to its sums, what roles wrote out is laid into something of its own by
    their programs, and keys are compared with those that are in use.
    """
    copy: Copy | None = None
    try:
        with alone(plan):
            copy = newest(plan, now)
            if copy is None:
                raise UserError.of(
                    "there is no copy to try",
                    plan.host,
                    "take one: `systemctl start kommunpost-backup`",
                )
            told = _try(plan, copy)
    except UserError as error:
        _keep(plan, Tried(now, copy.name if copy else "", str(error.problems[0])))
        raise
    _keep(plan, Tried(now, copy.name, None))
    return told


def last_trial(plan: Plan) -> Tried | None:
    """Return how the last trial ended; None if there was none."""
    with suppress(OSError, ValueError, KeyError):
        row = json.loads((plan.state / "tried.json").read_text(encoding="utf-8"))
        return Tried(datetime.fromisoformat(row["at"]), row["copy"], row["error"])
    return None


def _keep(plan: Plan, tried: Tried) -> None:
    row = {"at": tried.at.isoformat(), "copy": tried.copy, "error": tried.error}
    draft = plan.state / "tried.json.new"
    draft.write_text(json.dumps(row) + "\n", encoding="utf-8")
    draft.replace(plan.state / "tried.json")


def _dump(plan: Plan) -> None:
    shutil.rmtree(plan.dumps, ignore_errors=True)
    plan.dumps.mkdir(mode=0o700)
    for path in _NAMES:
        shutil.copy(path, plan.dumps)
    for part in plan.parts:
        if part.program is not None:
            folder = plan.dumps / part.role
            folder.mkdir(mode=0o700)
            call(part, "dump", folder)


def _paths(plan: Plan) -> list[Path]:
    named = {path for part in plan.parts for path in (*part.data, *part.keys, *part.other)}
    return sorted(path for path in named if path.exists())


def _try(plan: Plan, copy: Copy) -> list[str]:
    repository = Repository(plan, copy.month)
    repository.check(plan.read_share)
    told = [f"copy {copy.name} of {copy.at:%Y-%m-%d %H:%M} UTC: the repository is sound"]
    keys = [path for part in plan.parts for path in part.keys if path.is_file()]
    with TemporaryDirectory(dir=plan.state) as scratch:
        target = Path(scratch)
        repository.restore(copy, [plan.dumps, *keys], target)
        for key in keys:
            held = target / key.relative_to("/")
            if not held.is_file() or held.read_bytes() != key.read_bytes():
                raise UserError.of(
                    "the copy does not hold the key that is in use",
                    str(key),
                    "take a copy now, and find out who changed the key",
                )
            told.append(f"{key}: the same as in the copy")
        for part in plan.parts:
            if part.program is not None:
                folder = target / plan.dumps.relative_to("/") / part.role
                told.append(f"{part.role}: {call(part, 'try', folder)}")
    return told
