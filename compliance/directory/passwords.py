"""Passwords of people and of the audit's own account; slapd does the hashing."""

from pathlib import Path

from ldap3.core.exceptions import LDAPConstraintViolationResult
from ldap3.utils.conv import escape_filter_chars

from compliance import settings
from compliance.directory.ldap import Connection, connect, password_holds
from compliance.errors import UserError


def set_password(directory: settings.Directory, address: str, password_file: Path) -> bool:
    """Give the holder of an address the password in a file; False if they have it already.

    By the Password Modify extended operation (RFC 3062), so that no hash is made here.
    Raises UserError if nobody has the address, or the password is empty or too weak.
    """
    password = settings.read_secret(password_file)
    if not password:
        raise UserError.of("the file is empty", str(password_file), "write the password in it")
    with connect(directory, "writer") as connection:
        dn = _holder(connection, directory.base, address)
        if password_holds(directory, dn, password):
            return False
        try:
            connection.extend.standard.modify_password(dn, new_password=password)
        except LDAPConstraintViolationResult as error:
            raise UserError.of(
                f"the directory's rules refuse this password ({error.message})",
                str(password_file),
                "write a longer one; the least length is set in the role `directory`",
            ) from error
    return True


def _holder(connection: Connection, base: str, address: str) -> str:
    """Find the entry whose primary address this is; it is the login."""
    mail = escape_filter_chars(address.lower())
    connection.search(base, f"(&(objectClass=kommunpostMailbox)(mail={mail}))", attributes=["1.1"])
    found = [answer["dn"] for answer in connection.response if answer["type"] == "searchResEntry"]
    if len(found) != 1:
        raise UserError.of(
            f"{len(found)} entries have the primary address {address}",
            remedy="see `kommunpost directory plan --format json` for the addresses",
        )
    return str(found[0])
