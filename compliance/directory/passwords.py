"""Passwords of our own: set, the code for a first login, locked and opened; slapd does the hashing.

The rules (length, former ones, when a login is held) are slapd's, decision 17.
"""

import hmac
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import ldap3
from ldap3.core.exceptions import LDAPConstraintViolationResult, LDAPNoSuchAttributeResult
from ldap3.utils.conv import escape_filter_chars

from compliance import settings
from compliance.directory.ldap import Connection, connect, password_holds
from compliance.errors import UserError

CODE_DAYS = 7
LOCKED_FOR_GOOD = "000001010000Z"  # draft-behera-ldap-password-policy-10, 5.3.3

_SIGNS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # 32 of them, none that looks like another
_GROUPS, _GROUP = 5, 5  # 25 signs of 5 bits: nobody guesses it, so a fast hash gives nothing away
_CLASS = "kommunpostFirstLogin"
_HASH, _EXPIRES = "kommunpostFirstLoginHash", "kommunpostFirstLoginExpires"
_TIME = "%Y%m%d%H%M%SZ"  # generalizedTime, RFC 4517 3.3.13


class NotTheirsError(UserError):
    """Address and code, or address and old password, do not belong together."""


class RefusedPasswordError(UserError):
    """The directory's rules refuse a new password."""


@dataclass(frozen=True, slots=True)
class FirstLogin:
    """A code that lets the holder of an address set a password once, until it expires."""

    address: str
    code: str
    expires: datetime


def set_password(directory: settings.Directory, address: str, password: str) -> bool:
    """Give the holder of an address a password; False if they have it already.

    By the Password Modify extended operation (RFC 3062), so that no hash is made here.
    Raises UserError if nobody has the address, or slapd's rules refuse the password.
    """
    with connect(directory, "writer") as connection:
        dn, _ = _holder(connection, directory, address)
        if password_holds(directory, dn, password):
            return False
        with _rules_told():
            connection.extend.standard.modify_password(dn, new_password=password)
    return True


def offer_first_login(directory: settings.Directory, address: str, now: datetime) -> FirstLogin:
    """Make a code for the holder of an address; one given before holds no longer.

    Only its hash is kept. Raises UserError if nobody has the address.
    """
    signs = [secrets.choice(_SIGNS) for _ in range(_GROUPS * _GROUP)]
    code = "-".join("".join(signs[at : at + _GROUP]) for at in range(0, len(signs), _GROUP))
    expires = now + timedelta(days=CODE_DAYS)
    with connect(directory, "writer") as connection:
        dn, entry = _holder(connection, directory, address)
        changes = {
            _HASH: [(ldap3.MODIFY_REPLACE, [_hashed(code)])],
            _EXPIRES: [(ldap3.MODIFY_REPLACE, [expires.astimezone(UTC).strftime(_TIME)])],
        }
        if not entry.get(_HASH):
            changes["objectClass"] = [(ldap3.MODIFY_ADD, [_CLASS])]
        connection.modify(dn, changes)
    return FirstLogin(address.lower(), code, expires)


def redeem(
    directory: settings.Directory, address: str, code: str, password: str, now: datetime
) -> None:
    """Set a password by a code, which holds no longer afterwards.

    Raises NotTheirsError: one and the same whether the address, the code or the day is wrong, so
    that nobody learns which; RefusedPasswordError if slapd's rules refuse the password, when the
    code still holds; UserError if passwords are elsewhere or the directory is away.
    """
    if directory.logins:
        raise _elsewhere(directory.logins)
    refused = NotTheirsError.of(
        "the address and the code do not belong together, or the code is too old",
        remedy="ask the IT department for a new letter",
    )
    with connect(directory, "writer") as connection:
        try:
            dn, entry = _holder(connection, directory, address)
        except _NobodyError as error:
            raise refused from error
        expires = entry.get(_EXPIRES, "")
        fits = hmac.compare_digest(entry.get(_HASH, ""), _hashed(code))
        if not fits or expires < now.astimezone(UTC).strftime(_TIME):
            raise refused
        with _rules_told():
            connection.extend.standard.modify_password(dn, new_password=password)
        without = {
            _HASH: [(ldap3.MODIFY_DELETE, [])],
            _EXPIRES: [(ldap3.MODIFY_DELETE, [])],
            "objectClass": [(ldap3.MODIFY_DELETE, [_CLASS])],
        }
        connection.modify(dn, without)


def change(directory: settings.Directory, address: str, old: str, new: str) -> None:
    """Set a password in place of the one that they have. Raises as `redeem` does."""
    if directory.logins:
        raise _elsewhere(directory.logins)
    with connect(directory, "writer") as connection:
        try:
            dn, _ = _holder(connection, directory, address)
        except _NobodyError:
            dn = ""
        if not dn or not password_holds(directory, dn, old):
            raise NotTheirsError.of(
                "the address and the password do not belong together",
                remedy="write the password that you read your mail with",
            )
        with _rules_told():
            connection.extend.standard.modify_password(dn, new_password=new)


def lock(directory: settings.Directory, address: str) -> None:
    """Refuse the holder's login until it is opened; mail goes on arriving. Raises UserError."""
    with connect(directory, "writer") as connection:
        dn, _ = _holder(connection, directory, address)
        locked = [(ldap3.MODIFY_REPLACE, [LOCKED_FOR_GOOD])]
        connection.modify(dn, {"pwdAccountLockedTime": locked})


def unlock(directory: settings.Directory, address: str) -> bool:
    """Open a login that was held or locked; False if it was neither. Raises UserError.

    slapd forgets the wrong passwords too (slapo-ppolicy(5)).
    """
    with connect(directory, "writer") as connection:
        dn, _ = _holder(connection, directory, address)
        try:
            connection.modify(dn, {"pwdAccountLockedTime": [(ldap3.MODIFY_DELETE, [])]})
        except LDAPNoSuchAttributeResult:
            return False
    return True


class _NobodyError(UserError):
    """No entry, or more than one, has the address."""


def _hashed(code: str) -> str:
    """Hash a code as people write it: capitals, hyphens and spaces do not matter."""
    return sha256("".join(filter(str.isalnum, code.upper())).encode()).hexdigest()


def _elsewhere(logins: settings.Logins) -> UserError:
    return UserError.of(
        "people log in with their password in Active Directory; there is none of theirs here",
        logins.uri,
        "set, lock or open it there; `kommunpost directory apply` then ends the sessions of an "
        "account that is disabled",
    )


def _holder(
    connection: Connection, directory: settings.Directory, address: str
) -> tuple[str, dict[str, str]]:
    """Find the entry whose primary address this is, which is the login, and its code's hash.

    Raises UserError if there is none, or if it is a person's and their password is elsewhere; a
    program's is always here.
    """
    base = directory.base
    mail = escape_filter_chars(address.lower())
    wanted = f"(&(objectClass=kommunpostMailbox)(mail={mail}))"
    connection.search(base, wanted, attributes=[_HASH, _EXPIRES])
    found = [answer for answer in connection.response if answer["type"] == "searchResEntry"]
    if len(found) != 1:
        raise _NobodyError.of(
            f"{len(found)} entries have the primary address {address}",
            remedy="see `kommunpost directory plan --format json` for the addresses",
        )
    dn, raw = str(found[0]["dn"]), found[0]["raw_attributes"]
    if directory.logins and dn.lower().endswith(f",ou=people,{base}".lower()):
        raise _elsewhere(directory.logins)
    return dn, {name: raw[name][0].decode() for name in raw if raw[name]}


@contextmanager
def _rules_told() -> Iterator[None]:
    try:
        yield
    except LDAPConstraintViolationResult as error:
        raise RefusedPasswordError.of(
            f"the directory's rules refuse this password ({error.message})",
            remedy="choose a longer one that was not used before; the rules stand in the role "
            "`directory`",
        ) from error
