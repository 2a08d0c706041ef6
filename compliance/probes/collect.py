"""One audit's facts: each probe that some control needs is run once, in the one order that works.

The log is read after the probes were sent, so that their own rows are held against it too.
"""

import secrets
from datetime import UTC, datetime

from compliance.errors import UserError
from compliance.probes import arrival, backup, ldap, log, plan, unread, web
from compliance.probes.facts import (
    Accepted,
    Audience,
    DirectoryFacts,
    Facts,
    LogFacts,
    PlanFacts,
    now,
)
from compliance.probes.host import Host
from compliance.probes.progress import Progress
from compliance.review.period import Regularity
from compliance.settings import Settings, settings_path


def collect(
    settings: Settings, needs: frozenset[str], audience: frozenset[Audience], progress: Progress
) -> Facts:
    """Run the probes that `needs` names (fields of Facts); the rest stays None.

    audience: whom to send probe letters to. Raises UserError only when the settings have no
    part `audit`.
    """
    audit = settings.audit
    if audit is None:
        raise UserError.of(
            "the settings do not say what the audit may use",
            f"{settings_path()}: audit",
            "run this on the control machine, or write the part `audit`",
        )
    run, started = _run_id(), now()
    directory = _directory(settings, needs, progress)
    planned = _plan(settings, needs, progress)
    arrived = None
    if "arrival" in needs and directory and not directory.seen.error:
        addresses = recipients(directory, audience)
        arrived = arrival.read(audit, settings.municipality.domain, run, addresses, progress)
    hosts = None
    if "hosts" in needs:
        progress.step("hosts")
        hosts = tuple(Host(item).facts() for item in audit.mail_hosts)
    logged = sealed = None
    if "log" in needs and settings.log:
        progress.step("log")
        sealed = log.last_seal(settings.log)
        logged = _log(settings, [item for host in hosts or () for item in host.accepted])
    reviewed = None
    if "review" in needs and settings.log:
        progress.step("review")
        reviewed = log.review(
            settings.log, Regularity(audit.regularity) if audit.regularity else None
        )
    pages = None
    if "web" in needs and audit.publication:
        progress.step("web")
        pages = web.read(audit.publication)
    watched = None
    if "unread" in needs and audit.watch:
        progress.step("unread")
        watched = unread.read(audit.watch)
    copied = None
    if "backups" in needs and audit.backups:
        progress.step("backups")
        copied = tuple(map(backup.read, audit.backups))
    municipality = settings.municipality
    return Facts(
        run=run,
        municipality=municipality.name,
        domain=municipality.domain,
        started=started,
        finished=now(),
        directory=directory,
        plan=planned,
        arrival=arrived,
        hosts=hosts,
        log=logged,
        web=pages,
        seal=sealed,
        unread=watched,
        review=reviewed,
        backups=copied,
    )


def recipients(directory: DirectoryFacts, audience: frozenset[Audience]) -> list[str]:
    """Return the addresses of the commissioner and of every PC owner, as asked, each once.

    Protected people come last: the first few are told by the fault that they all meet.
    """
    people = {person.dn.lower(): person for person in directory.people}
    posts, dns = [], list[str]()
    if "commissioner" in audience:
        posts = [post for post in directory.positions if "commissioner" in post.duties]
        dns += [dn for post in posts for dn in post.occupants]
    if "pc-owners" in audience:
        dns += [dn for device in directory.devices for dn in device.owners]
    found = [people[dn.lower()] for dn in dns if dn.lower() in people]
    found.sort(key=lambda person: person.reference is not None)
    boxes = [*(post.mailbox for post in posts), *(person.mailbox for person in found)]
    return list(dict.fromkeys(box.address for box in boxes if box and box.status == "active"))


def _directory(
    settings: Settings, needs: frozenset[str], progress: Progress
) -> DirectoryFacts | None:
    if settings.directory is None or not needs & {"directory", "arrival"}:
        return None
    progress.step("directory")
    return ldap.read(settings.directory)


def _plan(settings: Settings, needs: frozenset[str], progress: Progress) -> PlanFacts | None:
    directory = settings.directory
    if "plan" not in needs or directory is None or directory.sources is None:
        return None
    progress.step("plan")
    return plan.read(directory, directory.sources, settings.municipality.domain)


def _log(settings: Settings, accepted: list[Accepted]) -> LogFacts | None:
    return log.read(settings.log, accepted) if settings.log else None


def _run_id() -> str:
    """Name a run by its time and a few random letters, as the probe token allows."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"
