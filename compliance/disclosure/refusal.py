"""The draft of a decision not to hand out, with how to appeal (OSL 6 kap. 3, 7 and 8 §§). Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from compliance.disclosure.files import environment
from compliance.disclosure.masking import Column, Section
from compliance.safe_text import shown
from compliance.texts import clock, day, written


@dataclass(frozen=True, slots=True)
class Hidden:
    """A cell that is not handed out. at: when its message came, which is always public."""

    at: datetime
    column: Column
    section: Section


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a decision is about. handed_out: the day of the extract; None if there is none."""

    municipality: str
    unit: str
    asked_for: str
    received: date
    handed_out: datetime | None
    hidden: tuple[Hidden, ...]


def draft(refusal: Refusal) -> str:
    """Give the text in Swedish, the language of decisions. What only people know is in brackets.

    Whoever asks is not named: the decision can be written to somebody who is not known.
    """
    ended = refusal.handed_out
    return (
        environment()
        .get_template("refusal.txt.j2")
        .render(
            municipality=refusal.municipality,
            unit=refusal.unit,
            asked_for=shown(refusal.asked_for),
            received=written(refusal.received, "sv"),
            handed_out=ended is not None,
            ended=day(ended).sv if ended else "",
            hidden=_by_section(refusal.hidden),
        )
    )


def _by_section(hidden: Iterable[Hidden]) -> dict[str, list[tuple[str, str]]]:
    """Give for each section its messages, the first that came first, and what of them."""
    found: dict[Section, dict[datetime, list[str]]] = {}
    for cell in hidden:
        messages = found.setdefault(cell.section, {})
        messages.setdefault(cell.at, []).append(cell.column.heading.sv.lower())
    return {
        str(section): [
            (f"den {day(at).sv} kl. {clock(at).sv}", ", ".join(columns))
            for at, columns in sorted(messages.items())
        ]
        for section, messages in sorted(found.items())
    }
