"""What is not sealed itself, but follows from what is: held against that.

Pages and disposal go by these tables: whoever changes one misleads them, and the seal is whole.
"""

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from compliance.messagelog.seal.findings import Finding, Kind
from compliance.messagelog.seal.statement import Day, Head, Statement


@dataclass(frozen=True)
class Miscount:
    """A unit's day (Sweden's) whose count in log.unit_day is not the number of its entries.

    unit: empty for entries of no unit. counted, there: in, out, internal and probes.
    """

    unit: str
    day: str
    outbox: UUID
    counted: Sequence[int]
    there: Sequence[int]


def check_register(
    statements: Iterable[Statement], register: Mapping[int, str | None]
) -> list[Finding]:
    """Say which statements stand in the table under another number or day than their text has."""
    found = []
    for one in statements:
        day = one.says.day.isoformat() if isinstance(one.says, Day) else None
        if one.number not in register:
            found.append(_finding(f"no row of log.statement has the number {one.number}"))
        elif register[one.number] != day:
            stands = register[one.number] or "none"
            text = f"statement {one.number} signs the day {day or 'none'}, its row says {stands}"
            found.append(_finding(text))
    return found


def check_strays(strays: Iterable[tuple[str, int]]) -> list[Finding]:
    """Say which leaves no statement on their day added. strays: the day, and the statement named.

    The next statement on such a day would sign them.
    """
    return [
        Finding(
            Kind.STATEMENT,
            None,
            None,
            f"leaves of {day} name statement {number}, which does not sign that day",
        )
        for day, number in strays
    ]


def check_counts(miscounts: Iterable[Miscount], broken: Container[UUID | None]) -> list[Finding]:
    """Say which counts are wrong. broken: outboxes whose entries don't hold: nor can their counts.

    A removed or altered entry would otherwise be told once more for each of its units.
    """
    return [
        _finding(
            f"unit {one.unit or '(none)'} on {one.day}, outbox {one.outbox}: log.unit_day counts"
            f" {_counts(one.counted)}; there are {_counts(one.there)}"
        )
        for one in miscounts
        if one.outbox not in broken
    ]


def check_addresses(misaddressed: Iterable[tuple[str, int]]) -> list[Finding]:
    """Say in which months a search misses mail. misaddressed: month, and how much it lacks."""
    return [
        _finding(
            f"log.address_month lacks {lacking} addresses that mail of {month} has: who searches"
            " for one finds nothing there"
        )
        for month, lacking in misaddressed
    ]


def check_words(misworded: Iterable[tuple[str, int]]) -> list[Finding]:
    """Say in which months a search in text misses mail. misworded: month, and how much it lacks."""
    return [
        _finding(
            f"log.word lacks {lacking} words that mail of {month} has: who searches for one finds"
            " nothing there"
        )
        for month, lacking in misworded
    ]


def no_position(outbox: UUID, signed_to: int) -> Finding:
    """Say that nothing tells how far an outbox was shipped."""
    known = f"was signed up to entry {signed_to}" if signed_to else "has entries"
    return _finding(f"outbox {outbox} {known}, and log.position has no row of it")


def check_host(position: Head, signed: str | None) -> list[Finding]:
    """Say whether log.position names another host of an outbox than was signed.

    The log takes no more of that outbox then, and the next statement would name the wrong host.
    """
    if signed in (None, position.host):
        return []
    text = f"outbox {position.outbox} was signed as of host {signed}, log.position says"
    return [_finding(f"{text} {position.host}")]


def _counts(numbers: Sequence[int]) -> str:
    incoming, outgoing, internal, probes = numbers
    return f"{incoming} in, {outgoing} out, {internal} internal, {probes} probes"


def _finding(text: str) -> Finding:
    return Finding(Kind.DERIVED, None, None, text)
