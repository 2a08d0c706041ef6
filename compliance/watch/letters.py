"""The letters of reminder, in Swedish, from templates/letters/."""

from dataclasses import dataclass
from functools import cache

import jinja2

from compliance.resources import templates_dir
from compliance.texts import plain
from compliance.watch.reminders import Reminder


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter ready to be sent: one line of subject, a body of plain text."""

    to: str
    subject: str
    body: str


def write(reminder: Reminder, municipality: str) -> Letter:
    """Write the letter that a reminder asks for. municipality: its name, as signature."""
    text = (
        _environment()
        .get_template(f"reminder-{reminder.keeper}.txt.j2")
        .render(
            mailbox=reminder.mailbox,
            to=reminder.to,
            arrived=plain("{day}").fill(day=reminder.arrived).sv,
            age=reminder.age,
            municipality=municipality,
        )
    )
    subject, _, body = text.partition("\n")
    return Letter(reminder.to.address, subject.strip(), body.strip() + "\n")


@cache
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(templates_dir() / "letters"),
        autoescape=False,  # noqa: S701 - plain text, in which & is &
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
