"""Whose password it is: the one door for all who ask, wherever a municipality has its passwords.

They are in our own directory, or in the municipality's Active Directory (decision 18), as Dovecot
has it in roles/mail_store.
"""

from ldap3.core.exceptions import LDAPInvalidFilterError
from ldap3.utils.conv import escape_filter_chars

from compliance import settings
from compliance.directory.ldap import connect_source, password_holds, search
from compliance.errors import UserError

# But no disabled ones: ADS_UF_ACCOUNTDISABLE, by the bit-wise matching rule (MS-ADTS 2.2.16).
_PEOPLE = (
    "(objectCategory=person)(objectClass=user)(!(userAccountControl:1.2.840.113556.1.4.803:=2))"
)


def is_theirs(directory: settings.Directory, dn: str, login: str, password: str) -> bool:
    """Say whether the password is that of the person with this entry and login.

    dn: the entry in our directory, which the caller has found to be in service. Raises UserError
    when the place where the passwords are does not answer: that is no wrong password.
    """
    if directory.logins is None:
        return password_holds(directory, dn, password)
    account = _account(directory.logins, login)
    return account is not None and password_holds(directory.logins, account, password)


def _account(server: settings.Logins, login: str) -> str | None:
    """Find the DN of the one account that is not disabled and has this login, if there is one."""
    wanted = server.account_filter.replace("%{user}", escape_filter_chars(login))
    with connect_source(server) as connection:
        try:
            found = [dn for dn, _ in search(connection, server.base, f"(&{_PEOPLE}{wanted})", [])]
        except LDAPInvalidFilterError as error:
            raise UserError.of(
                f"{server.account_filter} is no filter",
                f"{settings.settings_path()}: directory.logins.account_filter",
                "mend municipality_account_filter in the inventory and run playbooks/site.yml",
            ) from error
    return found[0] if len(found) == 1 else None
