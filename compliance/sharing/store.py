"""Makes a mail store as the directory wants it.

A pass compares and does only what differs, so it may be cut off anywhere: the next one makes it up.
"""

import json
import logging
from collections.abc import Callable, Iterable
from pathlib import Path

from compliance.sharing.doveadm import Doveadm
from compliance.sharing.wanted import Members, Wanted

# What others share with somebody, as roles/mail_store's dovecot.conf names it to the users.
SHARED = "Delade brevlådor"
# The folders of a shared mailbox that clients show which only show subscribed ones.
_SUBSCRIBED = ("", "/Sent")

_log = logging.getLogger(__name__)


class Store:
    """One mail store: its mailboxes, subscriptions and sessions."""

    def __init__(self, doveadm: Doveadm, sharing_map: Path, memory: Path) -> None:
        """sharing_map: Dovecot's file. memory: where the members of the last pass stand."""
        self._doveadm = doveadm
        self._map = sharing_map
        self._memory = memory

    def make(self, wanted: Wanted) -> None:
        """Make sessions, rights, sharing map and subscriptions as wanted. Raises UserError.

        Whoever has lost something is out before anything can fail. The members are remembered
        last, so what a pass did not get done is done by the next. The first pass knows nothing
        from before: then everybody's membership is new, and nobody's session is old.
        """
        before = self._remembered()
        known = before or {}
        lost = losers(known, wanted.members)
        changed = changes(known, wanted.members)
        out = lost | wanted.locked
        self._close_sessions(lambda login: login in out or login not in wanted.active)
        self._give_rights(wanted)
        self._fill_map(wanted)
        for login in sorted(changed & wanted.active):
            old = set(known.get(login, {}).values())
            new = set(wanted.members.get(login, {}).values())
            self._doveadm.subscribe(login, _folders(new - old))
            self._doveadm.unsubscribe(login, _folders(old - new))
        if before is not None and changed - lost:
            self._close_sessions(lambda login: login in changed - lost)
        self._remember(wanted.members)

    def _give_rights(self, wanted: Wanted) -> None:
        held = self._doveadm.acls(wanted.acls)
        for address, acl in wanted.acls.items():
            lacking = {
                name: rights for name, rights in acl.items() if held[address].get(name) != rights
            }
            if lacking:
                if address in wanted.functions:
                    self._doveadm.create(address, "Sent")
                self._doveadm.set_acl(address, lacking)
                _log.info("%s is ready to be shared", address)

    def _fill_map(self, wanted: Wanted) -> None:
        known = self._mapped()
        for address, acl in wanted.acls.items():
            if not {(name, address) for name in acl} <= known:
                self._doveadm.map_anew(address)

    def _mapped(self) -> set[tuple[str, str]]:
        """Read (identifier, address) from the sharing map: lines of keys and values in turn."""
        try:
            keys = self._map.read_text(encoding="utf-8").splitlines()[::2]
        except FileNotFoundError:
            return set()
        parts = (key.split("/") for key in keys)  # shared/shared-boxes/group/NAME/ADDRESS
        return {(f"{kind}={name}", address) for _, _, kind, name, address in parts}

    def _close_sessions(self, is_over: Callable[[str], bool]) -> None:
        """Close sessions by login. One keeps the rights that it began with; its client is back."""
        for login, process in self._doveadm.sessions():
            if is_over(login):
                self._doveadm.close(process)
                _log.info("closed a session of %s, who may no longer do the same as before", login)

    def _remembered(self) -> Members | None:
        """Give the members of the last pass; None at the first one."""
        try:
            members: Members = json.loads(self._memory.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        return members

    def _remember(self, members: Members) -> None:
        new = self._memory.with_suffix(".new")
        new.write_text(json.dumps(members, indent=1), encoding="utf-8")
        new.replace(self._memory)


def changes(before: Members, after: Members) -> set[str]:
    """Give the logins whose groups, or the addresses of these, are others than before."""
    logins = before.keys() | after.keys()
    return {login for login in logins if before.get(login) != after.get(login)}


def losers(before: Members, after: Members) -> set[str]:
    """Give the logins that are no longer in every group that they were in."""
    return {login for login in before if not before[login].items() <= after.get(login, {}).items()}


def _folders(addresses: Iterable[str]) -> list[str]:
    """Name the folders in which members find shared mailboxes, by their part before the @."""
    names = sorted(address.partition("@")[0] for address in addresses)
    return [f"{SHARED}/{name}{folder}" for name in names for folder in _SUBSCRIBED]
