"""A small, wholly invented municipality as an audit without faults would see it."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from compliance.checks.model import Result
from compliance.probes import facts as f

AT = datetime(2026, 11, 24, 8, 30, tzinfo=UTC)
BASE = "dc=sjovalla,dc=example"
DOMAIN = "sjovalla.example"
PEOPLE = {
    "10001": ("Åsa Öberg", "utbildning"),
    "10002": ("Łukasz Nowak", "utbildning"),
    "10003": ("Referens 10003", "omsorg"),
    "10004": ("Per af Klint", "plan"),
    "10005": ("Märta Dahl", "ks"),
}


def seen(what: str, of: str, error: str | None = None) -> f.Seen:
    return f.Seen(what, of, AT, error)


def dn(person: str) -> str:
    return f"uid={person},ou=people,{BASE}"


def mailbox(local: str, kind: str, status: str = "active") -> f.Mailbox:
    address = f"{local}@{DOMAIN}"
    return f.Mailbox(address, kind, status, (address,))


def address_of(person: str) -> str:
    return f"p{person}@{DOMAIN}"


def _directory() -> f.DirectoryFacts:
    people = tuple(
        f.Person(
            dn(number),
            number,
            name,
            unit,
            name if name.startswith("Referens") else None,
            mailbox(f"p{number}", "individual"),
        )
        for number, (name, unit) in PEOPLE.items()
    )
    units = tuple(
        f.Unit(
            f"ou={id_},ou=units,{BASE}",
            id_,
            name,
            kind,
            parent,
            mailbox(id_, "function"),
            (dn("10001"),),
            (dn("10003"),),
        )
        for id_, name, kind, parent in (
            ("ks", "Kommunstyrelsen", "authority", None),
            ("bun", "Barn- och utbildningsnämnden", "authority", None),
            ("utbildning", "Utbildningsförvaltningen", "administration", "bun"),
            ("omsorg", "Omsorgsförvaltningen", "administration", None),
            ("samhalle", "Samhällsbyggnadsförvaltningen", "administration", None),
            ("plan", "Planavdelningen", "department", "samhalle"),
        )
    )
    positions = (
        f.Position(
            f"cn=kommunalrad,ou=positions,{BASE}",
            "kommunalrad",
            "Kommunalråd",
            "ks",
            ("commissioner",),
            (dn("10005"),),
            mailbox("kommunalrad", "function"),
        ),
    )
    names = ("postmaster", "abuse", "hostmaster", "security", "dmarc", "tls-reports")
    system = tuple(
        f.SystemMailbox(f"cn={name},ou=system,{BASE}", name, mailbox(name, "system"))
        for name in names
    )
    devices = (
        *(f.Device(f"pc-{number}", (dn(number),), PEOPLE[number][1]) for number in PEOPLE),
        f.Device("pc-10001-b", (dn("10001"),), "utbildning"),
        f.Device("pc-disk", (), "omsorg"),
    )
    holders = (
        *((f"person:{one.id}", one.mailbox) for one in people),
        *((f"unit:{one.id}", one.mailbox) for one in units),
        *((f"position:{one.id}", one.mailbox) for one in positions),
        *((f"system:{one.id}", one.mailbox) for one in system),
    )
    ledger = (
        *(f.Held(holder, box.address) for holder, box in holders),
        f.Held("person:9", f"slutade.for-lange-sedan@{DOMAIN}"),
    )
    groups = (
        *(f.Group(f"unit:{one.id}", "writer", (dn("10001"), dn("10003"))) for one in units),
        f.Group("position:kommunalrad", "writer", (dn("10005"),)),
    )
    return f.DirectoryFacts(
        seen("people and mailboxes", "ldaps://mail"),
        people,
        units,
        positions,
        system,
        devices,
        ledger,
        groups,
    )


def _arrival() -> f.ArrivalFacts:
    recipients = [*map(address_of, PEOPLE), f"kommunalrad@{DOMAIN}"]
    probes = tuple(
        f.Probe(
            origin,
            recipient,
            f"<{number}.{origin}@kommunpost>",
            "arrived",
            queue_id=f"4D{number:02}{origin[0].upper()}",
            sent_at=AT,
            seconds=2.5 + number,
        )
        for number, recipient in enumerate(recipients)
        for origin in ("internal", "external")
    )
    sample = f.Probe(
        "external", f"finns-inte@{DOMAIN}", "<x@kommunpost>", "refused", "550 5.1.1 unknown"
    )
    return f.ArrivalFacts(
        (seen("probes", "mail, internal"), seen("probes", "outside, external")), probes, sample
    )


def _hosts() -> tuple[f.HostFacts, ...]:
    names = (
        *("postfix", "dovecot", "slapd", "kommunpost-milter", "kommunpost-shipper"),
        *("postgresql@17-main", "nginx"),
    )
    units = tuple(f.UnitState(f"{name}.service", "active", "running") for name in names)
    accepted = (
        f.Accepted("4DAAA", (f"ks@{DOMAIN}", address_of("10001"))),
        f.Accepted("4DBBB", (address_of("10002"),)),
        f.Accepted("4DCCC"),
    )
    return (f.HostFacts("mail", seen("journal and units", "mail"), AT, units, accepted),)


def _unread() -> f.UnreadFacts:
    """Look on a Tuesday morning: what lies unread came the day before."""
    boxes = ("ks", "bun", "utbildning", "omsorg", "samhalle", "plan", "kommunalrad")
    oldest = (
        f.Oldest(f"{name}@{DOMAIN}", AT - timedelta(days=1) if name == "bun" else None)
        for name in boxes
    )
    return f.UnreadFacts(seen("kommunpost watch unread", "mail"), tuple(oldest))


def _review() -> f.ReviewFacts:
    """Two lists are reviewed: one has a row of the day before, and one is done with all."""
    units = (
        f.UnitReview("bun", date(2026, 11, 16), 1, AT - timedelta(days=1)),
        f.UnitReview("ks", date(2026, 11, 23)),
    )
    return f.ReviewFacts(seen("the review", "postgresql"), None, AT, units)


def _backups() -> tuple[f.BackupFacts, ...]:
    """Two hosts, copied in the night and tried on Sunday."""
    return tuple(
        f.BackupFacts(
            name,
            seen("kommunpost backup state", name),
            True,
            AT - timedelta(hours=5),
            AT - timedelta(days=2),
        )
        for name in ("mail", "mx2")
    )


def town() -> f.Facts:
    """Return the facts of a municipality that follows its strategy in everything."""
    rows = (
        f.Row("4DAAA", f"ks@{DOMAIN}"),
        f.Row("4DAAA", address_of("10001")),
        f.Row("4DBBB", address_of("10002")),
        f.Row("4DCCC", "someone@omvarlden.example"),
    )
    page = f.Page(
        "intranet",
        "https://intranet.sjovalla.example/epoststrategi",
        seen("page", "intranet"),
        200,
        "ab" * 32,
        date(2026, 3, 12),
    )
    return f.Facts(
        run="run-1",
        municipality="Sjövalla kommun",
        domain=DOMAIN,
        started=AT,
        finished=AT,
        directory=_directory(),
        plan=f.PlanFacts(seen("plan", "inventory/example")),
        arrival=_arrival(),
        hosts=_hosts(),
        log=f.LogFacts(seen("rows", "postgresql"), rows),
        seal=f.SealFacts(
            seen("the last statement", "postgresql"), 12, date(2026, 11, 23), 1080, "c0ffee" * 10
        ),
        unread=_unread(),
        review=_review(),
        backups=_backups(),
        web=f.WebFacts(
            (
                page,
                replace(page, place="public", url="https://www.sjovalla.example/epoststrategi"),
            )
        ),
    )


def told(result: Result) -> str:
    return " ".join(f"{item.subject} {item.message.sv}" for item in result.findings)


def person(facts: f.Facts, number: str, **change: object) -> f.Facts:
    people = tuple(
        replace(item, **change) if item.id == number else item for item in facts.directory.people
    )
    return replace(facts, directory=replace(facts.directory, people=people))
