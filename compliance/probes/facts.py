"""What the probes saw: plain data that can be kept as JSON and judged again without the network.

Each part carries a `Seen`: what was asked of whom, when, and why nothing came back if so.
A part that was not asked for is None.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Literal

from pydantic import AwareDatetime, TypeAdapter, ValidationError

from compliance.errors import UserError
from compliance.review.period import Regularity

Origin = Literal["internal", "external"]
UnitKind = Literal["authority", "administration", "department"]
Audience = Literal["pc-owners", "commissioner"]
Outcome = Literal[
    "arrived",  # read in the recipient's probe mailbox
    "refused",  # a server said no for good (5xx)
    "delayed",  # a server said not now (4xx), or Postfix holds it back
    "bounced",  # accepted, then returned
    "astray",  # delivered by Postfix's word, but not in the probe mailbox
    "missing",  # nothing seen before the deadline
    "unread",  # the probe mailbox could not be read, so arrival is not known
    "not_sent",  # never tried; the detail says why
]


@dataclass(frozen=True)
class Seen:
    """What was asked, of whom and when (UTC); error says why nothing came back."""

    asked: str
    of: str
    at: AwareDatetime
    error: str | None = None


@dataclass(frozen=True)
class Mailbox:
    """An LDAP entry's mailbox; an entry without mail, kind and status has none."""

    address: str
    kind: str
    status: str
    addresses: tuple[str, ...] = ()


@dataclass(frozen=True)
class Person:
    """A person's entry. `reference` is set for a protected identity and stands for the name."""

    dn: str
    id: str
    name: str
    unit: str | None = None
    reference: str | None = None
    mailbox: Mailbox | None = None


@dataclass(frozen=True)
class Unit:
    """An authority, administration or department with the DNs of those who keep its mailbox read.

    Facts that were recorded before watchers were asked for hold None.
    """

    dn: str
    id: str
    name: str
    kind: str
    parent: str | None = None
    mailbox: Mailbox | None = None
    watchers: tuple[str, ...] | None = None
    deputies: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Position:
    """A post with the DNs of its holders and its duties (`commissioner`, ...)."""

    dn: str
    id: str
    name: str
    unit: str | None = None
    duties: tuple[str, ...] = ()
    occupants: tuple[str, ...] = ()
    mailbox: Mailbox | None = None


@dataclass(frozen=True)
class SystemMailbox:
    """A system entry: postmaster, abuse, ..."""

    dn: str
    id: str
    mailbox: Mailbox | None = None


@dataclass(frozen=True)
class Device:
    """A networked PC with the DNs of its owners; an owner who is gone stays in the list."""

    name: str
    owners: tuple[str, ...] = ()
    unit: str | None = None


@dataclass(frozen=True)
class Held:
    """A line of the address ledger: who holds or held an address."""

    holder: str
    address: str


@dataclass(frozen=True)
class Group:
    """Who has a right (`writer`, ...) in the mailbox of a holder: the members' DNs."""

    holder: str
    right: str
    members: tuple[str, ...] = ()


@dataclass(frozen=True)
class DirectoryFacts:
    """The directory as LDAP holds it. Facts from before groups were asked for hold None there."""

    seen: Seen
    people: tuple[Person, ...] = ()
    units: tuple[Unit, ...] = ()
    positions: tuple[Position, ...] = ()
    system: tuple[SystemMailbox, ...] = ()
    devices: tuple[Device, ...] = ()
    ledger: tuple[Held, ...] = ()
    groups: tuple[Group, ...] | None = None


@dataclass(frozen=True)
class Pending:
    """A change that the municipality's own lists ask for and LDAP does not hold yet."""

    action: str
    address: str
    kind: str
    holder: str
    reason: str


@dataclass(frozen=True)
class PlanFacts:
    """The difference between the municipality's lists and LDAP."""

    seen: Seen
    pending: tuple[Pending, ...] = ()


@dataclass(frozen=True)
class Probe:
    """One probe mail: where it started, to whom, and what became of it."""

    origin: Origin
    recipient: str
    message_id: str
    outcome: Outcome
    detail: str = ""
    queue_id: str | None = None
    sent_at: AwareDatetime | None = None
    seconds: float | None = None


@dataclass(frozen=True)
class ArrivalFacts:
    """Every probe. `stopped` says why the rest was not sent, once the first ones showed a fault.

    `unknown_address` is the control sample from outside: an address that nobody has.
    """

    seen: tuple[Seen, ...]
    probes: tuple[Probe, ...] = ()
    unknown_address: Probe | None = None
    stopped: str | None = None


@dataclass(frozen=True)
class UnitState:
    """A systemd unit as the host reports it, e.g. active/running."""

    name: str
    active: str
    sub: str


@dataclass(frozen=True)
class Accepted:
    """A queue id that Postfix accepted; the recipients are those the journal names so far."""

    queue_id: str
    recipients: tuple[str, ...] = ()


@dataclass(frozen=True)
class HostFacts:
    """A mail host's units, and what Postfix accepted there since `since`."""

    name: str
    seen: Seen
    since: AwareDatetime
    units: tuple[UnitState, ...] = ()
    accepted: tuple[Accepted, ...] = ()


@dataclass(frozen=True)
class Row:
    """A row of the message log."""

    queue_id: str
    recipient: str


@dataclass(frozen=True)
class LogFacts:
    """The rows of the accepted queue ids, after waiting for the shipper; `waited` in seconds."""

    seen: Seen
    rows: tuple[Row, ...] = ()
    waited: float = 0.0


@dataclass(frozen=True)
class SealFacts:
    """The last statement on a day that the log was sealed with; its number is None if none was.

    sha256: of the statement's text, as anyone can compute it from what is published.
    """

    seen: Seen
    number: int | None = None
    day: date | None = None
    entries: int = 0
    sha256: str = ""


@dataclass(frozen=True)
class Page:
    """One fetched page; `adopted` is the first date in a `time` element."""

    place: Literal["intranet", "public"]
    url: str
    seen: Seen
    status: int | None = None
    sha256: str | None = None
    adopted: date | None = None


@dataclass(frozen=True)
class WebFacts:
    """Both places where the strategy is published."""

    pages: tuple[Page, ...]


@dataclass(frozen=True)
class Oldest:
    """When the oldest unread message of a mailbox came; None if all is read."""

    address: str
    arrived: AwareDatetime | None = None


@dataclass(frozen=True)
class UnreadFacts:
    """What lies unread in the function mailboxes; one that was not looked into is not there.

    Who has looked into a mailbox is not asked.
    """

    seen: Seen
    oldest: tuple[Oldest, ...] = ()


@dataclass(frozen=True)
class UnitReview:
    """How far the review of a unit's log list has come.

    begin: the first day of its oldest open period. left: rows that nobody has decided, or that are
    in doubt; oldest: when the oldest of them came.
    """

    unit: str
    begin: date
    left: int = 0
    oldest: AwareDatetime | None = None


@dataclass(frozen=True)
class ReviewFacts:
    """Each unit whose log list is reviewed. A unit without mail or protocols is not there.

    regularity: what the municipality has set, if anything. taken_in: up to when the log list has
    read the log. Who reviews is not asked.
    """

    seen: Seen
    regularity: Regularity | None = None
    taken_in: AwareDatetime | None = None
    units: tuple[UnitReview, ...] = ()


@dataclass(frozen=True)
class BackupFacts:
    """How a host is copied. set_up is None where the host did not tell.

    copied: when the newest copy that the backup host has was taken. tried: when a restore of one
    was last tried; trial_error: why it failed, None if it went well.
    """

    name: str
    seen: Seen
    set_up: bool | None = None
    copied: AwareDatetime | None = None
    tried: AwareDatetime | None = None
    trial_error: str | None = None


@dataclass(frozen=True)
class Facts:
    """All that one run saw."""

    run: str
    municipality: str
    domain: str
    started: AwareDatetime
    finished: AwareDatetime
    directory: DirectoryFacts | None = None
    plan: PlanFacts | None = None
    arrival: ArrivalFacts | None = None
    hosts: tuple[HostFacts, ...] | None = None
    log: LogFacts | None = None
    web: WebFacts | None = None
    seal: SealFacts | None = None
    unread: UnreadFacts | None = None
    review: ReviewFacts | None = None
    backups: tuple[BackupFacts, ...] | None = None


_ADAPTER: TypeAdapter[Facts] = TypeAdapter(Facts)


def now() -> datetime:
    """Return the time now, in UTC."""
    return datetime.now(UTC)


def to_json(facts: Facts) -> bytes:
    """Return the facts as indented JSON, UTF-8."""
    return _ADAPTER.dump_json(facts, indent=1)


def from_json(data: bytes, where: str) -> Facts:
    """Read recorded facts. Raises UserError that names the first wrong places."""
    try:
        return _ADAPTER.validate_json(data)
    except ValidationError as error:
        first = error.errors()[0]
        place = f" at {'.'.join(map(str, first['loc']))}" if first["loc"] else ""
        raise UserError.of(
            f"these are not recorded facts: {first['msg']}{place}",
            where,
            "give a facts.json that `kommunpost audit` wrote",
        ) from error
