"""What the directory asks of a mail store: which mailboxes are shared, and who shares them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from compliance.directory.ldap import Connection, search
from compliance.directory.model import MailboxKind, Right
from compliance.directory.passwords import LOCKED_FOR_GOOD

# Rights of IMAP (RFC 4314) by Dovecot's names. Never `admin`: nobody hands a right on.
RIGHTS = {
    Right.READER: frozenset({"lookup", "read"}),
    Right.WRITER: frozenset(
        {
            *("lookup", "read", "write", "write-seen", "write-deleted"),
            *("insert", "expunge", "create", "delete"),
        }
    ),
}

_MAILBOXES = "(&(mail=*)(kommunpostKind=*)(kommunpostStatus=active))"
_GROUPS = "(objectClass=kommunpostGroup)"

Entries = Iterable[tuple[str, Mapping[str, list[str]]]]
Acl = Mapping[str, frozenset[str]]
Members = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class Wanted:
    """What a store is to be like.

    acls: by address, the rights of each identifier on INBOX, which all folders inherit.
    functions: the addresses of function mailboxes, each of them among the acls.
    members: by login, the address of each group that somebody is in and that counts on a store.
    active: the address of every mailbox that is in use.
    locked: the addresses whose login a technician has locked; theirs are mailboxes as before.
    """

    acls: Mapping[str, Acl]
    functions: frozenset[str]
    members: Members
    active: frozenset[str]
    locked: frozenset[str]


def wanted(mailboxes: Entries, groups: Entries) -> Wanted:
    """Make `Wanted` of the directory's entries (DN and attributes) of active mailboxes. Pure.

    Every function mailbox gives both its groups their rights, whether they have members or not:
    then a change of members changes nothing in the store. An individual mailbox does so from the
    first leave on.
    """
    addresses: dict[str, str] = {}  # by holder
    logins: dict[str, str] = {}  # by DN
    acls: dict[str, Acl] = {}
    locked: set[str] = set()
    for dn, entry in mailboxes:
        address, holder = entry["mail"][0].lower(), entry["kommunpostHolder"][0]
        addresses[holder] = address
        if LOCKED_FOR_GOOD in entry.get("pwdAccountLockedTime", ()):
            locked.add(address)
        if entry["kommunpostKind"][0] == MailboxKind.FUNCTION:
            acls[address] = _acl(holder, RIGHTS)
        else:
            logins[dn.lower()] = address
    functions = frozenset(acls)
    members: dict[str, dict[str, str]] = {}
    for _, group in groups:
        right, holder = group["kommunpostRight"][0], group["kommunpostHolder"][0]
        if right not in RIGHTS or holder not in addresses:
            continue
        address = addresses[holder]
        acls.setdefault(address, _acl(holder, [Right.WRITER]))
        for login in filter(None, (logins.get(dn.lower()) for dn in group["member"])):
            members.setdefault(login, {})[group["cn"][0]] = address
    return Wanted(acls, functions, members, frozenset(addresses.values()), frozenset(locked))


def _acl(holder: str, rights: Iterable[Right]) -> Acl:
    """Name groups as Dovecot hears of them, by the first part of their DN (auth.conf)."""
    return {f"group=cn={holder.replace(':', '.')}.{right}": RIGHTS[right] for right in rights}


def read(connection: Connection, base: str) -> Wanted:
    """Ask the directory. base: the LDAP suffix."""
    mailbox = ["mail", "kommunpostKind", "kommunpostHolder", "pwdAccountLockedTime"]
    group = ["cn", "member", "kommunpostHolder", "kommunpostRight"]
    return wanted(
        _search(connection, base, _MAILBOXES, mailbox),
        _search(connection, f"ou=groups,{base}", _GROUPS, group),
    )


def state_of(connection: Connection, base: str) -> str:
    """Give a token that changes whenever anything in the directory does (contextCSN)."""
    connection.search(base, "(objectClass=*)", "BASE", attributes=["contextCSN"])
    values = [
        value
        for item in connection.response
        if item["type"] == "searchResEntry"
        for value in item["raw_attributes"].get("contextCSN", ())
    ]
    return b" ".join(sorted(values)).decode()


def _search(
    connection: Connection, base: str, condition: str, attributes: list[str]
) -> Iterator[tuple[str, Mapping[str, list[str]]]]:
    for dn, raw in search(connection, base, condition, attributes):
        yield dn, {name: [value.decode() for value in values] for name, values in raw.items()}
