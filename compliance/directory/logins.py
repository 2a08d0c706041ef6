"""Logins that are held after wrong passwords, locked, or wait for a first password."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from compliance.directory.ldap import Connection, search
from compliance.directory.passwords import LOCKED_FOR_GOOD

_SEEN = ("mail", "kommunpostHolder", "pwdFailureTime", "pwdAccountLockedTime")
_EXPIRES = "kommunpostFirstLoginExpires"
_WANTED = f"(&(mail=*)(|(pwdFailureTime=*)(pwdAccountLockedTime=*)({_EXPIRES}=*)))"


@dataclass(frozen=True, slots=True)
class Login:
    """What there is to know of a login; times with a zone, None for what is not so.

    failures: the wrong passwords that slapd remembers since the last right one.
    """

    address: str
    holder: str
    failures: int
    last_failure: datetime | None
    held_until: datetime | None
    is_locked: bool
    code_until: datetime | None


def read_logins(connection: Connection, base: str, now: datetime) -> list[Login]:
    """Read the logins of which there is something to tell, by address."""
    held_for = _held_for(connection, base)
    found = search(connection, base, _WANTED, [*_SEEN, _EXPIRES])
    logins = [_login(_texts(raw), held_for, now) for _, raw in found]
    return sorted(logins, key=lambda login: login.address)


def _held_for(connection: Connection, base: str) -> timedelta:
    connection.search(
        f"cn=password-policy,{base}",
        "(objectClass=pwdPolicy)",
        search_scope="BASE",
        attributes=["pwdLockoutDuration"],
    )
    raw = connection.response[0]["raw_attributes"] if connection.response else {}
    return timedelta(seconds=int((raw.get("pwdLockoutDuration") or [b"0"])[0]))


def _login(entry: Mapping[str, list[str]], held_for: timedelta, now: datetime) -> Login:
    failures = sorted(map(_time, entry.get("pwdFailureTime", [])))
    locked = _first(entry, "pwdAccountLockedTime")
    is_locked = locked == LOCKED_FOR_GOOD
    held_until = _time(locked) + held_for if locked and not is_locked else None
    expires = _first(entry, _EXPIRES)
    return Login(
        address=_first(entry, "mail"),
        holder=_first(entry, "kommunpostHolder"),
        failures=len(failures),
        last_failure=failures[-1] if failures else None,
        held_until=held_until if held_until and held_until > now else None,
        is_locked=is_locked,
        code_until=_time(expires) if expires else None,
    )


def _first(entry: Mapping[str, list[str]], name: str) -> str:
    values = entry.get(name) or [""]
    return values[0]


def _time(text: str) -> datetime:
    """Read a generalizedTime in UTC (RFC 4517, 3.3.13); the fraction of a second is left out."""
    return datetime.strptime(text[:14], "%Y%m%d%H%M%S").replace(tzinfo=UTC)


def _texts(raw: Mapping[str, list[bytes]]) -> dict[str, list[str]]:
    return {name: [value.decode() for value in values] for name, values in raw.items()}
