"""Writes a plan to LDAP. Each write is whole in itself and may be the last one before a crash.

The order makes a crash harmless: an address is in the ledger before any mailbox has it, so no
other run can give it away, and the next plan starts from what stands there.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial

import ldap3
from ldap3.core.exceptions import LDAPEntryAlreadyExistsResult, LDAPNoSuchObjectResult

from compliance.directory.ldap import Connection
from compliance.directory.plan import Action, Change, MailboxPlan
from compliance.errors import UserError

Write = Callable[[], None]


def writes_of(connection: Connection, base: str, plan: MailboxPlan) -> list[Write]:
    """Give a plan's writes in the order in which they must be carried out.

    The caller runs them one by one, and shows the progress. Each raises UserError if the
    directory was changed by someone else since the plan was made.
    """
    return list(_Writer(connection, base).writes(plan))


class _Writer:
    """Carries out single changes on a bound connection."""

    def __init__(self, connection: Connection, base: str) -> None:
        self._connection = connection
        self._base = base

    def writes(self, plan: MailboxPlan) -> Iterator[Write]:
        for address, holder in plan.records.items():
            yield partial(self._record, address, holder)
        for change in (*plan.changes, *plan.groups):
            if change.action is not Action.KEEP:
                yield partial(self._write, change)

    def _record(self, address: str, holder: str) -> None:
        now = datetime.now(UTC).strftime("%Y%m%d%H%M%SZ")  # generalizedTime, RFC 4517 3.3.13
        try:
            self._connection.add(
                f"kommunpostAddress={address},ou=addresses,{self._base}",
                "kommunpostAddressRecord",
                {"kommunpostHolder": holder, "kommunpostFirstUsed": now},
            )
        except LDAPEntryAlreadyExistsResult as error:
            raise _outrun(f"somebody else took {address}") from error

    def _write(self, change: Change) -> None:
        """Add an entry that is new, remove a PC or a group that is gone, change the rest."""
        entry = change.mailbox
        dn = f"{entry.rdn},{self._base}"
        try:
            if change.is_new_entry:
                self._connection.add(dn, sorted(entry.classes), _lists(change))
            elif change.action is Action.CLOSE and entry.leaves_no_trace:
                self._connection.delete(dn)
            else:
                replaced = {
                    name: [(ldap3.MODIFY_REPLACE, values)]
                    for name, values in _lists(change).items()
                }
                self._connection.modify(dn, replaced)
        except (LDAPEntryAlreadyExistsResult, LDAPNoSuchObjectResult) as error:
            raise _outrun(f"somebody else changed {entry.rdn}") from error


def _lists(change: Change) -> dict[str, list[str]]:
    return {name: list(values) for name, values in change.writes.items()}


def _outrun(what: str) -> UserError:
    return UserError.of(
        f"{what} since the plan was made", remedy="run `kommunpost directory apply` again"
    )
