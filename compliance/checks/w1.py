"""W1: every function mailbox has somebody who keeps it read: who works here, and may read it."""

from collections.abc import Iterator

from compliance.checks.model import Check, Finding, Result, Status, load_control
from compliance.checks.people import Register, name_of, same_dn
from compliance.checks.reach import COMMON, directory_gap
from compliance.probes.facts import Facts, Mailbox, Position, Unit
from compliance.texts import Text

CONTROL = load_control(__file__)


def judge(facts: Facts) -> Result:
    """Judge the watch over each unit's mailbox, and the holders of each position's."""
    directory = facts.directory
    if directory is None or directory.seen.error:
        summary = CONTROL.message("summary.unknown")
        return Result(CONTROL, 0, 0, tuple(directory_gap(facts)), summary)
    if directory.groups is None:  # facts from before groups were asked for
        gap = Finding("LDAP", COMMON["gap.not_asked"], Status.UNKNOWN, cause=True)
        return Result(CONTROL, 0, 0, (gap,), CONTROL.message("summary.unknown"))
    register = Register(directory)
    units = [unit for unit in directory.units if _in_use(unit.mailbox)]
    posts = [post for post in directory.positions if _in_use(post.mailbox)]
    unasked = [unit for unit in units if unit.watchers is None or unit.deputies is None]
    gaps = [Finding(unit.name, COMMON["gap.not_asked"], Status.UNKNOWN) for unit in unasked]
    findings = [
        *(finding for unit in units if unit not in unasked for finding in _unit(register, unit)),
        *(finding for post in posts for finding in _post(register, post)),
    ]
    population = len(units) + len(posts)
    failing = {item.subject for item in findings if item.severity is Status.FAIL}
    key = "fail" if failing else "unknown" if gaps or not population else "pass"
    summary = CONTROL.message(f"summary.{key}", count=population, bad=len(failing))
    return Result(CONTROL, population, population - len(unasked), (*gaps, *findings), summary)


def _unit(register: Register, unit: Unit) -> Iterator[Finding]:
    """Watcher and deputy are each named, work here, and are two people."""
    watchers, deputies = unit.watchers or (), unit.deputies or ()
    for names, word in ((watchers, "watcher"), (deputies, "deputy")):
        role = CONTROL.messages[f"role.{word}"]
        if not names:
            yield _finding(unit, CONTROL.message("missing", name=unit.name, role=role))
        for dn in names:
            yield from _keeper(register, unit, dn, role)
    if {*map(same_dn, watchers)} & {*map(same_dn, deputies)}:
        yield _finding(unit, CONTROL.message("same", name=unit.name))


def _post(register: Register, post: Position) -> Iterator[Finding]:
    """Holders watch a position's mailbox; a vacant post is a remark, a holder who left a fault."""
    if not post.occupants:
        yield _finding(post, CONTROL.message("vacant", name=post.name), Status.WARNING)
    for dn in post.occupants:
        yield from _keeper(register, post, dn, CONTROL.messages["role.holder"])


def _keeper(register: Register, entry: Unit | Position, dn: str, role: Text) -> Iterator[Finding]:
    """Whoever answers for a mailbox works here and is in a group that may read it."""
    gone = _gone(register, dn)
    if gone:
        yield _finding(entry, CONTROL.message("gone", name=entry.name, role=role, who=gone))
        return
    kind = "unit" if isinstance(entry, Unit) else "position"
    person = register.person(dn)
    if person and same_dn(dn) not in register.readers(f"{kind}:{entry.id}"):
        text = CONTROL.message("no_right", name=entry.name, role=role, who=name_of(person))
        yield _finding(entry, text)


def _gone(register: Register, dn: str) -> str | None:
    """Return how to call somebody who no longer works here, or None for one who does."""
    person = register.person(dn)
    if person is None:
        return dn.split(",")[0].split("=")[-1]
    return None if _in_use(person.mailbox) else name_of(person)


def _in_use(mailbox: Mailbox | None) -> bool:
    return mailbox is not None and mailbox.status == "active"


def _finding(entry: Unit | Position, text: Text, severity: Status = Status.FAIL) -> Finding:
    unit = entry.id if isinstance(entry, Unit) else entry.unit
    address = entry.mailbox.address if entry.mailbox else entry.name
    return Finding(address, text, severity, unit)


CHECK = Check(CONTROL, frozenset({"directory"}), judge)
