"""B2: the municipal commissioner is reachable by mail."""

from compliance.checks.model import Check, Finding, Result, Status, load_control
from compliance.checks.people import Register, name_of, subject_of
from compliance.checks.reach import Reaches, arrival_gaps, directory_gap, reach_causes
from compliance.probes.facts import Facts, Mailbox, Position

CONTROL = load_control(__file__)
DUTY = "commissioner"


def judge(facts: Facts) -> Result:
    """Judge the mailbox of each commissioner's position and of each holder."""
    if facts.directory is None or facts.directory.seen.error:
        return Result(
            CONTROL, 0, 0, tuple(directory_gap(facts)), CONTROL.message("summary.unknown")
        )
    register, reaches = Register(facts.directory), Reaches(facts.arrival)
    posts = [post for post in facts.directory.positions if DUTY in post.duties]
    if not posts:
        finding = Finding(facts.municipality, CONTROL.message("no_position"))
        return Result(CONTROL, 1, 1, (finding,), CONTROL.message("summary.fail"))
    verdicts = [verdict for post in posts for verdict in _post(register, reaches, post)]
    findings = [finding for finding, _ in verdicts if finding]
    measured = sum(known for _, known in verdicts)
    if any(finding.severity is Status.FAIL for finding in findings):
        key = "summary.fail"
    else:
        key = "summary.pass" if measured == len(verdicts) else "summary.unknown"
    causes = (*reach_causes(facts), *arrival_gaps(facts.arrival)) if key != "summary.pass" else ()
    return Result(CONTROL, len(verdicts), measured, (*causes, *findings), CONTROL.message(key))


def _post(
    register: Register, reaches: Reaches, post: Position
) -> list[tuple[Finding | None, bool]]:
    """Judge the position's mailbox and each holder's."""
    address = post.mailbox.address if post.mailbox else post.name
    verdicts = [_mailbox(reaches, address, post.name, post.mailbox, post.unit)]
    if not post.occupants:
        text = CONTROL.message("no_holder", position=post.name)
        verdicts.append((Finding(post.name, text, unit=post.unit), True))
    for dn in post.occupants:
        person = register.person(dn)
        if person is None:
            text = CONTROL.message("holder_gone", position=post.name)
            verdicts.append((Finding(dn.split(",")[0], text, unit=post.unit), True))
            continue
        subject, name = subject_of(person), name_of(person)
        verdicts.append(_mailbox(reaches, subject, name, person.mailbox, person.unit))
    return verdicts


def _mailbox(
    reaches: Reaches, subject: str, name: str, mailbox: Mailbox | None, unit: str | None
) -> tuple[Finding | None, bool]:
    """Return what is wrong with one mailbox, if anything, and whether it is known."""
    if mailbox is None or mailbox.status != "active":
        return Finding(subject, CONTROL.message("no_mailbox", name=name), unit=unit), True
    reach = reaches.of(mailbox.address)
    if not reach.failed and not reach.unread:
        return None, reach.known
    hidden = subject != mailbox.address  # a protected person is named by the reference alone
    text = CONTROL.message("not_reached", name=name, what=reach.message(hidden=hidden))
    severity = Status.FAIL if reach.failed else Status.UNKNOWN
    return Finding(subject, text, severity, unit), reach.known


CHECK = Check(CONTROL, frozenset({"directory", "arrival", "hosts"}), judge, reaches="commissioner")
