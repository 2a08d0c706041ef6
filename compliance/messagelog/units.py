"""Which unit an address belongs to, and which addresses a login may send as.

Answers come from a snapshot of LDAP held in memory: mail never waits for the directory, but for one
look-up within a short time-out when an address of the own domain is new, or a right to send as a
function mailbox. When LDAP is away, the last snapshot stands.
"""

import logging
import math
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Protocol

import ldap3
from ldap3.core.exceptions import LDAPException
from ldap3.utils.conv import escape_filter_chars

from compliance.messagelog import addresses
from compliance.messagelog.capture import MustAskError
from compliance.settings import Directory, read_secret

REFRESH_SECONDS = 30.0
FULL_REFRESH_SECONDS = 900.0
LOOKUP_SECONDS = 1
MISS_SECONDS = 10.0
SENDERS_SECONDS = 1.0
_MAX_MISSES = 10_000
_PAGE = 1_000
_SNAPSHOT_SECONDS = 60
_SENDERS_SECONDS = 5
# To connect, to bind and to answer may take so long each.
_STEPS = 3

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Mailbox:
    """What the log needs of one mailbox. key: its DN. stamp: LDAP's modifyTimestamp, UTC.

    is_function: whether it is a function mailbox, whose mail is archived.
    """

    key: str
    unit: str | None
    addresses: frozenset[str]
    stamp: str
    holder: str = ""
    is_function: bool = False


class Source(Protocol):
    """What the snapshot is made from. Each method raises OSError when the directory is away."""

    def mailboxes(self, since: str | None, address: str | None) -> Iterable[Mailbox]:
        """Return all (None, None), those changed since a stamp, or those with one address."""

    def senders(self) -> Mapping[str, frozenset[str]]:
        """Return who may send as a mailbox besides its own: its holder to keys of mailboxes."""


@dataclass
class Units:
    """The snapshot and how it is kept."""

    domain: str
    source: Source
    clock: Callable[[], float] = time.monotonic
    _by_address: dict[str, Mailbox] = field(default_factory=dict)
    _by_key: dict[str, Mailbox] = field(default_factory=dict)
    _loaded_at: float | None = None
    _stamp: str = ""
    _senders: Mapping[str, frozenset[str]] = field(default_factory=dict)
    _senders_at: float = -math.inf
    _missed: dict[str, float] = field(default_factory=dict)
    _is_away: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _looking: threading.Lock = field(default_factory=threading.Lock)

    def unit_of(self, address: str, *, ask: bool = True) -> str | None:
        """Return the id of the unit that the mailbox with this address belongs to.

        ask: whether the directory may be asked, as in all three; else raises MustAskError if it
        must be.
        """
        mailbox = self._find(address, ask=ask)
        return mailbox.unit if mailbox else None

    def is_function(self, address: str, *, ask: bool = True) -> bool:
        """Say whether this is an address of a function mailbox."""
        mailbox = self._find(address, ask=ask)
        return mailbox is not None and mailbox.is_function

    def addresses_of(self, login: str, sender: str, *, ask: bool = True) -> frozenset[str] | None:
        """Return the addresses that a login may name when it sends with this envelope sender.

        They are those of its own mailbox, and of the sender's if it may send as that one. None
        while nothing is known.
        """
        mine = self._find(login, ask=ask)
        if mine is None:
            return None if self._loaded_at is None else frozenset()
        other = self._find(sender, ask=ask)
        if other is None or other.key == mine.key:
            return mine.addresses
        # Postfix has said yes by now, so a no of ours must be fresh, and no directory is no answer.
        if not self._is_sender(mine, other) and not self._renew_senders(ask=ask):
            return None
        return mine.addresses | other.addresses if self._is_sender(mine, other) else mine.addresses

    def _is_sender(self, mine: Mailbox, other: Mailbox) -> bool:
        return mine.key in self._senders.get(other.holder, ())

    def _renew_senders(self, *, ask: bool) -> bool:
        """Ask who may send as whom, unless that was just asked; False if there is no answer."""
        if self._is_away:
            return False
        if not ask:
            raise MustAskError
        if not self._looking.acquire(timeout=LOOKUP_SECONDS):
            return False
        try:
            if self.clock() - self._senders_at >= SENDERS_SECONDS:
                self._senders = self.source.senders()
                self._senders_at = self.clock()
        except OSError as error:
            self._note_away(error)
        finally:
            self._looking.release()
        return not self._is_away

    def refresh(self) -> None:
        """Bring the snapshot up to date. When the directory is away, it stays as it is."""
        now = self.clock()
        is_full = self._loaded_at is None or now - self._loaded_at >= FULL_REFRESH_SECONDS
        try:
            # The stamp has whole seconds, so that what changed in its second is asked for again.
            fresh = list(self.source.mailboxes(None if is_full else self._stamp, None))
            senders = self.source.senders()
        except OSError as error:
            self._note_away(error)
            return
        self._note_back()
        with self._lock:
            if is_full:
                self._loaded_at = now
            self._take(fresh, replace=is_full)
            self._senders, self._senders_at = senders, now
            self._missed.clear()

    def keep_fresh(self, stop: threading.Event) -> None:
        """Refresh until told to stop. Meant for a thread of its own."""
        while not stop.is_set():
            self.refresh()
            stop.wait(REFRESH_SECONDS)

    def _take(self, fresh: list[Mailbox], *, replace: bool) -> None:
        """Put mailboxes into the snapshot. Readers see the old one or the new one, never half."""
        by_key = {} if replace else dict(self._by_key)
        by_key.update((mailbox.key, mailbox) for mailbox in fresh)
        self._by_address = {
            address: mailbox for mailbox in by_key.values() for address in mailbox.addresses
        }
        self._by_key = by_key
        self._stamp = max([self._stamp, *(mailbox.stamp for mailbox in fresh)])

    def _find(self, address: str, *, ask: bool) -> Mailbox | None:
        key = addresses.key_of(address, self.domain)
        base = addresses.without_extension(key)
        found = self._by_address.get(key) or self._by_address.get(base)
        if found is None and addresses.domain_of(key) == self.domain.lower():
            return self._look_up(base, ask=ask)
        return found

    def _look_up(self, address: str, *, ask: bool) -> Mailbox | None:
        """Ask for a new address, unless it was just asked for or the directory is away.

        One look-up at a time: while one waits for a slow directory, other mail goes on without.
        """
        if self._is_away or self._is_miss(address):
            return None
        if not ask:
            raise MustAskError
        if not self._looking.acquire(timeout=LOOKUP_SECONDS):
            return None
        try:
            # Whoever had the lock may have asked for this one.
            if address in self._by_address or self._is_miss(address):
                return self._by_address.get(address)
            self._keep(address, list(self.source.mailboxes(None, address)))
        except OSError as error:
            self._note_away(error)
            return None
        finally:
            self._looking.release()
        return self._by_address.get(address)

    def _keep(self, address: str, found: list[Mailbox]) -> None:
        with self._lock:
            if len(self._missed) >= _MAX_MISSES:
                self._missed.clear()
            if found:
                self._take(found, replace=False)
            else:
                self._missed[address] = self.clock()

    def _is_miss(self, address: str) -> bool:
        missed_at = self._missed.get(address)
        return missed_at is not None and self.clock() - missed_at < MISS_SECONDS

    def _note_away(self, error: OSError) -> None:
        if not self._is_away:
            _log.warning("the directory is away, the last snapshot stands: %s", error)
        self._is_away = True

    def _note_back(self) -> None:
        if self._is_away:
            _log.info("the directory is back")
        self._is_away = False


class AtOnce:
    """The same answers as far as they stand in memory; raises MustAskError for the others."""

    def __init__(self, units: Units) -> None:
        """units: where they stand."""
        self._units = units

    def unit_of(self, address: str) -> str | None:
        """As `Units` says."""
        return self._units.unit_of(address, ask=False)

    def is_function(self, address: str) -> bool:
        """As `Units` says."""
        return self._units.is_function(address, ask=False)

    def addresses_of(self, login: str, sender: str) -> frozenset[str] | None:
        """As `Units` says."""
        return self._units.addresses_of(login, sender, ask=False)


class Ldap:
    """The directory, asked as the settings' reader. Each call binds anew, so none goes stale."""

    def __init__(self, directory: Directory) -> None:
        """Read the password once. Raises UserError if it cannot be read."""
        self._directory = directory
        self._password = read_secret(directory.reader_password_file)
        self._tls = ldap3.Tls(
            validate=ssl.CERT_REQUIRED,
            ca_certs_file=str(directory.ca_file) if directory.ca_file else None,
        )

    def mailboxes(self, since: str | None, address: str | None) -> Iterable[Mailbox]:
        """Return mailboxes and lists, as `Source` says."""
        wanted = [
            *("kommunpostAddress", "kommunpostUnit", "kommunpostHolder", "kommunpostKind"),
            "modifyTimestamp",
        ]
        seconds = LOOKUP_SECONDS if address else _SNAPSHOT_SECONDS
        return map(_mailbox, self._search(_filter(since, address), wanted, seconds))

    def senders(self) -> Mapping[str, frozenset[str]]:
        """Return the groups of those who may send as a mailbox."""
        found = self._search(_SENDERS, ["kommunpostHolder", "member"], _SENDERS_SECONDS)
        return {
            holder: frozenset(map(str.lower, group("member")))
            for group in map(_values, found)
            for holder in group("kommunpostHolder")
        }

    def _search(self, wanted: str, attributes: list[str], seconds: int) -> list[dict[str, Any]]:
        uri = self._directory.uri
        server = ldap3.Server(
            uri, tls=self._tls, get_info=ldap3.NONE, connect_timeout=LOOKUP_SECONDS
        )
        try:
            connection = ldap3.Connection(
                server,
                self._directory.reader_dn,
                self._password,
                read_only=True,
                raise_exceptions=True,
                receive_timeout=seconds,
            )
            with _ended_after(_STEPS * seconds, connection), connection:
                connection.bind()
                found = connection.extend.standard.paged_search(
                    self._directory.base, wanted, attributes=attributes, paged_size=_PAGE
                )
                return [item for item in found if item["type"] == "searchResEntry"]
        except (LDAPException, OSError) as error:
            raise OSError(f"{uri}: {error}") from error
        except Exception as error:
            # ldap3 raises IndexError and the like on an answer that is cut off or no LDAP at all.
            raise OSError(f"{uri}: the answer cannot be read ({error!r})") from error


@contextmanager
def _ended_after(seconds: int, connection: ldap3.Connection) -> Iterator[None]:
    """End what is asked over a connection when its time is up, with OSError.

    The library's own limit begins anew with each byte that comes.
    """
    is_over = threading.Event()

    def end() -> None:
        is_over.set()
        if connection.socket is not None:
            with suppress(OSError):  # not its own method, by which TLS ends and its bytes are read
                socket.socket.shutdown(connection.socket, socket.SHUT_RDWR)

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    except Exception as error:
        if is_over.is_set():
            raise OSError(f"no whole answer within {seconds} seconds") from error
        raise
    finally:
        timer.cancel()


_SENDERS = "(&(objectClass=kommunpostGroup)(kommunpostRight=sender))"


def _filter(since: str | None, address: str | None) -> str:
    narrower = ""
    if address is not None:
        narrower = f"(kommunpostAddress={escape_filter_chars(address)})"
    elif since:
        narrower = f"(modifyTimestamp>={since})"
    # The classes keep the ledger of addresses out, which holds kommunpostAddress too.
    kinds = "(|(objectClass=kommunpostMailbox)(objectClass=kommunpostList))"
    return f"(&{kinds}(kommunpostAddress=*){narrower})"


def _values(item: dict[str, Any]) -> Callable[[str], list[str]]:
    """Read an entry as it came over the wire: the schema isn't loaded, so values are bytes."""
    raw = {name.lower(): values for name, values in item["raw_attributes"].items()}

    def values(name: str) -> list[str]:
        return [value.decode("utf-8", "replace") for value in raw.get(name.lower(), [])]

    return values


def _mailbox(item: dict[str, Any]) -> Mailbox:
    values = _values(item)
    holder = next(iter(values("kommunpostHolder")), "")
    own_unit = holder.removeprefix("unit:") if holder.startswith("unit:") else None
    return Mailbox(
        key=item["dn"].lower(),
        unit=next(iter(values("kommunpostUnit")), own_unit),
        addresses=frozenset(value.lower() for value in values("kommunpostAddress")),
        stamp=next(iter(values("modifyTimestamp")), ""),
        holder=holder,
        is_function="function" in values("kommunpostKind"),
    )
