"""When the oldest unread message of a mailbox came. Who looks into it is not asked."""

import json
import subprocess
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from pathlib import Path
from tempfile import NamedTemporaryFile

from pydantic import AwareDatetime, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from compliance.errors import UserError

_SECONDS = 600


@dataclass(frozen=True)
class Unread:
    """Each mailbox that was looked into, with the time at which its oldest unread message came.

    None where all is read. A mailbox that could not be looked into is not there.
    """

    at: AwareDatetime
    oldest: Mapping[str, AwareDatetime | None]


_ADAPTER: TypeAdapter[Unread] = TypeAdapter(Unread)


def look(addresses: Collection[str]) -> Unread:
    """Ask Dovecot on this host, as root. Raises UserError when it does not answer.

    Probes lie in a mailbox of their own and are not counted.
    """
    at = datetime.now(UTC)
    with NamedTemporaryFile("w", encoding="utf-8", suffix=".users") as users:
        users.write("".join(f"{address}\n" for address in addresses))
        users.flush()
        answer = _doveadm(
            *("-f", "json", "fetch", "-F", users.name, "user date.received.unixtime"),
            *("mailbox", "INBOX", "UNSEEN", "UNDELETED"),
        )
    oldest: dict[str, datetime | None] = dict.fromkeys(addresses)
    for row in answer:
        came = datetime.fromtimestamp(int(row["date.received.unixtime"]), UTC)
        before = oldest.get(row["user"])
        oldest[row["user"]] = min(came, before) if before else came
    return Unread(at, oldest)


def _doveadm(*words: str) -> list[dict[str, str]]:
    command = ["doveadm", *words]
    try:
        done = subprocess.run(  # noqa: S603 - our own words
            command, capture_output=True, text=True, timeout=_SECONDS, check=False
        )
        if done.returncode == 0:
            return json.loads(done.stdout or "[]")  # type: ignore[no-any-return]
        said = done.stderr.strip() or f"exit {done.returncode}"
    except (OSError, subprocess.TimeoutExpired, json.JSONDecodeError) as error:
        said = str(error)
    raise UserError.of(
        f"Dovecot does not tell what is unread ({said})",
        "doveadm",
        "run this as root on the host that holds the mailboxes, and see that Dovecot runs",
    )


def to_json(unread: Unread) -> str:
    """Write as JSON."""
    return _ADAPTER.dump_json(unread, indent=1).decode()


def read(path: Path) -> Unread:
    """Read what `kommunpost watch unread` wrote. Raises UserError."""
    try:
        return from_json(path.read_bytes(), str(path))
    except OSError as error:
        raise _not_known(str(path)) from error


def from_json(data: bytes | str, where: str) -> Unread:
    """Read what `kommunpost watch unread` told. Raises UserError that names `where`."""
    try:
        return _ADAPTER.validate_json(data)
    except ValidationError as error:
        raise _not_known(where) from error


def _not_known(where: str) -> UserError:
    return UserError.of(
        "it is not known what lies unread",
        where,
        "start kommunpost-watch.service on the host that holds the mailboxes",
    )
