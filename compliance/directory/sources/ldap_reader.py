"""Reads the municipality's own accounts from an LDAP directory or Active Directory."""

from contextlib import suppress

from ldap3 import BASE
from ldap3.core.exceptions import (
    LDAPInvalidFilterError,
    LDAPNoSuchObjectResult,
    LDAPReferralResult,
)

from compliance import settings
from compliance.directory.ldap import Connection, connect_source, search
from compliance.directory.sources.accounts import (
    ACTIVE_DIRECTORY,
    LDAP,
    Accounts,
    RawEntry,
    Rules,
    read_accounts,
)
from compliance.errors import UserError


def read(server: settings.Accounts) -> Accounts:
    """Read all people and PCs. Raises UserError if the server does not answer, or what is amiss."""
    dialect = ACTIVE_DIRECTORY if server.kind == "active_directory" else LDAP
    id_attribute = server.id_attribute or dialect.lasting_id
    attributes = sorted({*dialect.attributes, id_attribute})
    with connect_source(server) as connection:
        reader = _Reader(connection, server)
        people = reader.search("people_filter", dialect.people_filter, attributes)
        pcs = reader.search("pcs_filter", dialect.pcs_filter, attributes)
        protected = reader.protected()
    rules = Rules(dialect, server.uri, id_attribute, server.units, protected)
    return read_accounts(people, pcs, rules)


class _Reader:
    """Searches on a bound connection."""

    def __init__(self, connection: Connection, server: settings.Accounts) -> None:
        self._connection = connection
        self._server = server

    def search(self, key: str, usual: str, attributes: list[str]) -> list[RawEntry]:
        """Give every entry below the base that fits a filter, page by page.

        key: the setting that holds the filter. usual: the one that holds if it is empty.
        """
        filter_text = getattr(self._server, key) or usual
        try:
            found = [*search(self._connection, self._server.base, filter_text, attributes)]
        except LDAPNoSuchObjectResult as error:
            raise self._fault("base", f"there is no entry {self._server.base}") from error
        except LDAPInvalidFilterError as error:
            raise self._fault(key, f"{filter_text} is no filter") from error
        return [RawEntry(dn, _lower(raw)) for dn, raw in found]

    def protected(self) -> set[str] | None:
        """Give the DNs of those with protected identity, in lower case; None if no group is named.

        Groups within the group count too, however deep.
        """
        group = self._server.protected_group
        if not group:
            return None
        try:
            waiting = self._members(group)
        except LDAPNoSuchObjectResult as error:
            raise self._fault("protected_group", f"there is no group {group}") from error
        found: set[str] = set()
        while waiting:
            dn = waiting.pop()
            if dn.lower() not in found:
                found.add(dn.lower())
                # One that is gone, or of a directory elsewhere, is nobody whom we read.
                with suppress(LDAPNoSuchObjectResult, LDAPReferralResult):
                    waiting += self._members(dn)
        return found

    def _members(self, dn: str) -> list[str]:
        self._connection.search(dn, "(objectClass=*)", BASE, attributes=["member"])
        found = [
            _lower(answer["raw_attributes"])
            for answer in self._connection.response
            if "raw_attributes" in answer
        ]
        return [member.decode() for values in found for member in values.get("member", [])]

    def _fault(self, key: str, what: str) -> UserError:
        return UserError.of(
            what,
            f"{self._server.uri}: directory.sources.accounts.{key}",
            "mend it in the settings, and check that our account may read it",
        )


def _lower(raw: dict[str, list[bytes]]) -> dict[str, list[bytes]]:
    return {name.lower(): values for name, values in raw.items()}
